"""The printed tables judged again, against a naive loop over scipy and counts made by hand from the printed means."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path

import pytest
from scipy import stats
from typer.testing import CliRunner

from realitycheck.cli.main import app
from realitycheck.errors import InputError
from realitycheck.report.papers import judged_pairs
from realitycheck.report.papers.judged_answer import answers
from realitycheck.report.papers.judged_counts import LUCKS, MEASURED, count_paper
from realitycheck.report.papers.judged_files import judged_texts
from realitycheck.report.papers.judged_paper import judged_paper
from realitycheck.report.papers.paper_files import read_paper
from realitycheck.report.papers.published_tables import FOLDER, published_papers
from realitycheck.statistics.printed_means import PrintedMean
from realitycheck.verbs import report_published

ROOT = Path(__file__).parents[2]
PAPERS = ("musgrave2020", "warped2024")
Z = 1.959963984540054


@pytest.fixture(scope="module")
def judged():
    return {name: judged_paper(name) for name in PAPERS}


@pytest.fixture(scope="module")
def texts(judged):
    return {name: judged_texts(judged[name]) for name in PAPERS}


def lines(texts, name):
    return list(csv.DictReader(texts[name]["tables.csv"].splitlines()))


def counts(judged, name):
    return {count.compared: count for count in judged[name].counts.rows}


def welch_p(line):
    """By scipy, from the printed cells of one line."""
    moments = []
    for side in ("first", "second"):
        n, half = int(line["runs"]), float(line[f"{side}_half_width"])
        moments += [float(line[f"{side}_mean"]), half * math.sqrt(n) / stats.t.ppf(0.975, n - 1), n]
    return stats.ttest_ind_from_stats(*moments, equal_var=False).pvalue


def stepped_down(p_values):
    """Holm's procedure as he wrote it: which hypotheses are rejected at 0.05."""
    rejected = set()
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[place] > 0.05 / (len(p_values) - rank):
            break
        rejected.add(place)
    return rejected


def families(texts):
    """The lines of the judged differences of DeMoor and Prevost, family by family."""
    found: dict[tuple, list] = {}
    for line in lines(texts, "warped2024"):
        leads = line["first"] == "warped_softmax" and line["family"].endswith("warped_softmax")
        key = (line["dataset"], line["category"], line["metric"], line["family"], leads)
        found.setdefault(key, []).append(line)
    return found


def test_every_p_value_is_that_of_scipy_and_holms_procedure(texts):
    assert len(families(texts)) == 27 * 2 + 9  # against ProxyNCA++, of Warped-Softmax, and against Contrastive on CUB
    for members in families(texts).values():
        p_values = [welch_p(line) for line in members]
        rejected = stepped_down(p_values)
        for place, (line, p) in enumerate(zip(members, p_values, strict=True)):
            assert float(line["p"]) == pytest.approx(p, rel=1e-3)
            assert (line["survives"] != "") == (float(line["p_holm"]) < 0.05) == (place in rejected)


def test_the_counts_by_hand(judged):
    """Counted from tables VI to VIII: which printed mean is the highest, and which is above ProxyNCA++."""
    found = counts(judged, "warped2024")
    over, nearest = found["Warped-Softmax above ProxyNCA++"], found["Warped-Softmax above the highest other loss"]
    # Below ProxyNCA++: Cars aggregate MAP@R and RP, SOP complete P@1.
    assert (over.of, over.higher) == (27, 24)
    # Highest: CUB all but complete MAP@R, 8; Cars complete and aggregate P@1, 4; SOP complete MAP@R and RP, 2.
    assert (nearest.of, nearest.higher) == (27, 14)
    assert found["The highest other loss above Warped-Softmax"].higher == 13
    assert found["Warped-Softmax above Contrastive"].of == 9


