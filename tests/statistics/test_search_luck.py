"""Estimators over searches against naive loops, statsmodels-free formulas by hand, and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from realitycheck.statistics.base import LossScores
from realitycheck.statistics.estimators import estimator
from realitycheck.statistics.search_means import SearchMeans, between_searches, unusual


def table(rng: np.random.Generator, losses: int, searches: int, share: int) -> dict[str, LossScores]:
    """Random scores, with runners-up."""
    return {
        f"l{number}": LossScores(
            [float(value) for value in rng.normal(number / 10, 0.02, searches * share)],
            tuple(tuple(map(float, rng.normal(number / 10, 0.03, 3))) for _ in range(searches)),
        )
        for number in range(losses)
    }


def naive_means(scores: dict[str, LossScores], searches: int) -> dict[str, list[float]]:
    means = {}
    for label, own in scores.items():
        share = len(own.replicates) // searches
        means[label] = [sum(own.replicates[h * share : (h + 1) * share]) / share for h in range(searches)]
    return means


def naive_seed_variance(scores: dict[str, LossScores], searches: int) -> float:
    squares = freedom = 0.0
    for label, means in naive_means(scores, searches).items():
        share = len(scores[label].replicates) // searches
        for place, value in enumerate(scores[label].replicates):
            squares += (value - means[place // share]) ** 2
        freedom += searches * (share - 1)
    return squares / freedom


@pytest.mark.parametrize(("losses", "searches", "share"), [(6, 2, 5), (4, 3, 4), (12, 2, 2)])
def test_pooled_variances_equal_a_two_way_analysis_by_loops(losses, searches, share):
    scores = table(np.random.default_rng(losses), losses, searches, share)
    means = naive_means(scores, searches)
    centre = {label: sum(own) / searches for label, own in means.items()}
    total = sum((value - centre[label]) ** 2 for label, own in means.items() for value in own)
    columns = [sum(means[label][h] - centre[label] for label in means) / losses for h in range(searches)]
    own = sum((means[label][h] - centre[label] - columns[h]) ** 2 for label in means for h in range(searches))
    found = between_searches(SearchMeans.of(scores, searches=searches).pool)
    assert found.total == pytest.approx(total / (losses * (searches - 1)))
    assert found.own == pytest.approx(own / ((losses - 1) * (searches - 1)))
    shared = losses * sum(column**2 for column in columns) / (searches - 1)  # MS_h: L times the variance of the means
    assert losses * found.total == pytest.approx(shared + (losses - 1) * found.own)
    assert found.freedom == pytest.approx(
        (shared + (losses - 1) * found.own) ** 2
        / (shared**2 / (searches - 1) + (losses - 1) * found.own**2 / (searches - 1))
    )
    assert searches - 1 <= found.freedom <= losses * (searches - 1)


def test_a_difference_by_hand():
    # Means of searches: a 1, 3; b 2, 2; c 4, 6; d 7, 7. Deviations -1 1, 0 0, -1 1, 0 0, shared -.5 .5:
    # residuals are ±.5 in all eight cells, so s_i² = 8 · .25 / 3 = 2/3, and its error √(2/3 · 2 / 2).
    scores = {"a": [1, 3], "b": [2, 2], "c": [4, 6], "d": [7, 7]}
    fit = estimator("searches_pooled", level=0.95, searches=2).fit(
        {label: LossScores([float(value) for value in values]) for label, values in scores.items()}, losses=4
    )
    actual = fit.difference("c", "b")
    assert (actual.mean, actual.error, actual.freedom) == pytest.approx((3.0, math.sqrt(2 / 3), 3))
    half = 3.182446 * math.sqrt(2 / 3)  # the 97.5 % point of t with 3 degrees
    assert actual.interval(0.95).half_width == pytest.approx(half, rel=1e-6)
    assert fit.loss("a").error == pytest.approx(math.sqrt(4 / 4 / 2))  # s_w² = (2 + 2) / 4


def test_few_losses_use_the_total_variance():
    scores = {"a": LossScores([1.0, 3.0]), "b": LossScores([2.0, 2.5])}
    fit = estimator("searches_pooled", level=0.95, searches=2).fit(scores, losses=2)
    total = (2 * 1.0 + 2 * 0.0625) / 2
    assert fit.difference("a", "b").error == pytest.approx(math.sqrt(2 * total / 2))
    assert fit.difference("a", "b").freedom == 2


def test_one_loss_with_three_searches_equals_student_t_over_their_means():
    means = [0.2, 0.24, 0.27]
    fit = estimator("searches_pooled", level=0.95, searches=3).fit({"a": LossScores(means)}, losses=1)
    low, high = stats.t.interval(0.95, 2, loc=np.mean(means), scale=stats.sem(means))
    actual = fit.loss("a").interval(0.95)
    assert (actual.low, actual.high) == pytest.approx((low, high))


def test_a_loss_with_a_missing_replicate_stays_out_of_the_pool():
    rng = np.random.default_rng(3)
    scores = table(rng, 5, 2, 3)
    rule = estimator("searches_pooled", level=0.95, searches=2)
    without = rule.fit(scores, losses=6).difference("l0", "l1")
    holed = LossScores([0.9, None, 0.1, 0.5, 0.4, 0.3])
    fit = rule.fit({**scores, "holed": holed}, losses=6)
    assert fit.difference("l0", "l1") == without
    assert fit.difference("holed", "l1").error == without.error
    assert fit.loss("holed").mean == pytest.approx((0.5 + 0.4) / 2)


def test_against_an_untrained_model_by_hand():
    rng = np.random.default_rng(4)
    scores = table(rng, 5, 2, 5)
    fit = estimator("searches_pooled", level=0.95, searches=2).fit(scores, losses=5)
    base, untrained = fit.loss("l3"), [0.1, 0.12, 0.09, 0.11] + [0.1] * 6
    seeds = np.var(untrained, ddof=1) / 10
    actual = fit.above("l3", untrained)
    assert actual.mean == pytest.approx(base.mean - np.mean(untrained))
    assert actual.error**2 == pytest.approx(base.error**2 + seeds)
    satterthwaite = (base.error**2 + seeds) ** 2 / (base.error**4 / base.freedom + seeds**2 / 9)
    assert actual.freedom == pytest.approx(min(satterthwaite, base.freedom))
    constant = fit.above("l3", [0.1])
    assert (constant.error, constant.freedom) == (base.error, base.freedom)


@pytest.mark.parametrize("method", ["searches_pooled", "searches_calibrated", "runners_up"])
@pytest.mark.parametrize("spread", [0.0, 1e-3, 0.03, 0.3])
def test_a_noisier_untrained_model_never_narrows_an_interval(method, spread):
    """With M = 2 a loss has few degrees of freedom; Satterthwaite's approximation alone would narrow the interval."""
    searches = 1 if method == "runners_up" else 2
    scores = table(np.random.default_rng(6), 4, searches, 10 // searches)
    fit = estimator(method, level=0.95, searches=searches).fit(scores, losses=4)
    untrained = list(0.1 + spread * np.random.default_rng(7).standard_normal(10))
    own, gain = fit.loss("l1").interval(0.95), fit.above("l1", untrained).interval(0.95)
    assert gain.high - gain.low >= (own.high - own.low) * (1 - 1e-12)


@pytest.mark.parametrize(("losses", "searches", "share"), [(6, 2, 5), (3, 3, 4), (12, 2, 5)])
def test_calibrated_equals_a_naive_loop(losses, searches, share):
    scores = table(np.random.default_rng(10 + losses), losses, searches, share)
    seeds, means = naive_seed_variance(scores, searches), naive_means(scores, searches)
    squares = {}
    for label, own in scores.items():
        spreads = []
        for z in own.near_best:
            centre = sum(z) / len(z)
            spreads.append(sum((value - centre) ** 2 for value in z) / len(z) - seeds * (1 - 1 / len(z)))
        squares[label] = max(0.0, sum(spreads) / searches) + seeds / share
    centre = {label: sum(own) / searches for label, own in means.items()}
    kappa = 0.0
    for h in range(searches):
        gaps = {label: means[label][h] - centre[label] for label in means}
        shared = sum(gaps[label] / squares[label] for label in means) / sum(1 / square for square in squares.values())
        shared = shared if losses > 3 else 0.0
        kappa += sum((gaps[label] - shared) ** 2 / squares[label] for label in means)
    freedom = (losses - 1) * (searches - 1) if losses > 3 else losses * (searches - 1)
    kappa /= freedom
    actual = estimator("searches_calibrated", level=0.95, searches=searches).fit(scores, losses=losses)
    difference = actual.difference("l0", "l2")
    expected = math.sqrt(max(1.0, kappa) * (squares["l0"] + squares["l2"]) / searches)
    assert (difference.error, difference.freedom) == pytest.approx((expected, freedom))
    assert bool(actual.warnings) >= (kappa > 3)
    middle = float(np.median(list(squares.values())))
    pair = actual.pair("l0", "l2")
    floored = math.sqrt(max(1.0, kappa) * (max(squares["l0"], middle) + max(squares["l2"], middle)) / searches)
    assert (pair.mean, pair.error, pair.freedom) == pytest.approx((difference.mean, floored, freedom))
    for label in scores:
        own = max(1.0, kappa) * max(squares[label], middle) / searches
        weights = [1 / square for square in squares.values()]
        shared = [
            sum(w * (means[one][h] - centre[one]) for w, one in zip(weights, means, strict=True)) / sum(weights)
            for h in range(searches)
        ]
        common = np.var(shared, ddof=1) / searches if losses > 3 else 0.0
        satterthwaite = (own + common) ** 2 / (own**2 / freedom + common**2 / (searches - 1))
        pooled = between_searches(SearchMeans.of(scores, searches=searches).pool)
        estimate = actual.loss(label)
        assert estimate.error**2 == pytest.approx(own + common)
        assert estimate.freedom == pytest.approx(satterthwaite if losses > 3 else pooled.freedom)


def test_without_scored_runners_up_calibrated_is_pooled():
    scores = {label: LossScores(own.replicates) for label, own in table(np.random.default_rng(5), 5, 2, 3).items()}
    calibrated, pooled = (
        estimator(method, level=0.95, searches=2).fit(scores, losses=5).difference("l0", "l1")
        for method in ("searches_calibrated", "searches_pooled")
    )
    assert calibrated == pooled


def test_runners_up_equal_a_naive_loop():
    scores = table(np.random.default_rng(6), 5, 1, 10)
    seeds = naive_seed_variance(scores, 1)
    spread = {}
    for label, own in scores.items():
        (z,) = own.near_best
        spread[label] = np.var(z) - seeds * (1 - 1 / len(z))
    floor = np.mean(list(spread.values()))
    actual = estimator("runners_up", level=0.95, searches=1).fit(scores, losses=5).difference("l1", "l4")
    square = max(spread["l1"], floor, 0) + max(spread["l4"], floor, 0) + 2 * seeds / 10
    assert (actual.error, actual.freedom) == pytest.approx((math.sqrt(square), 0.5 * 5 * 2))


def test_runners_up_give_no_verdict_below_four_degrees_of_freedom():
    scores = table(np.random.default_rng(7), 3, 1, 10)  # 3 losses · 2 runners-up / 2 = 3
    assert estimator("runners_up", level=0.95, searches=1).fit(scores, losses=3).difference("l0", "l1") is None


def test_cochran_flags_an_outlier_no_more_often_than_its_level():
    rng, flagged, outlier = np.random.default_rng(8), 0, 0
    for _ in range(2000):
        squares = dict(enumerate(rng.chisquare(1, 12)))
        flagged += bool(unusual(squares, searches=2))
        outlier += unusual({**squares, 0: 300.0}, searches=2) == {0}
    assert stats.binom.ppf(1e-4, 2000, 0.035) <= flagged <= stats.binom.ppf(1 - 1e-4, 2000, 0.05)
    assert outlier > 1900
    assert unusual({0: 0.0, 1: 0.0, 2: 0.0, 3: 0.0}, searches=2) == frozenset()
    assert unusual({0: 100.0, 1: 1.0, 2: 1.0}, searches=2) == frozenset()


@pytest.mark.parametrize(("count", "searches"), [(4, 2), (12, 2), (12, 3), (14, 4)])
def test_the_limit_of_cochran_equals_its_form_by_the_f_distribution(count, searches):
    # C = 1 / (1 + (k - 1) / F), with F the upper α / k point ('t Lam 2010, Anal. Chim. Acta 659:68).
    point = stats.f.isf(0.05 / count, searches - 1, (count - 1) * (searches - 1))
    limit = 1 / (1 + (count - 1) / point)
    others = dict.fromkeys(range(1, count), (1 - limit) / (count - 1))
    assert unusual({0: limit - 1e-9, **others}, searches=searches) == frozenset()
    assert unusual({0: limit + 1e-9, **others}, searches=searches) == {0}
