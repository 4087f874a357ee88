"""Student's t over replicates: the interval of the published tables."""

from __future__ import annotations

import math

from scipy import integrate, special, stats

from realitycheck.statistics.base import Estimator, ReplicateScores, differences, present
from realitycheck.statistics.intervals import Interval, mean_of, standard_error, t_interval

ONE_SEARCH = (
    "Intervals cover retraining noise under fresh seeds at the chosen settings, on this split and these "
    "classes; not the luck of the search, not new classes."
)

SEVERAL_SEARCHES = (
    "Intervals treat the replicates of the {searches} searches of a loss as independent, although those of one search "
    "share its setting, so they may be too narrow. They hold for this split and these classes, not for new classes."
)


class StudentT(Estimator):
    """Paired and one-sample Student's t over all replicates, as if no two shared a search.

    Source: Student (1908), "The probable error of a mean", Biometrika 6:1-25.
    """

    method = "student_t"

    def interval(self, scores: ReplicateScores) -> Interval | None:
        """Return the t interval of the mean; None with fewer than two scores."""
        known = present(scores)
        return t_interval(known, level=self.level, over=self.over) if len(known) > 1 else None

    def difference(self, scores: ReplicateScores, baseline: ReplicateScores) -> Interval | None:
        """Return the paired t interval; None with fewer than two common replicates."""
        return self.interval(differences(scores, baseline))

    def p_value(self, scores: ReplicateScores, baseline: ReplicateScores) -> float:
        """Return the two-sided p-value of the paired t test; 1 with fewer than two common replicates."""
        known = present(differences(scores, baseline))
        if len(known) < 2:
            return 1.0
        mean, error = mean_of(known), standard_error(known)
        if error == 0:
            return 0.0 if mean else 1.0
        return float(2 * stats.t.sf(abs(mean) / error, len(known) - 1))

    def power(self, effect: float, *, replicates: int, alpha: float) -> float:
        """Return the power of a two-sided paired t test at level `alpha`.

        Source: Cohen (1988), Statistical Power Analysis. The noncentral t distribution is computed as a normal mean
        integrated over a chi-distributed standard deviation, because `scipy.stats.nct` returns NaN at few replicates.
        """
        freedom, shift = replicates - 1, effect * math.sqrt(replicates)
        edge = float(stats.t.isf(alpha / 2, freedom))
        log_constant = math.log(2) + freedom / 2 * math.log(freedom / 2) - math.lgamma(freedom / 2)

        def rejects(s: float) -> float:
            conditional = special.ndtr(shift - edge * s) + special.ndtr(-shift - edge * s)
            density = math.exp(log_constant + (freedom - 1) * math.log(s) - freedom * s * s / 2)
            return float(conditional) * density

        low, high = (math.sqrt(float(stats.chi2.ppf(u, freedom)) / freedom) for u in (1e-12, 1 - 1e-12))
        step = min(max(shift / edge, low), high)
        return float(sum(integrate.quad(rejects, *part, limit=200)[0] for part in ((low, step), (step, high))))

    def smallest_p(self, *, replicates: int) -> float:
        """Return 0 from two replicates on."""
        return 0.0 if replicates > 1 else 1.0

    @property
    def over(self) -> str:
        """`seeds`, and the searches where a loss has several."""
        return "seeds" if self.searches == 1 else "searches and seeds"

    @property
    def title(self) -> str:
        """`Student's t over seeds`."""
        independent = "" if self.searches == 1 else " of all searches, taken as independent"
        return f"Student's t over seeds{independent}"

    @property
    def covers(self) -> str:
        """Retraining noise, and the luck of the search in part where a loss has several."""
        return ONE_SEARCH if self.searches == 1 else SEVERAL_SEARCHES.format(searches=self.searches)
