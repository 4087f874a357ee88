import itertools
import math

import numpy as np
import pytest
from scipy import stats

from realitycheck.statistics.base import LossScores
from realitycheck.statistics.comparisons import Verdict, compare, correlation, holm
from realitycheck.statistics.estimators import estimator

STUDENT_T = estimator("student_t", level=0.95, searches=1)

BASE = [0.200, 0.204, 0.198, 0.202, 0.201, 0.199, 0.203, 0.197, 0.200, 0.202]
WOBBLE = [0.001, -0.001, 0.002, -0.002, 0.001, -0.001, 0.0, 0.002, -0.001, -0.001]
UNTRAINED = [0.1] * 10


def shifted(by):
    return [base + by + wobble for base, wobble in zip(BASE, WOBBLE, strict=True)]


def judge(family, *, baseline=BASE, untrained=UNTRAINED, pending=(), smallest=0.005):
    actual = compare(
        {label: LossScores(scores) for label, scores in family.items()},
        baseline=LossScores(baseline),
        untrained=untrained,
        pending=pending,
        estimator=STUDENT_T,
        losses=len(family) + 1,
        smallest_difference=smallest,
    )
    return {comparison.label: comparison for comparison in actual}


def test_holm_by_hand():
    # Sorted: 4 · 0.005, 3 · 0.01, 2 · 0.03, then 1 · 0.04 lifted to its forerunner.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_closed_testing_with_bonferroni(seed):
    p = np.random.default_rng(seed).random(6) ** 3
    subsets = [s for size in range(1, 7) for s in itertools.combinations(range(6), size)]
    closed = [max(min(1.0, len(s) * min(p[list(s)])) for s in subsets if i in s) for i in range(6)]
    assert holm(list(p)) == pytest.approx(closed)


def test_correlation():
    assert correlation(BASE, shifted(0.0)) == pytest.approx(np.corrcoef(BASE, shifted(0.0))[0, 1])
    assert correlation([0.1, 0.2], [0.1, 0.2]) is None
    assert correlation([0.1, 0.1, 0.1], [0.1, 0.2, 0.3]) is None


def test_verdicts():
    actual = judge({"up": shifted(0.01), "down": shifted(-0.01), "same": shifted(0.0005)})
    assert {label: comparison.verdict for label, comparison in actual.items()} == {
        "up": Verdict.BETTER,
        "down": Verdict.WORSE,
        "same": Verdict.EQUIVALENT,
    }


def test_the_interval_is_that_of_the_difference():
    low, high = stats.ttest_rel(shifted(0.01), BASE).confidence_interval(0.95)
    actual = judge({"up": shifted(0.01)})["up"]
    assert (actual.interval.low, actual.interval.high) == pytest.approx((low, high))
    assert actual.mean == pytest.approx(0.01)
    assert actual.n == 10


def test_equivalence_by_hand_takes_precedence_and_keeps_the_sign():
    # Mean 0.15, standard error 0.0288675; the 95 % point of t with 3 degrees is 2.353363, so 0.15 ± 0.0679.
    actual = judge({"a": [0.1, 0.2, 0.1, 0.2]}, baseline=[0.0] * 4, untrained=[0.0] * 4, smallest=0.22)["a"]
    assert actual.equivalence.level == pytest.approx(0.90)
    assert actual.equivalence.half_width == pytest.approx(2.353363 * 0.05 / math.sqrt(3), rel=1e-6)
    assert actual.p < 0.05
    assert actual.mean > 0
    assert actual.verdict is Verdict.EQUIVALENT
    tighter = judge({"a": [0.1, 0.2, 0.1, 0.2]}, baseline=[0.0] * 4, untrained=[0.0] * 4, smallest=0.217)["a"]
    assert tighter.verdict is Verdict.BETTER  # 0.15 + 0.0679 = 0.2179 is outside


def test_the_correction_counts_the_whole_family():
    close = [0.1 + value for value in (0.010, 0.018, 0.002, 0.012, 0.002)]
    alone = judge({"close": close}, baseline=[0.1] * 5, untrained=[0.0] * 5, smallest=0.0001)["close"]
    assert 0.025 < alone.p < 0.05
    assert alone.verdict is Verdict.BETTER
    noise = {f"noise{i}": [0.1, 0.1001, 0.0999, 0.1002, 0.0998] for i in range(2)}
    crowd = judge({"close": close, **noise}, baseline=[0.1] * 5, untrained=[0.0] * 5, smallest=0.0001)["close"]
    assert crowd.p_holm == pytest.approx(3 * alone.p)
    assert crowd.verdict is Verdict.UNDECIDED


def test_the_detectable_difference_is_found_in_80_percent_of_simulated_studies():
    """Ten pairs whose differences have a standard deviation of exactly 1 point, in a family of three."""
    rng, scores = np.random.default_rng(8), {}
    for name in "abc":
        draws = rng.standard_normal(10)
        scores[name] = [0.1 + 0.01 * value for value in (draws - draws.mean()) / draws.std(ddof=1)]
    size = judge(scores, baseline=[0.1] * 10, untrained=[0.0] * 10, smallest=0.0001)["a"].detectable
    studies = rng.normal(size, 0.01, (20_000, 10))
    p = stats.ttest_1samp(studies, 0, axis=1).pvalue
    assert np.mean(p < 0.05 / 3) == pytest.approx(0.8, abs=0.015)


