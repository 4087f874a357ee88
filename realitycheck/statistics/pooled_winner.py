"""Student's t over the chosen trial and its replicates: the interval of the original's report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from realitycheck.statistics.base import Design, Estimator, LossScores, MeanEstimate, ReplicateScores
from realitycheck.statistics.student_t import ONE_SEARCH, StudentTFit


@dataclass(frozen=True, slots=True)
class PooledWinnerFit(StudentTFit):
    """Every loss by itself; the models of the chosen trial are one more replicate, paired with those of another."""

    def above(self, label: str, untrained: ReplicateScores) -> MeanEstimate | None:
        """Return the mean of paired differences; no untrained model has the seed of the chosen trial."""
        base = untrained if len(untrained) == 1 else (*untrained, None)
        return StudentTFit.above(self, label, base)


class PooledWinner(Estimator):
    """Student's t over S + 1 runs of one search: the chosen trial, by the models that chose it, and its S replicates.

    So it is in the report of powerful-benchmarker 0.9.33, which collects every run whose name begins with that of the
    best trial, and for 10 reproductions has n = 11. That trial was chosen for its validation score, so its test score
    is a little too high on average. Complete models are no part of a search: for them n is S, as with `student_t`.

    Source: Musgrave, Belongie and Lim (2020), arXiv:2003.08505; commit ac1580a of powerful-benchmarker.
    """

    method = "pooled_winner"

    def fit(self, scores: Mapping[str, LossScores], *, losses: int) -> PooledWinnerFit:
        """Fit every loss by itself; `losses` has no effect."""
        runs = {label: LossScores((*own.replicates, own.winner)) for label, own in scores.items()}
        return PooledWinnerFit(runs, self.over, self.method)

    def design(self, *, replicates: int, losses: int) -> Design:
        """Return one less degree of freedom than replicates, as without the chosen trial; `losses` has no effect."""
        return Design(replicates, max(0, replicates - 1), "a loss's score over seeds")

    @property
    def beside(self) -> str:
        """The estimator that counts the luck of the search."""
        return "runners_up"

    @property
    def needs_agreement(self) -> bool:
        """True."""
        return True

    @property
    def over(self) -> str:
        """`seeds`."""
        return "seeds"

    @property
    def title(self) -> str:
        """`Student's t over the chosen trial and its replicates`."""
        return "Student's t over the chosen trial and its replicates"

    @property
    def covers(self) -> str:
        """Retraining noise."""
        return f"{ONE_SEARCH} The chosen trial counts as one more run, as in the original's report."

    @property
    def of_scores(self) -> str:
        """Which mean an interval is around."""
        return (
            "The mean of a score is that of its replicates; its ± is that of the replicates and of the chosen trial, "
            "which complete models do not have."
        )
