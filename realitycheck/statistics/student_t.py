"""Student's t over replicates: the interval of the published tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from realitycheck.statistics.base import Design, Estimator, Fit, LossScores, MeanEstimate, differences, present
from realitycheck.statistics.base import ReplicateScores as Scores
from realitycheck.statistics.intervals import mean_of, standard_error

ONE_SEARCH = (
    "Intervals cover the noise of retraining with fresh seeds at the chosen settings, on this split and these "
    "classes. They do not cover the luck of the search, nor new classes."
)

SEVERAL_SEARCHES = (
    "Intervals treat the replicates of the {searches} searches of a loss as independent, although those of one search "
    "share its setting, so they may be too narrow. They hold for this split and these classes, not for new classes."
)


@dataclass(frozen=True, slots=True)
class StudentTFit(Fit):
    """Every loss by itself, and every difference paired by replicate."""

    scores: Mapping[str, LossScores]
    over: str
    method: str

    def loss(self, label: str) -> MeanEstimate | None:
        """Return the mean over replicates; None with fewer than two scores."""
        return self._of(present(self.scores[label].replicates))

    def difference(self, label: str, other: str) -> MeanEstimate | None:
        """Return the mean of paired differences; None with fewer than two common replicates."""
        pair = self.scores[label].replicates, self.scores[other].replicates
        return self._of(present(differences(*pair)))

    def above(self, label: str, untrained: Scores) -> MeanEstimate | None:
        """Return the mean of paired differences from the untrained scores, or from the single one."""
        scores = self.scores[label].replicates
        base = list(untrained) * len(scores) if len(untrained) == 1 else untrained
        return self._of(present(differences(scores, base)))

    @property
    def own_variances(self) -> bool:
        """True: each pair of losses has differences of its own."""
        return True

    def _of(self, values: Sequence[float]) -> MeanEstimate | None:
        n = len(values)
        if n < 2:
            return None
        return MeanEstimate(mean_of(values), standard_error(values), n - 1, n=n, method=self.method, over=self.over)


class StudentT(Estimator):
    """Paired and one-sample Student's t over all replicates, as if no two shared a search.

    Source: Student (1908), "The probable error of a mean", Biometrika 6:1-25.
    """

    method = "student_t"

    def fit(self, scores: Mapping[str, LossScores], *, losses: int) -> StudentTFit:
        """Fit every loss by itself; `losses` has no effect."""
        return StudentTFit(scores, self.over, self.method)

    def design(self, *, replicates: int, losses: int) -> Design:
        """Return one less degree of freedom than replicates; `losses` has no effect."""
        return Design(replicates, max(0, replicates - 1), "a loss's score over seeds")

    @property
    def beside(self) -> str:
        """The estimator that counts the luck of one search, or of several."""
        return "runners_up" if self.searches == 1 else "searches_calibrated"

    @property
    def needs_agreement(self) -> bool:
        """True."""
        return True

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
