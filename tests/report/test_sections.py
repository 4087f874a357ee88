"""Sections as a menu: every one of them in every format, and another one added by an entry alone."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from pages import findings_of, texts_of

from realitycheck.report.blocks import Column, Heading, LatexTable, Paragraph, Strong, Table, rows_of
from realitycheck.report.findings import DatasetFindings, Findings
from realitycheck.report.menu import SECTIONS
from realitycheck.report.parts import make_parts
from realitycheck.report.sections.base import Section
from realitycheck.runs import Stage


@dataclass(frozen=True)
class Runs:
    """Runs of each loss."""

    runs: dict[str, int]


def find(dataset):
    return Runs({loss.label: len(list(loss.runs(Stage.SEARCH))) for loss in dataset.evidence.losses})


def blocks(dataset, found):
    yield Heading(3, "Runs of searches")
    rows = [(label, str(runs)) for label, runs in found.runs.items()]
    yield Table((Column("Loss"), Column("Runs", number=True)), rows_of(rows), caption="Runs of all trials.")


def latex(dataset, found):
    table = next(block for block in blocks(dataset, found) if isinstance(block, Table))
    yield LatexTable(table, "tab:runs", "Runs.", wide=False)


ELSEWHERE = {"corruption", "neighbors", "verification", "one_threshold", "proxy_distances", "sweeps", "shared_effects"}
"""Sections that need evaluations or records that this evidence has not; tested on pages of their own."""

DUMMY = Section(name="run_counts", subject=DatasetFindings, find=find, blocks=blocks, latex=latex)


def test_a_section_is_added_by_an_entry_alone(study, dataset):
    before, after = (
        texts_of(study, [dataset]),
        texts_of(study, [dataset], sections=(*SECTIONS[:4], DUMMY, *SECTIONS[4:])),
    )
    assert ">Runs of searches</h3>" in after["index.html"]
    assert "| circle | 24 |" in after["tables.md"]
    assert json.loads(after["tables.json"])["datasets"][0]["run_counts"] == {
        "runs": {"contrastive": 24, "circle": 24, "soft_triple": 24}
    }
    assert "circle & 24" in after["tables.tex"]
    assert before["tables.csv"] == after["tables.csv"]
    assert len(after["index.html"]) > len(before["index.html"])


def test_a_section_with_nothing_to_say_is_null_in_json_and_nowhere_else(study, dataset):
    silent = Section(name="silence", subject=Findings, find=lambda findings: None, blocks=blocks)
    before, after = texts_of(study, [dataset]), texts_of(study, [dataset], sections=(*SECTIONS, silent))
    assert json.loads(after["tables.json"])["silence"] is None
    assert {name for name in before if before[name] != after[name]} == {"tables.json"}


def test_a_section_of_the_study_may_come_between_those_of_datasets(study, dataset):
    lone = Section(
        name="lone",
        subject=Findings,
        find=lambda findings: findings.study.seeds,
        blocks=lambda findings, found: [Heading(2, "In between"), Paragraph((Strong("Seeds"), f": {found}."))],
    )
    facts, scores, differences, noise = (
        next(section for section in SECTIONS if section.name == name)
        for name in ("facts", "scores", "differences", "noise")
    )
    sections = (facts, scores, lone, differences, noise)
    parts = make_parts(findings_of(study, [dataset, dataset]), sections)
    names = [part.section.name for part in parts]
    assert names == [*["facts", "scores"] * 2, "lone", *["differences", "noise"] * 2]


def test_two_sections_may_not_use_one_key(study, dataset):
    double = Section(name="searches", subject=DatasetFindings, find=find, blocks=blocks)
    with pytest.raises(ValueError, match="duplicate key"):
        texts_of(study, [dataset], sections=(*SECTIONS, double))


@pytest.mark.parametrize(
    "section", [one for one in SECTIONS if one.name not in ELSEWHERE], ids=lambda section: section.name
)
def test_every_section_is_in_every_format(section, study, dataset):
    named = study.model_copy(update={"same": ("circle", "soft_triple")})
    parts = make_parts(findings_of(named, [dataset]), [section])
    (part,) = parts
    assert part.facts is not None
    headings = [block.text for block in part.blocks if isinstance(block, Heading)]
    texts = texts_of(named, [dataset])
    for heading in headings:
        assert f">{heading}</h" in texts["index.html"]
        assert section.file_text or f"# {heading}\n".replace("_", "\\_") in texts["tables.md"]
    body = json.loads(texts["tables.json"])
    keys = section.keys(part.facts) if section.keys else [section.name]
    assert set(keys) <= set(body if section.subject is Findings else body["datasets"][0])


def test_names_are_unique():
    names = [section.name for section in SECTIONS]
    assert len(set(names)) == len(names)


def test_file_texts_are_no_part_of_the_markdown(study, dataset):
    texts = texts_of(study, [dataset], sources={"study.yaml": "a line of the file\n"})
    assert "a line of the file" in texts["index.html"]
    assert "a line of the file" not in texts["tables.md"]
    assert json.loads(texts["tables.json"])["sources"] == {"study.yaml": "a line of the file\n"}