def test_counts_are_those_of_a_loop_over_the_lines(judged, texts):
    over = counts(judged, "warped2024")["Warped-Softmax above ProxyNCA++"]
    own = [
        line
        for line in lines(texts, "warped2024")
        if line["first"] == "warped_softmax" and line["family"] == f"{line['family'][0]} with proxy_nca_pp"
    ]
    assert len(own) == over.of
    above = [line for line in own if float(line["difference"]) > 0]
    assert over.alone == sum(welch_p(line) < 0.05 for line in above)
    assert over.holm == sum(line["survives"] != "" for line in above)
    for luck in LUCKS:
        assert over.surviving[luck] == sum(float(line["survives"] or -1) >= luck for line in above)


@pytest.mark.parametrize("place", [0, 12, 40])
def test_a_difference_is_significant_at_every_luck_up_to_the_one_it_survives(texts, place):
    """At each deviation, Holm's procedure on p-values with that variance, with degrees of freedom worked out here."""
    members, edge = list(families(texts).values())[place], stats.t.ppf(0.975, 9)
    for luck in [step / 20 for step in range(40)]:
        p_values = []
        for line in members:
            errors = [float(line[f"{side}_half_width"]) / edge for side in ("first", "second")]
            variance = sum(error**2 for error in errors) + 2 * luck**2
            freedom = variance**2 / sum(error**4 / 9 for error in errors)
            gap = float(line["first_mean"]) - float(line["second_mean"])
            p_values.append(2 * stats.t.sf(abs(gap) / math.sqrt(variance), freedom))
        rejected = stepped_down(p_values)
        for number, line in enumerate(members):
            assert (number in rejected) == (line["survives"] != "" and luck <= float(line["survives"]))


def test_without_half_widths_there_is_an_upper_bound_alone(judged, texts):
    found = lines(texts, "musgrave2020")
    assert {line["upper_bound"] for line in found} == {"yes"}
    assert {line["p"] + line["p_holm"] + line["detectable"] for line in found} == {""}
    assert all(count.alone is count.holm is None for count in judged["musgrave2020"].counts.rows)
    # No difference can survive more than that of a single test: |d| / (z · √2).
    for line in found:
        assert float(line["survives"]) <= abs(float(line["difference"])) / (Z * math.sqrt(2)) + 1e-3
    assert not any("pretrained" in (line["first"], line["second"]) for line in found)


def test_the_smallest_of_a_column_by_hand(texts):
    """CUB ensemble MAP@R: 26.70 of CosFace is 0.17 above 26.53 of Contrastive, and the last but two of thirteen."""
    (line,) = (
        line
        for line in lines(texts, "musgrave2020")
        if (line["dataset"], line["category"], line["metric"]) == ("cub200", "ensemble", "map_at_r")
        and (line["first"], line["second"]) == ("triplet", "contrastive")
    )
    # 23.69 − 26.53 = −2.84 is fifth of the thirteen by size (3.44, 3.00, 2.84, 2.82, ...), behind two and ahead of ten.
    thresholds = {rank: stats.norm.isf(0.025 / (13 - rank)) for rank in range(13)}
    assert float(line["survives"]) == pytest.approx(2.84 / (thresholds[2] * math.sqrt(2)), rel=1e-3)


def test_the_claim_is_compared_with_the_count(judged, tmp_path):
    assert "as the paper states" in answers(judged["warped2024"])[0]
    text = (FOLDER / "warped2024.yaml").read_text()
    for old, code in (("over: proxy_nca_pp", "over"), ("own: warped_softmax", "own")):
        path = tmp_path / "paper.yaml"
        path.write_text(text.replace(old, f"{code}: nobody"))
        with pytest.raises(InputError, match=rf"line \d+  judged.{'claim' if code == 'over' else code}"):
            read_paper(path)


def test_the_measured_deviations_are_those_of_the_measurement():
    rows = json.loads((ROOT / "docs" / "measured" / "searches" / "rows.json").read_text())
    measured = {
        f"{row['loss']} by {row['sampler']}": round(row["complete"]["search"], 2)
        for row in rows
        if row["select"] == "best" and row["rate"] is None and row["trials"] == 25
    }
    assert {loss: luck for luck, loss in MEASURED.items()}.items() <= measured.items()


