"""How far a study is: counts for the display and for `status`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realitycheck.protocol.model import Protocol
from realitycheck.records.evidence import LossEvidence
from realitycheck.runs import Outcome, Replicate


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one loss is on one dataset.

    Args:
        dataset: the dataset's name.
        label: the loss's label.
        search_runs: fold runs of trials done, and planned.
        final_runs: fold and complete runs of replicates done, and planned.
        scores: test scores done, and planned.
        diverged: runs that diverged, of both stages.
        best: the best trial value so far, in [0, 1], or None.
    """

    dataset: str
    label: str
    search_runs: tuple[int, int]
    final_runs: tuple[int, int]
    scores: tuple[int, int]
    diverged: int
    best: float | None

    @property
    def done(self) -> int:
        """Runs done, of both stages."""
        return self.search_runs[0] + self.final_runs[0]

    @property
    def planned(self) -> int:
        """Runs planned, of both stages."""
        return self.search_runs[1] + self.final_runs[1]


def standing(dataset: str, view: LossEvidence, protocol: Protocol) -> Standing:
    """The standing of one loss."""
    folds, seeds, trials = protocol.folds.count, protocol.final.seeds, protocol.search.trials
    runs = [run for each in view.trial_runs for run in each if run is not None]
    finals = [run for each in view.replicates for run in (*each.fold_runs, each.complete_run) if run is not None]
    values = [trial.value for trial in view.trials if trial.value is not None]
    return Standing(
        dataset=dataset,
        label=view.label,
        search_runs=(len(runs), trials * folds),
        final_runs=(len(finals), seeds * (folds + protocol.completes)),
        scores=(_scores(view.replicates), seeds * (protocol.scores_folds + protocol.completes)),
        diverged=sum(run["outcome"] == Outcome.DIVERGED for run in (*runs, *finals)),
        best=max(values, default=None),
    )


def _scores(replicates: Sequence[Replicate]) -> int:
    return sum(score is not None for each in replicates for score in (each.fold_score, each.complete_score))
