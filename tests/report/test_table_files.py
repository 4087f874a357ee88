"""The tables as Markdown, CSV, JSON and LaTeX, against numbers from the records."""

import csv
import io
import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from made_records import together, with_search
from pages import findings_of, markdown_row, markdown_section, texts_of
from scipy import stats

from realitycheck.metrics.menu import MENU
from realitycheck.report import rows
from realitycheck.report.writers.csv_tables import SCORES, safe_cell
from realitycheck.runs import Category


@pytest.fixture(scope="module")
def texts(study, dataset):
    return texts_of(study, [dataset])


@pytest.fixture(scope="module")
def by_hand(dataset):
    """Mean and half-width in points of ensemble MAP@R, from the records, by scipy."""
    found = {}
    for loss in (*dataset.losses, *dataset.untrained):
        values = 100 * np.array(together(loss))
        found[loss.label] = np.mean(values), stats.t.ppf(0.975, 3) * stats.sem(values)
    return found


def test_markdown_shows_the_scores(texts, by_hand):
    table = markdown_section(texts["tables.md"], "Test scores").replace("**", "")
    column = markdown_row(table, "Loss").index("ensemble-512 MAP@R")
    for label, (mean, half) in by_hand.items():
        assert markdown_row(table, label)[column] == f"{mean:.2f} ± {half:.2f}"


def test_the_best_mean_is_bold_and_untrained_rows_do_not_compete(texts, by_hand):
    best = max(["contrastive", "circle", "soft_triple"], key=lambda label: by_hand[label])
    mean, half = by_hand[best]
    assert f"**{mean:.2f} ± {half:.2f}**" in texts["tables.md"]
    assert rf"$\mathbf{{{mean:.2f} \pm {half:.2f}}}$" in texts["tables.tex"]
    assert f"<b>{mean:.2f}</b>" in texts["index.html"]
    # Nine columns three times: all of them, by category, and in the layout of the published tables.
    assert texts["tables.tex"].count("mathbf") == 27


def test_the_best_of_a_score_that_should_be_low_is_the_lowest(study, dataset, monkeypatch):
    facts = findings_of(study, [dataset]).datasets[0]
    means = [(row.cells[0].mean, row.label) for row in facts.rows if row.cells[0].mean is not None]
    assert rows.best_labels(facts.rows)[0] == max(means)[1] != min(means)[1]
    entry = replace(MENU[0], higher_is_better=False)
    monkeypatch.setattr(rows, "metric_entry", lambda metric: (entry, 0))
    assert rows.best_labels(facts.rows)[0] == min(means)[1]


@pytest.fixture(scope="module")
def paired(dataset):
    """Differences from contrastive in points of ensemble MAP@R, seed by seed, from the records."""
    scores = {loss.label: 100 * np.array(together(loss)) for loss in dataset.losses}
    return {label: np.subtract(values, scores["contrastive"]) for label, values in scores.items()}


def test_markdown_shows_the_differences(texts, paired):
    table = markdown_section(texts["tables.md"], "Against contrastive").replace("−", "-")
    for label in ("circle", "soft_triple"):
        low, high = stats.ttest_1samp(paired[label], 0).confidence_interval(0.95)
        row = markdown_row(table, label)
        assert row[2:4] == [f"{paired[label].mean():+.2f}", f"{low:+.2f} to {high:+.2f}"]


def test_differences_as_csv(texts, paired):
    rows = list(csv.DictReader(io.StringIO(texts["differences.csv"])))
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


def test_csv_is_plain_numbers(texts, by_hand):
    rows = list(csv.DictReader(io.StringIO(texts["tables.csv"])))
    assert [row["loss"] for row in rows] == list(by_hand)
    for row in rows:
        mean, half = by_hand[row["loss"]]
        assert float(row["ensemble-512 MAP@R mean"]) == pytest.approx(mean, abs=0.005)
        assert float(row["ensemble-512 MAP@R half_width"]) == pytest.approx(half, abs=0.005)
        assert float(row["ensemble-512 MAP@R retraining_half_width"]) == pytest.approx(half, abs=0.005)
        assert row["ensemble-512 MAP@R n"] == "4"