def test_without_variation_no_difference_is_detectable():
    alone = judge({"near": [0.2] * 5}, baseline=[0.1] * 5, untrained=[0.0] * 5, smallest=0.0001)["near"]
    assert alone.detectable is None


def test_equivalence_is_corrected_for_the_family():
    near = [base + wobble for base, wobble in zip(BASE, [0.004, -0.002, 0.006, 0.001, 0.005] * 2, strict=True)]
    alone = judge({"near": near})["near"]
    low, high = stats.ttest_rel(near, BASE).confidence_interval(0.9)
    assert low > -0.005 and high < 0.005
    # One-sided, against the nearer bound: t = (0.005 - 0.0028) / (0.0030478 / √10), by hand.
    t = (0.005 - 0.0028) / (np.std(np.subtract(near, BASE), ddof=1) / math.sqrt(10))
    assert alone.p_outside == pytest.approx(stats.t.sf(t, 9))
    assert alone.verdict is Verdict.EQUIVALENT
    far = {f"far{number}": shifted(0.02 * number) for number in range(1, 4)}
    crowd = judge({"near": near, **far})["near"]
    assert crowd.p_outside == pytest.approx(4 * alone.p_outside)
    assert (crowd.verdict is Verdict.EQUIVALENT) == (4 * alone.p_outside < 0.05)


def test_a_loss_with_searches_that_disagree_gets_no_verdict():
    pooled = estimator("searches_pooled", level=0.95, searches=2)
    calm = {f"calm{number}": [0.30 + number / 1000] * 2 + [0.301] * 2 for number in range(7)}
    family = {"wild": [0.2, 0.2, 0.6, 0.6], **calm}
    actual = compare(
        {label: LossScores(scores) for label, scores in family.items()},
        baseline=LossScores([0.1, 0.1, 0.101, 0.101]),
        untrained=[None] * 4,
        pending=(),
        estimator=pooled,
        losses=9,
        smallest_difference=0.001,
    )
    assert [(one.label, one.verdict) for one in actual if one.disagreeing] == [("wild", Verdict.UNDECIDED)]


def test_better_may_not_owe_itself_to_missing_replicates():
    holed = [None, None, *shifted(0.01)[2:]]
    assert judge({"up": holed})["up"].p_holm < 0.001
    assert judge({"up": holed})["up"].verdict is Verdict.UNDECIDED
    harmless = judge({"up": holed}, untrained=[0.209] * 10)["up"]  # replacements that are little lower
    assert harmless.verdict is Verdict.BETTER
    assert harmless.n == 8


def test_worse_may_not_owe_itself_to_the_baselines_missing_replicates():
    down = shifted(-0.01)
    assert judge({"down": [None, *down[1:]]})["down"].verdict is Verdict.WORSE
    assert judge({"down": down}, baseline=[None, None, *BASE[2:]])["down"].verdict is Verdict.UNDECIDED


def test_equivalent_needs_all_replicates_or_harmless_holes():
    assert judge({"same": [None, *shifted(0.0)[1:]]})["same"].verdict is Verdict.UNDECIDED


def test_without_stand_ins_a_hole_forbids_better():
    holed = [None, *shifted(0.01)[1:]]
    assert judge({"up": holed}, untrained=[None] * 10)["up"].verdict is Verdict.UNDECIDED


def test_pending_losses_count_in_the_family_and_get_no_verdict():
    actual = judge({"up": shifted(0.01), "late": shifted(0.02)}, pending={"late"})
    assert actual["late"].verdict is None
    assert actual["late"].p == 1.0
    assert actual["up"].p_holm == pytest.approx(2 * actual["up"].p)


def test_equal_scores_in_every_replicate_are_identical_and_no_finding():
    actual = judge({"twin": list(BASE), "up": shifted(0.01)})
    assert actual["twin"].verdict is Verdict.IDENTICAL
    assert (actual["twin"].p_holm, actual["twin"].mean) == (1.0, 0.0)
    assert actual["up"].verdict is Verdict.BETTER
    one_off = [BASE[0] + 1e-12, *BASE[1:]]
    assert judge({"near": one_off})["near"].verdict is Verdict.EQUIVALENT
    assert judge({"holed": [None, *BASE[1:]]})["holed"].verdict is not Verdict.IDENTICAL


def test_no_score_at_all():
    actual = judge({"lost": [None] * 10})["lost"]
    assert (actual.mean, actual.interval, actual.p, actual.n) == (None, None, 1.0, 0)
    assert actual.verdict is Verdict.UNDECIDED


def test_equal_losses_are_told_apart_no_more_often_than_chance():
    rng = np.random.default_rng(1)
    draws = rng.normal(0.2, 0.004, (200, 4, 10)).tolist()
    wrong = 0
    for base, *others in draws:
        actual = judge({str(i): scores for i, scores in enumerate(others)}, baseline=base, smallest=1e-9)
        wrong += any(comparison.verdict is not Verdict.UNDECIDED for comparison in actual.values())
    assert wrong <= stats.binom.ppf(0.9999, 200, 0.05)
