"""The head of the page: the question, the answer, and what is still missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from realitycheck.report import helped
from realitycheck.report.blocks import Banner, Block, Heading, Note, Paragraph, Strong, Text, pieces
from realitycheck.report.findings import DatasetFindings, Findings
from realitycheck.report.sections import noise_floor, warning_list
from realitycheck.report.sections.base import Section
from realitycheck.report.sections.differences import sensitivity
from realitycheck.report.sections.rank_table import leading_sentence
from realitycheck.report.wording import FOOTNOTE, percent, points


@dataclass(frozen=True, slots=True)
class StudyAnswer:
    """Whether the study is finished; the verdicts of each dataset are among its findings."""

    finished: bool


def find(findings: Findings) -> StudyAnswer:
    """Every report has this section."""
    return StudyAnswer(findings.finished)


def blocks(findings: Findings, facts: StudyAnswer) -> Iterator[Block]:
    """Print the answer of every dataset, how verdicts are made, and what limits them."""
    study = findings.study
    kicker = f"Reality Check · study {study.study} · protocol {study.protocol_name}"
    yield Heading(1, study.question, kicker=kicker)
    several = len(findings.datasets) > 1
    for dataset in findings.datasets:
        if several:
            yield Paragraph(("On ", Strong(dataset.dataset), ":"), lead=True)
        for question, text in _answers(dataset).items():
            yield Paragraph((Strong(question), " ", *pieces(text)), lead=True)
    yield Paragraph(
        f"All losses had the same data, model, tuning budget and {study.seeds} fresh seeds. Verdicts are for "
        f"{study.primary}, against {study.shown(study.baseline)}, at the {percent(1 - study.level)} level after Holm's "
        f"correction. {_smallest(findings)}"
    )
    if study.searches > 1:
        yield Paragraph(study.estimator.covers)
    if study.reconstructed:
        yield Note(FOOTNOTE)
    if not facts.finished:
        yield Banner(
            (Strong("This study is not finished."), " All results are provisional. Missing:"), _items(findings)
        )


def _answers(dataset: DatasetFindings) -> dict[str, Text]:
    """Question → answer, without the questions that this study does not answer."""
    training, floor = helped.find(dataset), noise_floor.find(dataset)
    known: dict[str, Text] = {
        "Did training help?": training.answer if training else "",
        **dataset.answers,
        "What could be found?": sensitivity(dataset),
        "Which can be the best?": leading_sentence(dataset) if len(dataset.labels) > 2 else "",
        "How large is chance?": floor.sentence if floor else "",
        "What to distrust?": warning_list.summary(dataset),
    }
    return {question: text for question, text in known.items() if text}


def _smallest(findings: Findings) -> str:
    """What is too small to matter, and whether that was so when the test half was opened."""
    within = f"Differences within ±{points(findings.study.smallest_difference)} points"
    if any("smallest_difference" in dataset.changed_claims for dataset in findings.datasets):
        return f"{within} count as too small to matter; this was changed after the test half had been opened."
    return f"{within} were declared beforehand to be too small to matter."


def _items(findings: Findings) -> tuple[str, ...]:
    if not findings.datasets:
        return ("everything: there is no record yet.",)
    return tuple(f"{dataset.dataset}, {sentence}" for dataset in findings.datasets for sentence in dataset.missing)


SECTION = Section(
    name="answer",
    subject=Findings,
    find=find,
    blocks=blocks,
    keys=lambda facts: {"finished": facts.finished},
)