def test_json_has_full_precision_and_all_of_the_interval(texts, by_hand):
    body = json.loads(texts["tables.json"])
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


def test_latex_is_booktabs(texts):
    text = texts["tables.tex"]
    assert r"\usepackage{booktabs,graphicx}" in text.splitlines()[0]
    for part in (r"\toprule", r"\cmidrule(lr){2-4}\cmidrule(lr){5-7}\cmidrule(lr){8-10}", r"soft\_triple & "):
        assert part in text
    for kind, count in (("table*", 3), ("table", 4), ("tabular", 7)):
        assert text.count(rf"\begin{{{kind}}}") == text.count(rf"\end{{{kind}}}") == count
    rows = [line.count("&") for line in text.splitlines() if line.startswith(("Loss", "circle"))]
    assert rows == [9, 9, 9, 9, 3, 3, 3, 3, 3, 3, 9, 9, 4, 4]
    assert text.count("{") == text.count("}")


def test_every_latex_table_has_a_label_of_its_own(texts):
    labels = re.findall(r"\\label\{(.*)\}", texts["tables.tex"])
    kinds = ("untrained", "all", "aggregate", "ensemble", "complete", "published", "differences")
    assert sorted(labels) == sorted(f"tab:margins-cub200-{kind}" for kind in kinds)


def test_one_table_has_every_difference_from_the_baseline(texts):
    body = texts["tables.tex"].split(r"\label{tab:margins-cub200-differences}")[1]
    rows = list(csv.DictReader(io.StringIO(texts["differences.csv"])))
    assert [row["loss"] for row in rows] == ["circle", "soft_triple"]
    for row in rows:
        line = next(line for line in body.splitlines() if line.startswith(row["loss"].replace("_", r"\_")))
        cells = [cell.strip(" \\").replace("$-$", "-") for cell in line.split("&")]
        assert cells[1] == row["verdict"]
        assert float(cells[2]) == pytest.approx(float(row["difference"]), abs=0.0051)


def test_one_table_has_the_layout_of_the_published_ones(texts, by_hand):
    last = texts["tables.tex"].split(r"\label{tab:margins-cub200-published}")[1]
    heads = re.findall(r"multicolumn\{3\}\{c\}\{(.*?)\}", last)
    assert heads == ["complete-512", "ensemble-512", "aggregate-128"]
    cells = next(line for line in last.splitlines() if line.startswith("circle")).split(" & ")
    mean, half = by_hand["circle"]
    assert rf"{mean:.2f} \pm {half:.2f}" in cells[4]


def test_every_seed_as_csv(texts, dataset):
    rows = list(csv.DictReader(io.StringIO(texts["seeds.csv"])))
    for loss in (*dataset.losses, *dataset.untrained):
        own = [row for row in rows if row["loss"] == loss.label]
        assert [row["replicate"] for row in own] == ["1", "2", "3", "4"]
        assert [float(row["ensemble-512 MAP@R"]) for row in own] == pytest.approx(100 * np.array(together(loss)))
    assert {(row["trained"], row["search"]) for row in rows} == {("yes", "1"), ("no", "")}


def test_every_chosen_setting_as_csv(texts, dataset):
    rows = list(csv.DictReader(io.StringIO(texts["settings.csv"])))
    for loss in dataset.losses:
        chosen = loss.searches[0].chosen
        own = {row["hyper_parameter"]: row for row in rows if row["loss"] == loss.label}
        assert {name: row["value"] for name, row in own.items()} == {name: str(v) for name, v in chosen.knobs.items()}
        for row in own.values():
            assert (row["search"], row["trial"]) == ("1", str(chosen.slot + 1))
            assert float(row["validation_map_at_r"]) == pytest.approx(100 * chosen.value)


def test_the_methods_cite_what_the_references_have(texts):
    methods, references = texts["methods.tex"], texts["references.bib"]
    keys = re.findall(r"^@\w+\{(\w+),", references, re.MULTILINE)
    assert sorted(re.findall(r"\\cite\{(\w+)\}", methods)) == sorted(keys)
    assert {"hadsell2006", "sun2020", "qian2019", "romano2005", "mogstad2024", "data1"} < set(keys)
    names = r"contrastive~\cite{hadsell2006}, circle~\cite{sun2020} and soft\_triple~\cite{qian2019}"
    for part in (names, "results version 2", "4 fresh seeds", "Wah et al. (2011)"):
        assert part in methods
    assert "% circle: Sun et al., 2020" in references
    title = "Dimensionality Reduction by Learning an Invariant Mapping"
    assert f"author = {{Hadsell and others}},\n  title = {{{{{title}}}}},\n  howpublished = {{CVPR}}" in references


