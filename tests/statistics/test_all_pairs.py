"""All pairs and rank intervals against Tukey's test, a naive loop and simulation."""

import itertools

import numpy as np
import pytest
from scipy import stats

from realitycheck.statistics import all_pairs as module
from realitycheck.statistics.all_pairs import LossPair, all_pairs
from realitycheck.statistics.base import Fit, LossScores, MeanEstimate
from realitycheck.statistics.estimators import estimator
from realitycheck.statistics.rank_correlation import spearman
from realitycheck.statistics.rank_intervals import RankInterval, rank_intervals


class Independent(Fit):
    """Means of independent groups with one pooled variance, as in a one-way analysis of variance."""

    def __init__(self, groups):
        self.groups = groups
        self.freedom = sum(len(group) - 1 for group in groups.values())
        spread = sum(((group - group.mean()) ** 2).sum() for group in groups.values())
        self.variance = spread / self.freedom

    def loss(self, label):
        return self.difference(label, label)

    def difference(self, label, other):
        one, two = self.groups[label], self.groups[other]
        error = np.sqrt(self.variance * (1 / len(one) + 1 / len(two)))
        return MeanEstimate(one.mean() - two.mean(), error, self.freedom, n=len(one), method="pooled", over="items")

    def above(self, label, untrained):
        return None


def groups(seed, *, count, size, effects=None):
    rng = np.random.default_rng(seed)
    effects = effects if effects is not None else rng.normal(0, 0.8, count)
    return {f"g{number}": rng.normal(effect, 1.0, size) for number, effect in enumerate(effects)}


def compared(fit, labels, **options):
    return all_pairs(fit, labels, level=0.95, undecided=(), rng=np.random.default_rng(0), **options)


def test_the_first_step_and_the_intervals_equal_tukeys_test():
    drawn = groups(1, count=5, size=6)
    pairs = compared(Independent(drawn), list(drawn))
    theirs = stats.tukey_hsd(*drawn.values())
    ends = theirs.confidence_interval(0.95)
    for pair, (i, j) in zip(pairs, itertools.combinations(range(5), 2), strict=True):
        # The 95 % point of the largest |t| of 20,000 draws has a standard error of about 0.5 %.
        width = (ends.high[i, j] - ends.low[i, j]) / 2
        assert (pair.low, pair.high) == pytest.approx((ends.low[i, j], ends.high[i, j]), abs=0.02 * width)
        assert pair.p_stepdown <= theirs.pvalue[i, j] + 0.008
    strongest = min(pairs, key=lambda pair: pair.p)
    i, j = int(strongest.label[1:]), int(strongest.other[1:])
    se = np.sqrt(theirs.pvalue[i, j] * (1 - theirs.pvalue[i, j]) / module.DRAWS)
    assert strongest.p_stepdown == pytest.approx(theirs.pvalue[i, j], abs=4 * se + 2 / module.DRAWS)


def test_steps_equal_a_naive_loop():
    rng = np.random.default_rng(2)
    observed, drawn = rng.normal(0, 1, 6), rng.normal(0, 1, (500, 6))
    observed[:2], drawn[:, 0] = (3.0, -2.9), 3 * drawn[:, 0]  # without the first the second would have a smaller p
    hypotheses = [(pair, sign) for pair in range(6) for sign in (1, -1)]
    left, raw, largest = list(hypotheses), {}, 0.0
    while left:
        pair, sign = max(left, key=lambda one: one[1] * observed[one[0]])
        value = sign * observed[pair]
        if value <= 0:
            break
        exceed = sum(max(s * row[p] for p, s in left) >= value for row in drawn)
        largest = max(largest, (1 + exceed) / 501)
        raw[pair] = largest
        left.remove((pair, sign))
    assert module._step_down(observed, drawn) == pytest.approx([raw[pair] for pair in range(6)])


def test_pairs_of_an_estimator_with_one_variance_equal_the_studentised_range():
    rng = np.random.default_rng(3)
    scores = {f"l{number}": LossScores(list(rng.normal(number / 50, 0.02, 10))) for number in range(5)}
    fit = estimator("searches_pooled", level=0.95, searches=2).fit(scores, losses=5)
    pairs = compared(fit, list(scores))
    estimate = fit.difference("l0", "l4")
    strongest = min(pairs, key=lambda pair: pair.p)
    largest = abs(fit.difference(strongest.label, strongest.other).mean / estimate.error)
    expected = stats.studentized_range.sf(largest * np.sqrt(2), 5, estimate.freedom)
    assert strongest.p_stepdown == pytest.approx(expected, abs=4 * np.sqrt(expected / module.DRAWS) + 1e-4)


