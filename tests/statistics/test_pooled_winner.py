"""The interval of the original's report: the chosen trial is one more run."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from realitycheck.statistics.agreement import agreed
from realitycheck.statistics.base import LossScores
from realitycheck.statistics.comparisons import Reason, Verdict, compare
from realitycheck.statistics.estimators import estimator

RULE = estimator("pooled_winner", level=0.95, searches=1)


def fit(**scores):
    return RULE.fit(scores, losses=len(scores))


def test_ten_reproductions_are_eleven_runs():
    """As the original computes it: scipy.stats.t.interval of all runs, with n − 1 degrees of freedom."""
    replicates, winner = [20.1, 20.4, 19.8, 20.0, 20.3, 20.2, 19.9, 20.5, 20.0, 19.7], 20.9
    found = fit(a=LossScores(replicates, winner=winner)).loss("a").interval(0.95)
    runs = [*replicates, winner]
    low, high = stats.t.interval(0.95, 10, loc=sum(runs) / 11, scale=stats.sem(runs))
    assert (found.low, found.high, found.n, found.method) == (
        pytest.approx(low),
        pytest.approx(high),
        11,
        "pooled_winner",
    )


def test_by_hand():
    """1, 2 and 3, the last by the chosen trial: mean 2, standard error 1 / √3, two degrees of freedom."""
    estimate = fit(a=LossScores([1.0, 2.0], winner=3.0)).loss("a")
    assert (estimate.mean, estimate.error, estimate.freedom) == (2.0, pytest.approx(1 / math.sqrt(3)), 2)


def test_differences_are_paired_and_the_chosen_trials_are_a_pair():
    """1 − 0, 2 − 0 and 6 − 0: mean 3, variance 7."""
    both = fit(a=LossScores([1.0, 2.0], winner=6.0), b=LossScores([0.0, 0.0], winner=0.0)).difference("a", "b")
    assert (both.mean, both.error, both.n) == (3.0, pytest.approx(math.sqrt(7 / 3)), 3)
    one = fit(a=LossScores([1.0, 2.0], winner=6.0), b=LossScores([0.0, 0.0])).difference("a", "b")
    assert (one.mean, one.n) == (1.5, 2)


@pytest.mark.parametrize(("untrained", "n"), [([0.5, 0.25], 2), ([0.5], 3)])
def test_no_untrained_model_has_the_seed_of_the_chosen_trial(untrained, n):
    assert fit(a=LossScores([1.0, 2.0], winner=3.0)).above("a", untrained).n == n


def test_without_the_score_of_the_chosen_trial_it_is_students_t():
    scores = {"a": LossScores([1.0, 2.0, 4.0])}
    plain = estimator("student_t", level=0.95, searches=1).fit(scores, losses=1).loss("a")
    own = RULE.fit(scores, losses=1).loss("a")
    assert (own.mean, own.error, own.freedom, own.n) == (plain.mean, plain.error, plain.freedom, plain.n)


def test_a_verdict_needs_the_runners_up():
    shape = (0.001, -0.001, 0.0005, -0.0005)
    family = {"a": LossScores([0.21 + gap for gap in shape], winner=0.21)}
    baseline = LossScores([0.20 - gap for gap in shape], winner=0.20)

    def by(method):
        return compare(
            family,
            baseline=baseline,
            untrained=[0.1] * 4,
            pending=(),
            estimator=estimator(method, level=0.95, searches=1),
            losses=2,
            smallest_difference=0.0001,
        )

    assert by("pooled_winner")[0].verdict is Verdict.BETTER
    (together,) = agreed(by("pooled_winner"), by(RULE.beside))
    assert RULE.needs_agreement
    assert (together.verdict, together.reason) == (Verdict.UNDECIDED, Reason.LUCK_NOT_MEASURED)


def test_it_takes_one_search():
    with pytest.raises(ValueError, match="takes 1"):
        estimator("pooled_winner", level=0.95, searches=2)
