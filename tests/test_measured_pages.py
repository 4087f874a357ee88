"""Measured numbers of the docs are those of the committed files, and follow from one another."""

from __future__ import annotations

import itertools
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy import stats

from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal, of_type
from realitycheck.trunks import bn_inception, efficientnet_lite0, resnet50
from realitycheck.trunks.convention import IMAGENET

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
from bench_coordinator import JOBS
from calibrate_verdicts import table

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def page(name: str) -> str:
    return " ".join((DOCS / name).read_text(encoding="utf-8").split())


def calibration() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS / "measured" / "calibration.json").read_text(encoding="utf-8"))
    return found


def test_the_table_of_the_calibration_is_that_of_its_file():
    lines = table(calibration()["rows"], labels=4)
    text = (DOCS / "statistics.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2 + 3 * 6
    assert [line for line in lines if line not in text] == []


def test_what_is_said_of_the_searches_of_the_calibration():
    text, found = page("statistics.md"), calibration()
    first, second = (found["means"][loss] for loss in ("contrastive", "normalized_softmax"))
    one, other = (sorted(mean for part in means for mean in part) for means in (first, second))
    assert len(one) == len(other) == 20
    assert f"contrastive between {one[0]:.1f} and {one[-1]:.1f} points" in text
    assert f"(standard deviation {stats.tvar(one) ** 0.5:.1f}), those of normalized_softmax" in text
    assert f"between {other[0]:.1f} and {other[-1]:.1f} ({stats.tvar(other) ** 0.5:.1f})" in text
    tests = [stats.f_oneway(*means) for means in (first, second)]
    shown = ", and ".join(f"F {test.statistic:.1f}, p {test.pvalue:.3f}" for test in tests)
    assert f"(analysis of variance: {shown})" in text
    within = [(sum(4 * stats.tvar(part) for part in means) / 16) ** 0.5 for means in (first, second)]
    assert f"differ by {within[0]:.1f} and {within[1]:.1f} points" in text
    near = [found["near_best"][loss] for loss in ("contrastive", "normalized_softmax")]
    assert f"by {near[1]:.1f} points (standard deviation), searches of one partition by {within[1]:.1f}" in text
    assert f"For contrastive these are {near[0]:.1f} and {within[0]:.1f} points" in text


def test_six_searches_of_the_calibration_are_those_of_another_study():
    both = [Ledger(ROOT / "studies" / name).records for name in ("grocery_calibration", "grocery_frozen")]
    first, second = ({one.id for one in of_type(records.values(), Proposal)} for records in both)
    assert len(first) == 2 * 20 * 25
    assert len(first & second) == 2 * 3 * 25


def test_what_is_said_of_the_rates_of_the_calibration():
    text, known = page("statistics.md"), calibration()["rows"]
    pairs = [
        100 * row["false_family"]["rate"]
        for row in known
        if row["method"] == "student_t" and row["labels"] == 2 and row["kind"] != "both"
    ]
    assert f"different in {min(pairs):.0f} and {max(pairs):.0f} % of pairs" in text
    several = [100 * row["false_family"]["rate"] for row in known if row["searches"] > 1]
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    ends = [mean for part in calibration()["means"]["contrastive"] for mean in part]
    assert f"Searches of contrastive end between {min(ends):.0f} and {max(ends):.0f} points" in readme
    assert "the rules for several searches in fewer than 6 %" in readme
    assert max(several) < 6 and min(pairs) > 100 / 3
    rest = [row["false_family"] for row in known if row["method"] != "student_t" and row["labels"] == 4]
    assert max(row["rate"] for row in rest) < 0.05
    assert f"Their intervals reach up to {100 * max(row['high'] for row in rest):.0f} %" in text
    report = json.loads((ROOT / "reports" / "grocery_calibration" / "tables.json").read_text(encoding="utf-8"))
    apart = [pair["p_stepdown"] for pair in report["datasets"][0]["ranks"]["pairs"]]
    assert f"none of its {len(apart)} pairs of labels differs (lowest p {min(apart):.2f})" in text


def rates(method: str, name: str, **wanted: Any) -> list[float]:
    """One rate of the simulated studies, in percent, over the rows that are wanted."""
    file = DOCS / "measured" / "error_rates.json"
    simulated = json.loads(file.read_text(encoding="utf-8"))["rows"]
    known = [row for row in simulated if row["method"] == method and row.get(name)]
    return [100 * row[name]["rate"] for row in known if all(row[key] in value for key, value in wanted.items())]


def test_what_is_said_of_simulated_error_rates():
    text = page("statistics.md")
    lucky = {"losses": (12,), "lucky": (1, 2, 3, 4)}
    errs, covers = (rates("searches_pooled", name, **lucky) for name in ("false_family", "covered_much"))
    assert f"errs in {min(errs):.1f} to {max(errs):.1f} % of studies over all designs" in text
    assert f"these losses cover {min(covers):.0f} to {max(covers):.0f} %" in text
    few = [
        rate
        for name in ("covered_little", "covered_much")
        for rate in rates("searches_calibrated", name, losses=(2, 3, 4))
    ]
    assert f"`searches_calibrated` covers {min(few):.1f} to {max(few):.0f} %" in text
    (alone,) = rates(
        "student_t", "false_family", losses=(12,), design=("1 × 50, r = 10",), lucky=(0,), model=("settings",)
    )
    assert f"twelve equal losses in {alone:.0f} % of studies" in text


def test_the_coordinator_and_the_work_of_two_searches():
    text = page("scaling.md")
    assert f"carries {JOBS} more jobs on" in text
    curve = json.loads((DOCS / "measured" / "workers.json").read_text(encoding="utf-8"))["curve"]
    hours = {row["searches"]: row["hours"]["1"] for row in curve if row["round"] == 1}
    assert f"Two searches a loss are {hours[2] / hours[1]:.2f} times the work" in text


def test_sizes_and_days_on_a_gpu():
    text = page("gpu.md")
    for name, dataset in (("CUB", "cub200"), ("SOP", "sop")):
        assert f"pixels of {name} at 256 pixels, uint8 | {DATASETS[dataset].images * 3 * 256**2 / 1e9:.1f} GB" in text
    low, high = map(int, re.search(r"240 trainings \| (\d+) to (\d+) GPU-hours", text).groups())
    assert f"14 losses on CUB | {14 * low / 24:.1f} to {14 * high / 24:.1f} days" in text


def test_a_ratio_of_performance_is_that_of_its_times():
    """Times are rounded, so the ratio is between those of the ends of their roundings."""
    lines = [line.split("|")[1:-1] for line in (DOCS / "performance.md").read_text(encoding="utf-8").splitlines()]
    known = [cells for cells in lines if len(cells) == 5 and re.fullmatch(r" \d\.\d\d ", cells[3])]
    assert len(known) >= 5
    for _, ours, beside, ratio, _ in known:
        (first, digits), (second, others) = (re.findall(r"(\d+(\.\d+)?) s", text)[-1] for text in (ours, beside))
        halves = [0.5 * 10.0 ** -max(0, len(part) - 1) for part in (digits, others)]
        low = (float(first) - halves[0]) / (float(second) + halves[1])
        high = (float(first) + halves[0]) / (float(second) - halves[1])
        assert low - 0.005 <= float(ratio) <= high + 0.005, (ours, beside, ratio)


def test_every_row_of_a_dated_table_has_its_date_and_commit():
    dated, heads = 0, []
    for line in (DOCS / "reliability.md").read_text(encoding="utf-8").splitlines():
        cells = [part.strip() for part in line.split("|")[1:-1]]
        heads = (heads or cells) if cells else []
        if {"date", "commit"} <= set(heads) and cells != heads and not re.fullmatch(r"[-:| ]*", line):
            own = dict(zip(heads, cells, strict=True))
            dated += 1
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", own["date"]), line
            assert re.fullmatch(r"[0-9a-f]{7}", own["commit"]), line
    assert dated >= 15


def test_what_is_said_of_the_study_of_groceries():
    text = page("statistics.md")
    report = json.loads((ROOT / "reports" / "grocery_frozen" / "tables.json").read_text(encoding="utf-8"))
    (dataset,) = report["datasets"]
    trunk = dataset["against_untrained"]["gains"]["untrained trunk"]
    assert {one["verdict"] for one in (*dataset["comparisons"], *trunk)} == {"undecided"}
    assert (len(trunk), report["searches_per_loss"]) == (13, 3)
    says = "Under these rules the twelve losses and MagFace were searched three times each: [no difference was found]"
    assert says in text
    assert "from contrastive or from the untrained trunk" in text


def exceeding(n: int, bound: float) -> float:
    """The share of rank orders of n with an absolute Spearman correlation above a bound: all, or 20,000 drawn ones."""
    draw = np.random.default_rng(n)
    orders = itertools.permutations(range(n)) if n <= 8 else (draw.permutation(n) for _ in range(20_000))
    squares = np.array([sum((place - rank) ** 2 for place, rank in enumerate(order)) for order in orders])
    whole = n * (n * n - 1)
    return float((abs(whole - 6 * squares) > bound * whole + 1e-9).mean())


def test_how_often_unrelated_ranks_correlate():
    """With four losses in a third of studies or more, and the numbers that the page gives."""
    text = page("statistics.md")
    assert exceeding(4, 0.6) >= 1 / 3
    twelve, five, ten = (100 * exceeding(n, 0.6) for n in (12, 5, 10))
    assert f"Of twelve unrelated losses |ρ| exceeds 0.6 in {twelve:.0f} % of studies, of five in {five:.0f} %" in text
    assert (
        f"Of ten unrelated searches |ρ| exceeds 0.6 in {ten:.0f} % of studies, of 39 in fewer than one of 10,000"
        in text
    )
    assert 2 * stats.t.sf(0.6 * (37 / (1 - 0.36)) ** 0.5, 37) < 1e-4


def test_the_table_of_trunks_is_that_of_their_code():
    """Numbers of features, and the channel means of what they take."""
    text = page("trunks.md")
    known = {
        "bn_inception": (bn_inception.OUTPUT, bn_inception.CONVENTION),
        "resnet50": (resnet50.OUTPUT, IMAGENET),
        "efficientnet_lite0": (efficientnet_lite0.LAST, efficientnet_lite0.CONVENTION),
    }
    for name, (features, convention) in known.items():
        (line,) = re.findall(rf"\| `{name}` \| (\d+) \| ([^|]*) \|", text)
        assert int(line[0]) == features
        assert line[1].startswith(f"{convention.order}, 0 to {convention.top:g}, mean ")
        mean, _, deviation = line[1].strip().partition("mean ")[2].partition(", standard deviation ")
        assert {float(part) for part in mean.split(", ")} == set(convention.mean)
        assert {float(part) for part in (deviation or "1").split(", ")} == set(convention.std)


@pytest.mark.parametrize("path", sorted((ROOT / "protocols").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_readme_has_every_protocol_with_its_trainings(path):
    """Trainings of a loss: trials of all folds, and replicates of all folds with a complete run where there is one."""
    protocol = yaml.safe_load(path.read_text(encoding="utf-8"))
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith("| `") and f"`{path.stem}`" in line.split("|")[1]]
    search, folds, seeds = protocol["search"], protocol["folds"]["count"], protocol["final"]["seeds"]
    total = search.get("searches", 1) * search["trials"] * folds + seeds * (
        folds + ("complete" in protocol["categories"])
    )
    if said := re.search(r"\((\d+) trainings", line):
        assert int(said[1]) == total
