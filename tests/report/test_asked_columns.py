"""Columns that only some protocols ask for."""

import csv
import io
import json
from dataclasses import replace

import pytest
from made_records import with_search

from realitycheck.protocol.model import Override, Scores
from realitycheck.records.evidence import EvaluationScores
from realitycheck.report import columns, latex, markdown, spreadsheets, tables
from realitycheck.report.page import draw_section, render_page
from realitycheck.report.summary import summarize
from realitycheck.runs import Category

EXTRA = ["R@1", "R@10", "NMI"]


def filled(score, shift):
    """A score record with what was asked for: numbers that no other column has."""
    extra = {"recall_at_1": 0.5 + shift, "recall_at_10": 0.7 + shift, "nmi": 0.6 + shift}

    def one(model):
        return {name: replace(found, scores={**found.scores, **extra}) for name, found in model.items()}

    return replace(score, each=tuple(map(one, score.each)), together=score.together and one(score.together))


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
    def of(losses):
        return tuple(with_search(loss, replicates=tuple(map(measured, loss.replicates))) for loss in losses)

    return replace(dataset, losses=of(dataset.losses), untrained=of(dataset.untrained))


@pytest.fixture(scope="module")
def summary(asking, evidence):
    return summarize(asking, [evidence])


def test_cells_follow_the_protocol_of_the_dataset(summary):
    (found,) = summary.datasets
    assert found.metrics[3:] == ("recall_at_1", "recall_at_10", "nmi")
    cell = found.rows[0].cell(Category.AGGREGATE, "nmi")
    assert cell.values == pytest.approx([0.6, 0.601, 0.602, 0.603])
    assert cell.interval.mean == pytest.approx(0.6015)
    assert not found.missing


def test_every_table_has_the_columns(summary):
    heads = [f"complete-512 {name}" for name in ("MAP@R", "RP", "P@1", *EXTRA)]
    assert "| " + " | ".join(heads) + " | ensemble-512 MAP@R |" in markdown.markdown(summary)
    row = next(csv.DictReader(io.StringIO(spreadsheets.scores_csv(summary))))
    assert [row[f"ensemble-512 {name} mean"] for name in EXTRA] == ["50.15", "70.15", "60.15"]
    assert "nmi" in {
        cell["metric"] for cell in json.loads(tables.json_text(summary))["datasets"][0]["rows"][0]["cells"]
    }


def test_a_table_that_would_be_too_wide_is_one_per_category(summary, study, dataset):
    text = latex.latex(summary)
    assert text.count(r"\begin{tabular}{lrrrrrr}") == 3
    assert text.count("Loss & MAP@R & RP & P@1 & R@1 & R@10 & NMI") == 3
    assert all(line.count("&") == 6 for line in text.splitlines() if line.startswith("circle"))
    plain = summarize(study, [dataset])
    assert columns.blocks(plain, plain.datasets[0]) == [list(plain.categories)]


def test_the_page_has_them_and_says_what_they_are(summary, evidence):
    (found,) = summary.datasets
    section = draw_section(summary, evidence, found, published=None)
    page = render_page(summary, [section], sources={}, credit=(), ledger_digest="d")
    table = page.split("<h3>Test scores</h3>")[1].split("<figure>")[0]
    assert table.count("<table>") == table.count(">R@10</th>") == table.count(">NMI</th>") == 3
    assert table.count("60.15") == 3 * len((*found.rows, *found.untrained))
    assert "<dt>R@k</dt>" in page and "<dt>NMI</dt>" in page


def test_the_best_of_each_column_is_bold_in_its_own_block(asking, evidence):
    best = with_search(evidence.losses[1], replicates=evidence.losses[1].replicates[1:])
    few = replace(evidence, losses=(evidence.losses[0], best, evidence.losses[2]))
    (found,) = summarize(asking, [few]).datasets
    labels = dict(
        zip([(cell.category, cell.metric) for cell in found.rows[0].cells], tables.best_labels(found), strict=True)
    )
    assert {labels[category, "nmi"] for category in Category} == {"circle"}
    text = latex.latex(summarize(asking, [few]))
    assert all(
        line.split(" & ")[6].startswith(r"$\mathbf{60.20") for line in text.splitlines() if line.startswith("circle")
    )


def test_two_datasets_with_columns_of_their_own_share_one_csv(asking, evidence, dataset):
    other = replace(dataset, dataset="plain")
    summary = summarize(asking, [evidence, replace(other, losses=(), untrained=())])
    assert columns.every_metric(summary)[3:] == ["recall_at_1", "recall_at_10", "nmi"]
    mixed = replace(summary.datasets[1], rows=tuple(replace(r, cells=r.cells[:1]) for r in summary.datasets[0].rows))
    rows = list(csv.DictReader(io.StringIO(spreadsheets.scores_csv(replace(summary, datasets=(mixed,))))))
    assert (rows[0]["ensemble-512 MAP@R n"], rows[0]["ensemble-512 MAP@R mean"]) == ("", "")


def test_without_the_key_nothing_is_said_of_them(study, dataset):
    summary = summarize(study, [dataset])
    assert not {"R@k", "NMI"} & set(summary.glossary)
    assert "NMI" not in markdown.markdown(summary) + latex.latex(summary) + spreadsheets.scores_csv(summary)
