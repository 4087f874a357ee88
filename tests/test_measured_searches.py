"""What docs/searches.md says of the luck of searches follows from the committed measurements."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SEARCHES = DOCS / "measured" / "searches"


def page(name: str) -> str:
    return " ".join((DOCS / name).read_text(encoding="utf-8").split())


def rows() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((SEARCHES / "rows.json").read_text(encoding="utf-8"))
    return found


def cell(loss: str, sampler: str, select: str = "best", *, rate: float | None = None, trials: int = 25) -> Any:
    wanted = {"loss": loss, "sampler": sampler, "select": select, "rate": rate, "trials": trials}
    return next(row for row in rows() if {name: row[name] for name in wanted} == wanted)


def on_test(loss: str, sampler: str, **which: Any) -> list[float]:
    found: list[float] = cell(loss, sampler, **which)["complete"]["means"]
    return found


def f_test(first: list[float], second: list[float]) -> float:
    """Two-sided p of equal variances."""
    ratio, freedom = stats.tvar(first) / stats.tvar(second), (len(first) - 1, len(second) - 1)
    return 2 * min(stats.f.sf(ratio, *freedom), stats.f.cdf(ratio, *freedom))


def test_the_tables_of_searches_are_those_of_the_measurement():
    lines = [line for line in (SEARCHES / "table.md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    text = (DOCS / "searches.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 8
    assert [line for line in lines if line not in text] == []


def test_a_cell_of_searches_has_the_trainings_that_its_page_says():
    """800 fold runs of eight searches of 25 trials, and 16 replicates of four fold runs and a complete one."""
    with gzip.open(SEARCHES / "grocery-contrastive-gp_guarded" / "attempts.jsonl.gz", "rt", encoding="utf-8") as file:
        notes = [json.loads(line) for line in file]
    done = [one for one in notes if one["kind"] == "done" and re.search(r", (fold \d|complete)", one.get("title", ""))]
    assert len(done) == 8 * 25 * 4 + 16 * 5 == 880
    assert "from 880 trainings a cell of 25 trials" in page("searches.md")


def test_what_is_said_of_the_luck_of_searches():
    gp, other = cell("contrastive", "gp")["complete"], cell("nt_xent", "gp")["complete"]
    ratio = stats.tvar(gp["means"]) / stats.tvar(other["means"])
    text = page("searches.md")
    assert f"losses is {ratio:.0f} by `gp` (F test, p {2 * stats.f.sf(ratio, 7, 7):.3f})" in text
    tpe, sums = cell("nt_xent", "tpe")["complete"], []
    assert f"search sd of {other['search']:.2f} by `gp`, and of {tpe['search']:.2f} by `tpe`" in text
    for loss in ("contrastive", "nt_xent"):
        sums.append(sum(stats.tvar(on_test(loss, name)) for name in ("gp", "tpe")))
    both = sums[0] / sums[1]
    assert f"and {both:.1f} over both samplers together (p {2 * stats.f.sf(both, 14, 14):.3f})" in text
    unlike = f_test(tpe["means"], other["means"])
    times = stats.tvar(tpe["means"]) / stats.tvar(other["means"])
    assert f"the variance by `tpe` is {times:.1f} times that by `gp` (F test, p {unlike:.2f})" in text
    gap, welch = tpe["mean"] - other["mean"], stats.ttest_ind(tpe["means"], other["means"], equal_var=False).pvalue
    assert f"the mean test score {gap:.2f} points higher (Welch's test, p {welch:.2f})" in text
    assert f"end between {min(gp['means']):.2f} and {max(gp['means']):.2f} points" in text


def test_what_is_said_of_validation():
    best = [row["validation"]["means"] for row in rows() if row["select"] == "best"]
    ranges, text = [max(means) - min(means) for means in best], page("searches.md")
    assert f"The ranges of validation, {min(ranges):.1f} to {max(ranges):.1f} points" in text
    alike = [stats.pearsonr(one, other).statistic for one, other in itertools.combinations(best, 2)]
    assert f"any two cells correlate by {min(alike):.2f} to {max(alike):.2f}" in text
    table = (SEARCHES / "table.md").read_text(encoding="utf-8").split("| loss | searches |")[1]
    found = sorted(float(line.split("|")[3]) for line in table.splitlines() if "|" in line and line[-3].isdigit())
    assert f"is between {found[0]:.2f} and {found[-1]:.2f}".replace("-", "−") in text


SAMPLERS = ("gp", "gp_guarded", "tpe", "qmc", "random")


def test_what_is_said_of_samplers():
    every, text = {name: on_test("contrastive", name) for name in SAMPLERS}, page("searches.md")
    means = sorted(np.mean(one) for one in every.values())
    assert f"between {means[0]:.2f} and {means[-1]:.2f} (analysis of variance" in text
    assert f"(analysis of variance, p {stats.f_oneway(*every.values()).pvalue:.2f})" in text
    spread = sorted(cell("contrastive", name)["complete"]["search"] for name in SAMPLERS)
    assert f"between {spread[0]:.2f} and {spread[-1]:.2f} (Bartlett's test, p " in text
    assert f"(Bartlett's test, p {stats.bartlett(*every.values()).pvalue:.2f})" in text
    scores = {name: cell("contrastive", name)["validation"]["means"] for name in SAMPLERS}
    less = {name: np.mean(np.subtract(scores["gp"], own)) for name, own in scores.items()}
    p = {name: stats.ttest_rel(scores["gp"], own).pvalue for name, own in scores.items() if name != "gp"}
    assert f"by {less['random']:.2f} and {less['qmc']:.2f} points (paired t tests over the partitions" in text
    assert f"p {p['random']:.3f} and {p['qmc']:.3f})" in text
    assert min(p["tpe"], p["gp_guarded"]) > 0.2
    gap, guarded = np.mean(np.subtract(every["gp_guarded"], every["gp"])), f_test(every["gp_guarded"], every["gp"])
    assert f"mean test score {gap:.2f} points higher" in text
    welch = stats.ttest_ind(every["gp_guarded"], every["gp"], equal_var=False).pvalue
    assert f"(F test of variances, p {guarded:.2f}; Welch's test of means, p {welch:.2f})" in text


def test_what_is_said_of_more_trials():
    few, (more, most) = cell("contrastive", "gp"), (cell("contrastive", "gp", trials=trials) for trials in (50, 100))
    text = page("searches.md")

    def both(shown: str, values: list[float]) -> str:
        return f"{values[0]:{shown}} and {values[1]:{shown}}"

    p = [f_test(one["complete"]["means"], few["complete"]["means"]) for one in (more, most)]
    sds = [one["complete"]["search"] for one in (more, most)]
    assert f"have a search sd of {both('.2f', sds)} (F tests, p {both('.2f', p)})" in text
    sentences = {
        "validation": "{} points higher than after 25 trials (paired t tests, p {})",
        "complete": "their test scores {} (p {})",
    }
    for part, sentence in sentences.items():
        pairs = [(one[part]["means"], few[part]["means"]) for one in (more, most)]
        gaps = [float(np.mean(np.subtract(*pair))) for pair in pairs]
        p = [stats.ttest_rel(*pair).pvalue for pair in pairs]
        assert sentence.format(both(".2f", gaps), both(".2f", p)) in text


def test_what_is_said_of_one_rate_for_all():
    fixed = {loss: on_test(loss, "gp", rate=3e-4) for loss in ("contrastive", "nt_xent")}
    searched = {loss: on_test(loss, "gp") for loss in fixed}
    sd = {loss: cell(loss, "gp", rate=3e-4)["complete"]["search"] for loss in fixed}
    pooled = np.mean([stats.tvar(on_test("contrastive", name)) for name in SAMPLERS])
    less, text = pooled / stats.tvar(fixed["contrastive"]), page("searches.md")
    assert f"search sd of {sd['contrastive']:.2f}. The variance" in text
    assert f"is {less:.1f} times as large (F test, p {2 * stats.f.sf(less, 35, 7):.2f})" in text
    more = stats.tvar(fixed["nt_xent"]) / stats.tvar(searched["nt_xent"])
    assert (
        f"`nt_xent` have {sd['nt_xent']:.2f}, with a variance {more:.1f} times as large as with a searched rate" in text
    )
    assert f"(F test, p {f_test(fixed['nt_xent'], searched['nt_xent']):.2f})" in text
    gaps = [np.mean(np.subtract(searched[loss], fixed[loss])) for loss in fixed]
    p = [stats.ttest_ind(searched[loss], fixed[loss], equal_var=False).pvalue for loss in fixed]
    assert f"{gaps[0]:.2f} and {gaps[1]:.2f} points lower than by `gp` with a searched rate" in text
    assert f"(Welch's tests, p {p[0]:.2f} and {p[1]:.2f})" in text


def test_what_is_said_of_the_chosen_rate():
    cells, text = [cell("contrastive", name) for name in SAMPLERS], page("searches.md")
    rates = [rate for one in cells for rate in one["rates"]]
    found = stats.spearmanr(rates, [value for one in cells for value in one["complete"]["means"]])
    assert len(rates) == 40
    assert f"and the test score is {found.statistic:.2f} (p {found.pvalue:.0e})".replace("-0", "−0", 1) in text
    mildest = cell("nt_xent", "gp")["rates"]
    assert f"chose rates between {min(mildest):.1e} and {max(mildest):.1e}".replace("e-0", "e-") in text
    assert f"rates between {min(rates):.1e} and {max(rates):.1e}".replace("e-0", "e-") in text


def ends_of(study: str, labels: set[str]) -> tuple[list[float], float]:
    """Points of every search of these labels, over its seeds, and the pooled standard deviation of one seed."""
    with (ROOT / "reports" / study / "seeds.csv").open(encoding="utf-8", newline="") as file:
        trained = [row for row in csv.DictReader(file) if row["trained"] == "yes" and row["loss"] in labels]
    found: dict[tuple[str, str], list[float]] = {}
    for row in trained:
        found.setdefault((row["loss"], row["search"]), []).append(float(row["complete-512 MAP@R"]))
    assert {len(own) for own in found.values()} == {5}
    return [float(np.mean(own)) for own in found.values()], np.mean([stats.tvar(own) for own in found.values()]) ** 0.5


def test_what_is_said_of_searches_on_sketches():
    ends, seed = ends_of("placebo_searches", {"first", "second", "third", "fourth"})
    between, text = stats.tvar(ends) ** 0.5, page("searches.md")
    assert len(ends) == 8
    assert f"They end between {min(ends):.2f} and {max(ends):.2f} points. The sd between their means is " in text
    assert f"between their means is {between:.3f}. That of one seed is {seed:.3f}" in text
    assert (
        f"seeds alone explain {seed / 5**0.5:.3f}, and the search sd is {(between**2 - seed**2 / 5) ** 0.5:.3f}" in text
    )
    names = {"normalized_softmax", "proxy_nca_pp", "cosface", "arcface", "soft_triple"}
    ends, seed = ends_of("five_names", names)
    assert len(ends) == 10
    assert f"means of {stats.tvar(ends) ** 0.5:.3f}, and seeds alone explain {seed / 5**0.5:.3f}." in text


def test_what_is_said_of_a_loss_with_seven_knobs():
    many, few, three = (cell(loss, "gp")["complete"]["means"] for loss in ("soft_triple", "nt_xent", "contrastive"))
    ratio, other = stats.tvar(many) / stats.tvar(few), stats.tvar(three) / stats.tvar(many)
    text, ends = page("searches.md"), sorted(many)
    assert f"variances {ratio:.1f}, F test, p {2 * stats.f.sf(ratio, 7, 7):.3f})" in text
    assert f"with three (p {2 * stats.f.sf(other, 7, 7):.2f})" in text
    assert f"ends at {ends[0]:.2f}, the others between {ends[1]:.2f} and {ends[-1]:.2f}" in text
    rate = stats.spearmanr(cell("soft_triple", "gp")["rates"], many)
    assert f"of `soft_triple` {rate.statistic:.2f} (p {rate.pvalue:.2f})".replace("-", "−") in text
