"""Columns that only some protocols ask for."""

import csv
import io
import json
from dataclasses import replace

import pytest
from made_records import with_search
from pages import findings_of, html_section, texts_of

from realitycheck.protocol.model import Override, Scores
from realitycheck.records.evidence import EvaluationScores
from realitycheck.report.rows import best_labels
from realitycheck.report.sections.measured import glossary
from realitycheck.report.sections.scores import side_by_side
from realitycheck.runs import Category

EXTRA = ["R@1", "R@10", "NMI"]


def filled(score, shift):
    """A score record with what was asked for: numbers that no other column has."""
    extra = {"recall_at_1": 0.5 + shift, "recall_at_10": 0.7 + shift, "nmi": 0.6 + shift}

    def one(model):
        return {name: replace(found, scores={**found.scores, **extra}) for name, found in model.items()}

    return replace(score, models=tuple(map(one, score.models)), together=score.together and one(score.together))


def measured(replicate):
    shift = replicate.index / 1000
    scores = {
        name: EvaluationScores(filled(records.folds, shift), filled(records.complete, shift))
        for name, records in replicate.scores.items()
    }
    return replace(replicate, scores=scores)


@pytest.fixture(scope="module")
def asking(study):
    """The study, asking on cub200 for two recalls and NMI, and elsewhere for one other recall."""
    scores = Scores(recall_at=(1, 10), nmi=True)
    on = {"cub200": Override(scores=scores)}
    protocol = study.protocol.model_copy(update={"scores": Scores(recall_at=(4,)), "on": on})
    return study.model_copy(update={"protocol": protocol})


@pytest.fixture(scope="module")
def evidence(dataset):
    def changed(loss):
        near = tuple(replace(one, models=measured(one.models)) for one in loss.searches[0].near_best)
        return with_search(loss, replicates=tuple(map(measured, loss.replicates)), near_best=near)

    def of(losses):
        return tuple(map(changed, losses))

    return replace(dataset, losses=of(dataset.losses), untrained=of(dataset.untrained))


@pytest.fixture(scope="module")
def texts(asking, evidence):
    return texts_of(asking, [evidence])


def test_cells_follow_the_protocol_of_the_dataset(asking, evidence):
    (found,) = findings_of(asking, [evidence]).datasets
    assert found.metrics[3:] == ("recall_at_1", "recall_at_10", "nmi")
    cell = found.rows[0].cell(Category.AGGREGATE, "nmi")
    assert cell.values == pytest.approx([0.6, 0.601, 0.602, 0.603])
    assert cell.interval.mean == pytest.approx(0.6015)
    assert not found.missing


def test_every_table_has_the_columns(texts):
    for category in ("complete-512", "ensemble-512", "aggregate-128"):
        heads = " | ".join(f"{category} {name}" for name in ("MAP@R", "RP", "P@1", *EXTRA))
        assert f"| {heads} |" in texts["tables.md"]
    row = next(csv.DictReader(io.StringIO(texts["tables.csv"])))
    assert [row[f"ensemble-512 {name} mean"] for name in EXTRA] == ["50.15", "70.15", "60.15"]
    cells = json.loads(texts["tables.json"])["datasets"][0]["rows"][0]["cells"]
    assert "nmi" in {cell["metric"] for cell in cells}


def test_a_table_that_would_be_too_wide_is_one_per_category(texts, study, dataset):
    text = texts["tables.tex"]
    assert text.count(r"\begin{tabular}{@{}lrrrrrr@{}}") == text.count(r"\begin{table*}") - 1 == 3
    assert text.count("Loss & MAP@R & RP & P@1 & R@1 & R@10 & NMI") == 3
    rows = [line for line in text.splitlines() if line.startswith("circle")]
    assert [line.count("&") for line in rows] == [9, 6, 6, 6, 4], (
        "the first is that of the untrained models, the last that of the differences"
    )
    (narrow,) = findings_of(study, [dataset]).datasets
    (together,) = side_by_side(narrow)
    assert together[0] is narrow.study.category  # the primary one first
    assert set(together) == set(narrow.study.categories)


def test_the_page_has_them(texts, evidence):
    tables = html_section(texts["index.html"], "Test scores")
    assert tables.count("<table ") == tables.count(">R@10</th>") == tables.count(">NMI</th>") == 3
    assert tables.count("60.15") == 3 * len((*evidence.losses, *evidence.untrained))
    assert "<dt>R@k</dt>" in texts["index.html"]
    assert "<dt>NMI</dt>" in texts["index.html"]


def test_the_best_of_each_column_is_bold_in_its_own_table(asking, evidence):
    best = with_search(evidence.losses[1], replicates=evidence.losses[1].replicates[1:])
    few = replace(evidence, losses=(evidence.losses[0], best, evidence.losses[2]))
    (found,) = findings_of(asking, [few]).datasets
    columns = [(cell.category, cell.metric) for cell in found.rows[0].cells]
    labels = dict(zip(columns, best_labels(found.rows), strict=True))
    assert {labels[category, "nmi"] for category in Category} == {"circle"}
    lines = [line for line in texts_of(asking, [few])["tables.tex"].splitlines() if line.startswith("circle")]
    _gain, *lines, _difference = lines
    assert len(lines) == 3
    assert all(line.split(" & ")[6].startswith(r"$\mathbf{60.20") for line in lines)


def test_a_column_of_another_dataset_stays_empty_in_the_csv(asking, evidence, dataset):
    asked, plain = asking.datasets[0], asking.datasets[0].model_copy(update={"name": "plain", "address": "sketches"})
    two = asking.model_copy(update={"datasets": (asked, plain)})
    without = replace(dataset, dataset="plain", losses=dataset.losses[:1], untrained=())
    bare = two.model_copy(update={"protocol": two.protocol.model_copy(update={"scores": None})})
    findings = findings_of(bare, [evidence, without])
    assert findings.metrics[3:] == ["recall_at_1", "recall_at_10", "nmi"]
    rows = list(csv.DictReader(io.StringIO(texts_of(bare, [evidence, without])["tables.csv"])))
    assert (rows[-1]["dataset"], rows[-1]["ensemble-512 NMI n"], rows[-1]["ensemble-512 MAP@R n"]) == ("plain", "", "4")


def test_without_the_key_nothing_is_said_of_them(study, dataset):
    assert not {"R@k", "NMI"} & set(glossary(findings_of(study, [dataset]).study, set(study.protocol.metrics)))
    texts = texts_of(study, [dataset])
    assert not any("NMI" in texts[name] for name in ("tables.md", "tables.tex", "tables.csv"))