def test_two_losses_paired_by_seed_equal_the_paired_t_test():
    rng = np.random.default_rng(4)
    one, two = rng.normal(0.012, 0.02, 10), rng.normal(0, 0.02, 10)
    scores = {"a": LossScores(list(one)), "b": LossScores(list(two))}
    fit = estimator("student_t", level=0.95, searches=1).fit(scores, losses=2)
    (pair,) = compared(fit, ["a", "b"])
    expected = stats.ttest_rel(one, two).pvalue
    assert pair.p == pytest.approx(expected)
    assert pair.p_stepdown == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / module.DRAWS))


def test_losses_without_verdict_or_estimate_are_left_out():
    scores = {label: LossScores([0.1, 0.2]) for label in "abc"} | {"d": LossScores([None, None])}
    fit = estimator("student_t", level=0.95, searches=1).fit(scores, losses=4)
    pairs = all_pairs(fit, list("abcd"), level=0.95, undecided={"b"}, rng=np.random.default_rng(0))
    assert [(pair.label, pair.other) for pair in pairs] == [("a", "c")]
    assert (pairs[0].mean, pairs[0].p_stepdown) == (0, 1)  # identical scores
    assert all_pairs(fit, ["a"], level=0.95, undecided=(), rng=np.random.default_rng(0)) == []


def test_ranks_by_hand():
    def pair(label, other, mean, p):
        return LossPair(label, other, mean, mean - 1, mean + 1, p, p)

    pairs = [pair("a", "b", 1.0, 0.01), pair("a", "c", 0.5, 0.2), pair("b", "c", -2.0, 0.001)]
    assert rank_intervals(["a", "b", "c", "d"], pairs, level=0.95) == [
        RankInterval("a", 1, 3),
        RankInterval("b", 3, 4),
        RankInterval("c", 1, 3),
        RankInterval("d", 1, 4),  # without any pair
    ]


@pytest.mark.parametrize("spread", [0.0, 0.7], ids=["equal losses", "unequal losses"])
def test_all_ranks_hold_together(monkeypatch, spread):
    """400 studies of five losses: fails only if the 99 % Clopper–Pearson interval lies wholly below 95 %."""
    monkeypatch.setattr(module, "DRAWS", 4_000)
    effects = [spread * number for number in (0, 0, 1, 2, 2)]
    sets = [(1 + sum(e > own for e in effects), 5 - sum(e < own for e in effects)) for own in effects]
    held = 0
    for seed in range(400):
        drawn = groups(seed, count=5, size=6, effects=effects)
        ranks = rank_intervals(list(drawn), compared(Independent(drawn), list(drawn)), level=0.95)
        # Equal losses share ranks: each of them must be within the interval.
        held += all(rank.best <= low and high <= rank.worst for rank, (low, high) in zip(ranks, sets, strict=True))
    assert stats.binomtest(held, 400).proportion_ci(0.99).high >= 0.95


def test_spearman_by_hand():
    # Ranks 1 2 3 4 5 against 2 1 4 3 5: d² sums to 4, so 1 − 6 · 4 / (5 · 24) = 0.8.
    assert spearman([1, 2, 3, 4, 5], [20, 10, 40, 30, 50]) == pytest.approx(0.8)
    assert spearman([1, 2], [1, 2]) is None
    assert spearman([1, 2, 3], [4, 4, 4]) is None


def test_false_signs_of_paired_scores_with_unequal_variances(monkeypatch):
    """400 studies of six equal losses that share seeds: fails only if the 99 % interval is wholly above 6 %."""
    monkeypatch.setattr(module, "DRAWS", 4_000)
    rng, wrong = np.random.default_rng(7), 0
    for _ in range(400):
        shared = rng.normal(0, 0.02, 10)
        scores = {f"l{n}": LossScores(list(shared + rng.normal(0, 0.005 * (n + 1), 10))) for n in range(6)}
        fit = estimator("student_t", level=0.95, searches=1).fit(scores, losses=6)
        wrong += any(pair.p_stepdown < 0.05 for pair in compared(fit, list(scores)))
    assert stats.binomtest(wrong, 400).proportion_ci(0.99).low <= 0.06
