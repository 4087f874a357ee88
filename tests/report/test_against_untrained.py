"""The section that asks whether training helped."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import asdict, replace

from made_records import with_search
from pages import findings_of, markdown_row, markdown_section, texts_of
from pytest import approx
from scipy import stats

from realitycheck.report import helped
from realitycheck.report.sections import against_untrained
from realitycheck.report.writers.json_tables import json_of
from realitycheck.report.writers.latex_table import latex_table
from realitycheck.report.writers.markdown_text import markdown
from realitycheck.runs import Stage
from realitycheck.statistics.comparisons import Reason, Verdict
from realitycheck.statistics.untrained import Gain
from realitycheck.verify.checks import Checks
from realitycheck.verify.printed import latex_tables, markdown_tables
from realitycheck.verify.table_check import check_tables
from realitycheck.verify.wanted_scores import gain_table


def found(study, dataset):
    (findings,) = findings_of(study, [dataset]).datasets
    return findings, helped.find(findings)


def test_every_untrained_row_is_compared_with_every_loss(study, dataset):
    findings, facts = found(study, dataset)
    assert list(facts.gains) == ["untrained embedder", "untrained trunk"]
    column = (findings.study.category, findings.study.metric)
    embedder = findings.untrained[0].cell(*column).values
    for row, gain in zip(findings.rows, facts.gains["untrained embedder"], strict=True):
        low, high = stats.ttest_rel(row.cell(*column).values, embedder).confidence_interval(0.95)
        assert abs(gain.interval.low - low) < 1e-12 and abs(gain.interval.high - high) < 1e-12
    better = sum(gain.verdict is Verdict.BETTER for gain in facts.gains["untrained embedder"])
    assert facts.answer.startswith(f"{better} of 3 losses are better than the untrained embedder")


def test_the_corrected_p_value_is_in_the_table_the_csv_and_the_json(study, dataset):
    """Holm's correction by hand: sorted p-values times the number that is left, and never below the one before."""
    findings, _ = found(study, dataset)
    column = (findings.study.category, findings.study.metric)
    embedder = findings.untrained[0].cell(*column).values
    raw = {row.label: stats.ttest_rel(row.cell(*column).values, embedder).pvalue for row in findings.rows}
    first, second, third = sorted(raw, key=raw.get)
    wanted = {first: min(1, 3 * raw[first])}
    wanted[second] = max(wanted[first], min(1, 2 * raw[second]))
    wanted[third] = max(wanted[second], raw[third])
    texts = texts_of(study, [dataset])
    gains = json.loads(texts["tables.json"])["datasets"][0]["against_untrained"]["gains"]["untrained embedder"]
    assert {gain["label"]: gain["p_holm"] for gain in gains} == approx(wanted)
    lines = [line for line in csv.DictReader(io.StringIO(texts["untrained.csv"])) if "embedder" in line["untrained"]]
    assert {line["loss"]: float(line["p_holm"]) for line in lines} == approx(wanted, rel=1e-3)
    assert [line["verdict"] for line in lines] == [gain["verdict"] for gain in gains]
    section = markdown_section(texts["tables.md"], "Did training help?")
    for label, p in wanted.items():
        assert markdown_row(section, label)[4] == ("< 0.001" if p < 0.001 else f"{p:.3f}")


def test_runs_whose_initial_weights_were_best_are_counted_and_said(study, dataset, edit):
    def spoiled(loss):
        def run_of(run):
            first = replace(run.curve[0], scores={**run.curve[0].scores, "map_at_r": 0.99})
            return replace(run, curve=(first, *run.curve[1:]))

        replicates = tuple(
            replace(replicate, fold_runs=tuple(map(run_of, replicate.fold_runs))) for replicate in loss.replicates
        )
        return with_search(loss, replicates=replicates)

    _, before = found(study, dataset)
    findings, after = found(study, edit(dataset, circle=spoiled))
    runs = sum(run.best is not None for run in findings.evidence.losses[1].runs(Stage.FINAL))
    assert before.first_best["circle"][1] == 0
    assert after.first_best["circle"] == (runs, runs)
    assert "circle" in after.answer.rsplit(".", 2)[-2]


def test_without_scores_of_untrained_models_the_section_is_absent(study, dataset):
    findings, facts = found(study, replace(dataset, untrained=()))
    assert facts is None
    assert findings.answer


def test_without_scores_of_runners_up_students_t_gives_no_verdict(study, dataset, edit):
    def alone(loss):
        return replace(loss, searches=tuple(replace(search, near_best=()) for search in loss.searches))

    findings, facts = found(study, edit(dataset, contrastive=alone, circle=alone, soft_triple=alone))
    assert findings.study.estimator.needs_agreement
    gained = [gain for of_row in facts.gains.values() for gain in of_row]
    assert {gain.verdict for gain in gained} == {Verdict.UNDECIDED}
    assert all(gain.interval is not None for gain in gained)


def test_means_that_are_all_lower_than_the_untrained_model_are_said_to_be():
    gained = [Gain(label, mean, None, 1.0, Verdict.UNDECIDED) for label, mean in (("a", -0.0123), ("b", -0.1))]
    assert "1.23 to 10.00 points" in helped.lower_means(gained)
    for other in (replace(gained[0], mean=0.001), replace(gained[0], mean=None)):
        assert helped.lower_means([*gained, other]) == ""
    assert helped.lower_means(gained[:1]) == ""  # of one loss its difference is said anyway


def test_the_first_latex_table_compares_with_untrained_models(study, dataset):
    text = texts_of(study, [dataset])["tables.tex"]
    first = text.split(r"\end{table*}")[0]
    assert r"\label{tab:margins-cub200-untrained}" in first
    _, facts = found(study, dataset)
    heads = re.findall(r"multicolumn\{4\}\{c\}\{(.*?)\}", first)
    assert heads == list(facts.gains)
    for place, gain in enumerate(facts.gains["untrained trunk"]):
        line = next(line for line in first.splitlines() if line.startswith(gain.label.replace("_", r"\_")))
        cells = [cell.strip(" \\").replace("$-$", "-") for cell in line.split("&")]
        assert cells[5] == gain.verdict
        assert float(cells[6]) == approx(100 * gain.mean, abs=0.0051)
        runs, best = list(facts.first_best.values())[place]
        assert cells[9] == f"{best} of {runs}"


def test_a_verdict_with_a_reason_holds_under_verify_wherever_it_is_printed(study, dataset):
    """On the page the reason is in the cell, in LaTeX it is below the table."""
    findings, facts = found(study, dataset)
    gains = {
        row: tuple(replace(gain, verdict=Verdict.UNDECIDED, reason=Reason.OTHERS_DISAGREE) for gain in gained)
        for row, gained in facts.gains.items()
    }
    facts = replace(facts, gains=gains)
    (paper,) = against_untrained.SECTION.latex(findings, facts)
    texts = {True: markdown(against_untrained.blocks(findings, facts)), False: latex_table(paper)}
    assert Reason.OTHERS_DISAGREE in texts[False].split(r"\end{tabular}")[1]
    rows = [
        {"label": row.label, "status": row.status, "exploratory": row.exploratory, "late": row.late, "constant": False}
        for row in findings.rows
    ]
    own = {"rows": rows, "against_untrained": json.loads(json_of(asdict(facts)))}
    for reasons, printed in ((True, markdown_tables(texts[True])), (False, latex_tables(texts[False]))):
        checks = Checks()
        check_tables(gain_table({"level": 0.95}, own, reasons=reasons), printed, "a file", checks)
        assert checks.problems == []
        assert checks.counted["cells of a file"] == 3 * 10