def test_json_has_a_version_and_every_section(texts):
    body = json.loads(texts["tables.json"])
    assert body["version"] == 1
    assert {"answer", "missing", "facts", "rows", "comparisons", "searches", "endings", "openings"} <= set(
        body["datasets"][0]
    )
    assert {"alike", "glossary", "treatments", "credit", "sources", "finished", "covers"} <= set(body)


def test_missing_cells(study, dataset, edit):
    late = edit(
        dataset,
        circle=lambda x: with_search(x, replicates=()),
        soft_triple=lambda x: with_search(x, replicates=x.replicates[:1]),
    )
    texts = texts_of(study, [late])
    rows = {row["loss"]: row for row in csv.DictReader(io.StringIO(texts["tables.csv"]))}
    assert [rows["circle"][f"ensemble-512 RP {part}"] for part in SCORES] == ["", "", "", "0"]
    assert rows["soft_triple"]["ensemble-512 RP half_width"] == ""
    table = markdown_section(texts["tables.md"], "Test scores").replace("**", "")
    assert markdown_row(table, "circle") == ["circle (4 pending)", *["–"] * 9]
    (found,) = findings_of(study, [late]).datasets
    mean = found.row("soft_triple").cell(Category.COMPLETE, "map_at_r").mean
    # Behind the three scores of the primary category.
    assert markdown_row(table, "soft_triple")[4] == f"{100 * mean:.2f}"
    _, wide, *_ = texts["tables.tex"].split(r"\end{table*}")
    (letter,) = re.findall(r"circle\$\^\{([a-z])\}\$ & " + " & ".join(["--"] * 9), wide)
    assert f"$^{{{letter}}}$ 4 pending" in wide.split(r"\end{tabular}")[1]


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd", "@sum", "\tx", "\rx", "--1"])
def test_formulas_are_disarmed(text):
    assert safe_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["-1.25", "+3", "-2e-05", "circle", "", "1=1"])
def test_harmless_cells_stay(text):
    assert safe_cell(text) == text


def test_hostile_names(study, dataset):
    named = study.model_copy(update={"study": r"\input{x} | <b>", "question": "a | b\n# c"})
    texts = texts_of(named, [replace(dataset, dataset="=cmd|'/c calc'!A1")])
    assert "\n'=cmd|" in texts["tables.csv"]
    assert r"\input" not in texts["tables.tex"]
    assert "<b>" not in texts["tables.md"].replace(r"\<b", "")
    assert "\n# c" not in texts["tables.md"]


def test_reconstructions_are_marked_in_every_table(study, dataset, monkeypatch):
    entries = {
        "circle": SimpleNamespace(status="reconstruction", reference=""),
        "contrastive": SimpleNamespace(status="variant", reference=""),
    }
    monkeypatch.setattr("realitycheck.losses.menu.entry", entries.get)
    texts = texts_of(study, [dataset])
    assert texts["tables.md"].count("| circle (reconstruction) |") >= 5
    footnote = "neither official code nor a full formula"
    assert footnote in texts["tables.md"]
    assert "circle$^{a}$ & " in texts["tables.tex"] and "$^{a}$ reconstruction" in texts["tables.tex"]
    assert footnote in texts["tables.tex"]
    for name in ("tables.csv", "differences.csv"):
        statuses = {row["loss"]: row["status"] for row in csv.DictReader(io.StringIO(texts[name]))}
        assert statuses["circle"] == "reconstruction"
    body = json.loads(texts["tables.json"])["datasets"][0]
    assert body["rows"][1]["status"] == "reconstruction"
    assert "circle (reconstruction)" in body["answer"]


def test_without_a_reconstruction_there_is_no_footnote(texts):
    assert "reconstruction" not in texts["tables.md"] + texts["tables.tex"]
