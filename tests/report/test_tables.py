import csv
import io
import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from made_records import together, with_search
from scipy import stats

from realitycheck.report import latex, markdown, spreadsheets, tables
from realitycheck.report.summary import summarize
from realitycheck.runs import Category


@pytest.fixture(scope="module")
def summary(study, dataset):
    return summarize(study, [dataset])


@pytest.fixture(scope="module")
def by_hand(dataset):
    """Mean and half-width in points of ensemble MAP@R, from the records, by scipy."""
    found = {}
    for loss in (*dataset.losses, *dataset.untrained):
        values = 100 * np.array(together(loss))
        found[loss.label] = np.mean(values), stats.t.ppf(0.975, 3) * stats.sem(values)
    return found


def test_markdown_shows_the_numbers(summary, by_hand):
    text = markdown.markdown(summary)
    for label, (mean, half) in by_hand.items():
        row = re.compile(rf"\| \*?{label} ?\*? ?\|")
        line = next(line for line in text.splitlines() if row.match(line.replace("\\", "")))
        assert f"{mean:.2f} ± {half:.2f}" in line
    assert "| loss | distance | complete-512 MAP@R | complete-512 RP |" in text


def test_the_best_mean_is_bold_and_untrained_rows_do_not_compete(summary, by_hand):
    best = max(["contrastive", "circle", "soft_triple"], key=lambda label: by_hand[label])
    mean, half = by_hand[best]
    assert f"**{mean:.2f} ± {half:.2f}**" in markdown.markdown(summary)
    assert rf"$\mathbf{{{mean:.2f} \pm {half:.2f}}}$" in latex.latex(summary)
    assert tables.best_labels(summary.datasets[0])[3] == best


@pytest.fixture(scope="module")
def paired(dataset):
    """Differences from contrastive in points of ensemble MAP@R, seed by seed, from the records."""
    scores = {loss.label: 100 * np.array(together(loss)) for loss in dataset.losses}
    return {label: np.subtract(values, scores["contrastive"]) for label, values in scores.items()}


def test_markdown_shows_the_differences(summary, paired):
    text = markdown.markdown(summary).replace("−", "-")
    table = text.split("### Against contrastive")[1]
    for label in ("circle", "soft_triple"):
        line = next(line for line in table.splitlines() if line.replace("\\", "").startswith(f"| {label} |"))
        low, high = stats.ttest_1samp(paired[label], 0).confidence_interval(0.95)
        assert f"| {paired[label].mean():+.2f} | {low:+.2f} to {high:+.2f} |" in line
    assert "in points of ensemble-512 MAP@R; differences within ±0.50 points" in table


def test_differences_as_csv(summary, paired):
    rows = list(csv.DictReader(io.StringIO(spreadsheets.differences_csv(summary))))
    assert [row["loss"] for row in rows] == ["circle", "soft_triple"]
    p = [stats.ttest_1samp(paired[row["loss"]], 0).pvalue for row in rows]
    holm = [min(1, max(2 * min(p), p[i]) if p[i] > min(p) else 2 * p[i]) for i in range(2)]
    for row, corrected in zip(rows, holm, strict=True):
        low, high = stats.ttest_1samp(paired[row["loss"]], 0).confidence_interval(0.95)
        assert [float(row[key]) for key in ("difference", "low", "high")] == pytest.approx(
            [paired[row["loss"]].mean(), low, high], abs=0.005
        )
        assert float(row["p_holm"]) == pytest.approx(corrected, rel=1e-3)
        assert (row["dataset"], row["baseline"], row["category"], row["metric"], row["seeds"], row["exploratory"]) == (
            *("cub200", "contrastive", "ensemble-512", "map_at_r", "4", "no"),
        )


def test_csv_is_plain_numbers(summary, by_hand):
    rows = list(csv.DictReader(io.StringIO(spreadsheets.scores_csv(summary))))
    assert [row["loss"] for row in rows] == list(by_hand)
    for row in rows:
        mean, half = by_hand[row["loss"]]
        assert float(row["ensemble-512 MAP@R mean"]) == pytest.approx(mean, abs=0.005)
        assert float(row["ensemble-512 MAP@R half_width"]) == pytest.approx(half, abs=0.005)
        assert row["ensemble-512 MAP@R n"] == "4"