@pytest.mark.parametrize("name", PAPERS)
def test_the_committed_tables_are_those_of_the_file(judged, texts, name):
    folder = ROOT / "reports" / f"published_{name}"
    for file in ("tables.md", "tables.csv"):
        assert (folder / file).read_text(encoding="utf-8") == texts[name][file], f"`realitycheck published {name}`"
    assert json.loads((folder / "tables.json").read_text())["answers"] == list(answers(judged[name]))


@pytest.mark.parametrize("name", PAPERS)
def test_the_page_has_every_table_and_needs_no_server(texts, name):
    page = texts[name]["index.html"]
    assert not re.findall(r'(?:src|href)="https?:', page)
    for dataset in published_papers()[name].tables:
        assert f'id="{dataset}"' in page


def test_the_files_are_written_and_an_unknown_paper_is_refused(tmp_path):
    written = report_published("musgrave2020", tmp_path / "page")
    assert {path.name for path in written} >= {"index.html", "tables.md", "tables.csv", "tables.json", "luck.svg"}
    assert all(path.stat().st_size for path in written)
    with pytest.raises(InputError, match="warped2024") as error:
        report_published("warped2023", tmp_path)
    assert [problem.code for problem in error.value.problems] == ["paper-unpublished"]


def test_the_command_prints_the_counts_of_a_paper(judged):
    done = CliRunner().invoke(app, ["published", "warped2024"])
    assert done.exit_code == 0
    assert all(sentence in done.stdout for sentence in answers(judged["warped2024"]))
    over = counts(judged, "warped2024")["Warped-Softmax above ProxyNCA++"]
    assert re.search(rf"{over.of} +{over.higher} +{over.alone} +{over.holm} ", done.stdout)


PAGE = " ".join((ROOT / "docs" / "published.md").read_text(encoding="utf-8").split())


def test_the_docs_state_the_counts(judged):
    found = counts(judged, "warped2024")
    over, every = found["Warped-Softmax above ProxyNCA++"], found["Warped-Softmax above every other loss"]
    below = found["The highest other loss above Warped-Softmax"]
    nearest = found["Warped-Softmax above the highest other loss"]
    lucks = [f"{over.surviving[luck]} at {luck:g}" for luck in (0.25, 0.5, 1.0)]
    assert f"{over.higher} of {over.of}" in PAGE
    assert f"{over.holm} are significant after Holm's correction" in PAGE
    assert f"{', '.join(lucks)} and none at 1.5 points" in PAGE and over.surviving[1.5] == 0
    assert f"highest of {nearest.higher} columns, significantly above the next in {nearest.holm}" in PAGE
    assert f"above all others in {every.holm}" in PAGE
    assert f"in {below.holm} another loss is significantly above it" in PAGE
    lucks = [f"{every.surviving[luck]} at {luck:g}" for luck in (0.25, 0.5)]
    assert f"{', '.join(lucks)} and none at 1 or 1.5 points" in PAGE and not every.surviving[1.0]


def test_the_docs_state_what_intervals_of_the_normal_distribution_would_change(judged, monkeypatch):
    """Their half-width is z · se in place of t · se, so the same print means a larger standard error."""
    before = judged["warped2024"].counts

    def wide(cell, n):
        mean, half = cell
        return PrintedMean(mean / 100, half / 100 * stats.t.ppf(0.975, 9) / Z, n, 0.95)

    monkeypatch.setattr(judged_pairs, "printed_mean", wide)
    paper = published_papers()["warped2024"]
    after = count_paper(paper, judged_pairs.judge_paper(paper))
    changed = f"{after.against[1].holm} and {after.every.holm} are significant in place of"
    assert f"{changed} {before.against[1].holm} and {before.every.holm}, and the counts with luck" in PAGE
    for old, new in zip(before.rows, after.rows, strict=True):
        assert new.surviving == old.surviving


def test_the_docs_state_the_bounds(judged):
    found = counts(judged, "musgrave2020")
    sides = [found["A loss above Contrastive"], found["A loss below Contrastive"]]
    at_most = ", ".join(f"{sum(side.surviving[luck] for side in sides)} at {luck:g}" for luck in (0.25, 0.5, 1.0))
    assert f"Of {sides[0].of} differences from the contrastive loss, at most {at_most} and none at 1.5" in PAGE
