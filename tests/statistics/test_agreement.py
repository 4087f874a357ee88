"""Verdicts of Student's t where the luck of the search is counted, is not, or is not known."""

from __future__ import annotations

import pytest
from scipy import optimize, stats

from realitycheck.statistics.agreement import agreed, found_by_both
from realitycheck.statistics.base import LossScores
from realitycheck.statistics.comparisons import Reason, Verdict, compare
from realitycheck.statistics.estimators import estimator
from realitycheck.statistics.untrained import gains

# Ten replicates with a standard deviation of 0.001 and a mean difference of 0.01.
STEPS = [0.001 * step for step in (-1, 1, -1, 1, -1, 1, -1, 1, -1, 1)]


def scores(mean, *near, shift=1):
    return LossScores([mean + shift * step for step in STEPS], (near,) if near else ())


def compared(method, family, baseline, *, smallest=0.002, level=0.95):
    return compare(
        family,
        baseline=baseline,
        untrained=[0.1] * 10,
        pending=(),
        estimator=estimator(method, level=level, searches=1),
        losses=1 + len(family),
        smallest_difference=smallest,
    )


def judged(family, baseline, **options):
    student = estimator("student_t", level=0.95, searches=1)
    assert student.needs_agreement
    own, others = (compared(method, family, baseline, **options) for method in (student.method, student.beside))
    return own, agreed(own, others)


CALM = (0.0, 0.0005, -0.0005, 0.0005, -0.0005)
"""Differences of near-best settings within the noise of the seeds."""

WILD = (0.0, 0.03, -0.03, 0.02, -0.02)
"""Differences of several points: with se² of at least 0.00052 · 2, the difference of 0.01 is less than one of se."""


def near(mean, steps):
    return tuple(mean + step for step in steps)


def test_a_verdict_stays_where_the_runners_up_are_alike():
    alone, together = judged({"a": scores(0.21, *near(0.21, CALM), shift=-1)}, scores(0.20, *near(0.20, CALM)))
    assert [one.verdict for one in alone] == [one.verdict for one in together] == [Verdict.BETTER]
    assert together[0].reason is None


@pytest.mark.parametrize(("mean", "verdict"), [(0.21, Verdict.BETTER), (0.19, Verdict.WORSE)])
def test_it_falls_where_the_runners_up_differ_more(mean, verdict):
    alone, together = judged({"a": scores(mean, *near(mean, WILD), shift=-1)}, scores(0.20, *near(0.20, WILD)))
    assert alone[0].verdict is verdict
    assert (together[0].verdict, together[0].reason) == (Verdict.UNDECIDED, Reason.OTHERS_DISAGREE)
    assert together[0].interval == alone[0].interval


def test_equivalence_falls_with_it():
    alone, together = judged(
        {"a": scores(0.2, *near(0.2, WILD), shift=-1)}, scores(0.2, *near(0.2, WILD)), smallest=0.005
    )
    assert alone[0].verdict is Verdict.EQUIVALENT
    assert (together[0].verdict, together[0].reason) == (Verdict.UNDECIDED, Reason.OTHERS_DISAGREE)


def test_without_scored_runners_up_nothing_is_decided():
    alone, together = judged({"a": scores(0.21, shift=-1)}, scores(0.20))
    assert alone[0].verdict is Verdict.BETTER
    assert (together[0].verdict, together[0].reason) == (Verdict.UNDECIDED, Reason.LUCK_NOT_MEASURED)


def test_too_few_runners_up_measure_nothing():
    """Two losses with two near-best settings each have 0.5 · 2 = 1 degree of freedom; four are needed."""
    two = CALM[:2]
    _, together = judged({"a": scores(0.21, *near(0.21, two), shift=-1)}, scores(0.20, *near(0.20, two)))
    assert (together[0].verdict, together[0].reason) == (Verdict.UNDECIDED, Reason.LUCK_NOT_MEASURED)


def test_what_is_undecided_or_pending_has_no_reason():
    alone, together = judged({"a": scores(0.2001, shift=-1)}, scores(0.20), smallest=0.0001)
    assert alone == together
    assert (together[0].verdict, together[0].reason) == (Verdict.UNDECIDED, None)


@pytest.mark.parametrize(
    ("method", "searches", "beside", "needed"),
    [
        ("student_t", 1, "runners_up", True),
        ("student_t", 2, "searches_calibrated", True),
        ("pooled_winner", 1, "runners_up", True),
        ("class_bootstrap", 1, "runners_up", True),
        ("class_bootstrap", 2, None, False),
        ("searches_calibrated", 2, "searches_pooled", False),
        ("searches_pooled", 2, None, False),
        ("runners_up", 1, None, False),
    ],
)
def test_who_stands_beside_whom(method, searches, beside, needed):
    rule = estimator(method, level=0.95, searches=searches)
    assert (rule.beside, rule.needs_agreement) == (beside, needed)


def gained(losses):
    """Gains over an untrained model at 0.20 by Student's t, before and after the runners-up are asked."""

    def by(method):
        rule = estimator(method, level=0.95, searches=1)
        return gains(losses, untrained=[0.2] * 10, pending={"late"}, estimator=rule)

    return by("student_t"), agreed(by("student_t"), by("runners_up"))


@pytest.mark.parametrize(
    ("label", "near_best", "mean", "alone", "together"),
    [
        ("calm", CALM, 0.21, Verdict.BETTER, Verdict.BETTER),
        ("wild", WILD, 0.21, Verdict.BETTER, Verdict.UNDECIDED),
        ("unscored", (), 0.21, Verdict.BETTER, Verdict.UNDECIDED),
        ("equal", CALM, 0.20, Verdict.UNDECIDED, Verdict.UNDECIDED),
        ("late", CALM, 0.21, None, None),
    ],
)
def test_a_gain_counts_only_where_the_near_best_settings_give_it_too(label, near_best, mean, alone, together):
    own = scores(mean, *near(mean, near_best)) if near_best else scores(mean)
    (first, _), (second, _) = gained({label: own, "other": own})  # two losses: below 4 degrees there is no verdict
    assert (first.verdict, second.verdict) == (alone, together)
    assert second.interval == first.interval


def both_ways(near_best):
    """Comparisons by Student's t and by the runners-up, and the two together, from both sides."""
    family, baseline = {"a": scores(0.21, *near_best, shift=-1)}, scores(0.20, *near_best)
    (alone,), (other,) = (compared(method, family, baseline) for method in ("student_t", "runners_up"))
    return alone, other, [*found_by_both([alone], [other]), *found_by_both([other], [alone])]


def test_what_can_be_found_is_what_both_estimators_find():
    """Four degrees of freedom, half of the eight runners-up; the noncentral t is that of scipy."""
    alone, other, together = both_ways(near(0.20, WILD))
    edge = stats.t.ppf(0.975, 4)
    shift = optimize.brentq(lambda x: stats.nct.sf(edge, 4, x) - 0.8, 1, 8)
    wanted = shift * (other.interval.high - other.interval.low) / 2 / edge
    assert [one.detectable for one in together] == [pytest.approx(wanted, rel=1e-6)] * 2
    assert alone.detectable < wanted / 4


def test_nothing_can_be_found_where_no_runners_up_are_scored():
    alone, other, together = both_ways(())
    assert alone.detectable is not None
    assert other.detectable is None
    assert [one.detectable for one in together] == [None, None]