def test_json_has_full_precision_and_all_of_the_interval(summary, by_hand):
    body = json.loads(tables.json_text(summary))
    row = body["datasets"][0]["rows"][0]
    cell = next(c for c in row["cells"] if (c["category"], c["metric"]) == ("ensemble", "map_at_r"))
    mean, half = by_hand["contrastive"]
    interval = cell["interval"]
    assert interval["mean"] * 100 == pytest.approx(mean, rel=1e-12)
    assert (interval["high"] - interval["low"]) * 50 == pytest.approx(half, rel=1e-9)
    assert {k: interval[k] for k in ("level", "n", "method", "over")} == {
        "level": 0.95,
        "n": 4,
        "method": "student_t",
        "over": "seeds",
    }
    assert body["datasets"][0]["comparisons"][0]["label"] == "circle"


def test_latex_is_booktabs(summary):
    text = latex.latex(summary)
    for part in (r"\toprule", r"\cmidrule(lr){2-4}\cmidrule(lr){5-7}\cmidrule(lr){8-10}", r"soft\_triple & "):
        assert part in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 1
    assert all(line.count("&") == 9 for line in text.splitlines() if line.startswith(("Loss", "circle")))


def test_missing_cells(study, dataset, edit):
    late = edit(
        dataset,
        circle=lambda x: with_search(x, replicates=()),
        soft_triple=lambda x: with_search(x, replicates=x.replicates[:1]),
    )
    summary = summarize(study, [late])
    rows = {row["loss"]: row for row in csv.DictReader(io.StringIO(spreadsheets.scores_csv(summary)))}
    assert [rows["circle"][f"ensemble-512 RP {part}"] for part in ("mean", "half_width", "n")] == [
        "",
        "",
        "0",
    ]
    assert rows["soft_triple"]["ensemble-512 RP half_width"] == ""
    circle, soft_triple = (summary.datasets[0].rows[i].cell(Category.ENSEMBLE, "map_at_r") for i in (1, 2))
    assert tables.cell_text(circle, plus_minus=" ± ") == "–"
    assert tables.cell_text(soft_triple, plus_minus=" ± ") == f"{100 * soft_triple.mean:.2f}"
    assert tables.marks(summary.datasets[0].rows[1]) == "4 pending"
    assert "$–$" not in latex.latex(summary)


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd", "@sum", "\tx", "\rx", "--1"])
def test_formulas_are_disarmed(text):
    assert spreadsheets.safe_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["-1.25", "+3", "-2e-05", "circle", "", "1=1"])
def test_harmless_cells_stay(text):
    assert spreadsheets.safe_cell(text) == text


def test_hostile_names(study, dataset):
    summary = summarize(study, [replace(dataset, dataset="=cmd|'/c calc'!A1")])
    summary = replace(summary, study=r"\input{x} | <b>", question="a | b\n# c")
    assert "\n'=cmd|" in spreadsheets.scores_csv(summary)
    assert r"\input" not in latex.latex(summary)
    assert "<b>" not in markdown.markdown(summary)
    assert "\n# c" not in markdown.markdown(summary)


def test_reconstructions_are_marked_in_every_table(study, dataset, monkeypatch):
    entries = {"circle": SimpleNamespace(status="reconstruction"), "contrastive": SimpleNamespace(status="variant")}
    monkeypatch.setattr("realitycheck.losses.menu.entry", entries.get)
    summary = summarize(study, [dataset])
    text = markdown.markdown(summary)
    assert text.count("| circle (reconstruction) |") == 2
    assert "no official code or full formula of this loss is published" in text
    assert "circle (reconstruction) & " in latex.latex(summary)
    assert "no official code or full formula" in latex.latex(summary)
    for text in (spreadsheets.scores_csv(summary), spreadsheets.differences_csv(summary)):
        assert {row["loss"]: row["status"] for row in csv.DictReader(io.StringIO(text))}["circle"] == "reconstruction"
    assert json.loads(tables.json_text(summary))["datasets"][0]["rows"][1]["status"] == "reconstruction"
    assert "circle (reconstruction)" in summary.datasets[0].answer


def test_without_a_reconstruction_there_is_no_footnote(summary):
    assert "reconstruction" not in markdown.markdown(summary) + latex.latex(summary)
