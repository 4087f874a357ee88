"""How far a study is: counts for the live view and for `status`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from realitycheck.plan.searches import trained_evaluations
from realitycheck.protocol.model import Protocol
from realitycheck.records.evidence import LossEvidence, SearchEvidence
from realitycheck.runs import Stage


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one search of one loss is on one dataset, with the replicates of its setting.

    Args:
        dataset: the dataset's name.
        label: the loss's label.
        search: which of the loss's searches, from 0.
        searches: how many there are.
        swept_runs: runs of sweeps done, and planned at most; those of a loss are counted at its first search.
        search_runs: fold runs of trials done, and planned.
        final_runs: fold and complete runs of replicates, of the published setting too where it has a row, and complete
            runs of runners-up done, and planned; the number of runners-up is the largest one until they are decided.
        scores: test scores done, and planned.
        diverged: runs that diverged, of both stages.
        best: the best trial value so far, in [0, 1], or None.
        all_diverged: whether every trial diverged, so that no setting can be retrained.
        raised: how many runs an exception of the loss ended, and the first of them in a line; empty where none did.
        failed: the traceback for which the search was set aside, or empty.
    """

    dataset: str
    label: str
    search: int
    searches: int
    search_runs: tuple[int, int]
    final_runs: tuple[int, int]
    scores: tuple[int, int]
    diverged: int
    best: float | None
    swept_runs: tuple[int, int] = (0, 0)
    all_diverged: bool = False
    raised: str = ""
    failed: str = ""

    @property
    def name(self) -> str:
        """`dataset/label`, with the search's number from 1 where there are several: `cub200/triplet/2`."""
        return f"{self.dataset}/{self.label}" + (f"/{self.search + 1}" if self.searches > 1 else "")

    @property
    def done(self) -> int:
        """Runs done, of both stages and of sweeps."""
        return self.search_runs[0] + self.final_runs[0] + self.swept_runs[0]

    @property
    def planned(self) -> int:
        """Runs planned, of both stages and of sweeps."""
        return self.search_runs[1] + self.final_runs[1] + self.swept_runs[1]


class Standings:
    """The standings of a study at work: that of a search is counted again only where its evidence is another one."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, int], tuple[SearchEvidence, Standing]] = {}

    def of(self, dataset: str, losses: Iterable[LossEvidence], protocol: Protocol) -> list[Standing]:
        """The standings of all searches on one dataset."""
        return [self._of_search(dataset, loss, search, protocol) for loss in losses for search in loss.searches]

    def _of_search(self, dataset: str, loss: LossEvidence, search: SearchEvidence, protocol: Protocol) -> Standing:
        key = (dataset, loss.label, search.number)
        if key not in self._known or self._known[key][0] is not search:
            self._known[key] = (search, _standing(dataset, loss, search, protocol))
        return self._known[key][1]


def with_swept(standings: Iterable[Standing], swept: Mapping[str, tuple[int, int]]) -> list[Standing]:
    """Standings of a dataset with the runs of sweeps, given by the label of a loss."""
    return [
        replace(one, swept_runs=swept[one.label]) if one.search == 0 and one.label in swept else one
        for one in standings
    ]


def loss_standings(dataset: str, loss: LossEvidence, protocol: Protocol) -> tuple[Standing, ...]:
    """The standing of each search of one loss."""
    return tuple(_standing(dataset, loss, search, protocol) for search in loss.searches)


def _standing(dataset: str, loss: LossEvidence, search: SearchEvidence, protocol: Protocol) -> Standing:
    searches, folds = protocol.search.searches, protocol.folds.count
    settings, near = 1 + bool(search.default), _near_best(search, protocol)
    seeds = protocol.final.seeds // searches * settings
    trials = list(search.runs(Stage.SEARCH))
    finals = [*search.runs(Stage.FINAL), *search.runners_up_runs, *(run for one in search.default for run in one.runs)]
    values = [trial.value for trial in search.trials if trial.value is not None]
    return Standing(
        dataset=dataset,
        label=loss.label,
        search=search.number,
        searches=searches,
        search_runs=(len(trials), protocol.search.trials * folds),
        final_runs=(len(finals), seeds * (folds + protocol.completes) + near * protocol.completes),
        scores=(_scores(search), _scores_planned(protocol, seeds=seeds, near=near)),
        diverged=sum({run.id: run.diverged for run in (*trials, *finals)}.values()),
        best=max(values, default=None),
        all_diverged=search.all_trials_diverged,
        raised=_raised(search),
        failed=search.failed.traceback if search.failed else "",
    )


def _near_best(search: SearchEvidence, protocol: Protocol) -> int:
    """Number of runners-up, the largest possible one until they are decided."""
    return len(search.near_best) - 1 if search.near_best else protocol.interval.runners_up


def _scores_planned(protocol: Protocol, *, seeds: int, near: int) -> int:
    replicates = seeds * (protocol.scores_folds + protocol.completes)
    chosen = protocol.scores_folds and protocol.interval.runners_up > 0
    models = replicates + chosen + near * (protocol.scores_folds + protocol.completes)
    return models * len(trained_evaluations(protocol))


def _scores(search: SearchEvidence) -> int:
    replicates = (*search.replicates, *search.default)
    records = [scores for replicate in replicates for scores in replicate.scores.values()]
    near = [list(one.models.scores.values()) for one in search.near_best]
    others = [scores for one in near[1:] for scores in one]  # the complete model of the chosen setting is a replicate's
    complete = [scores.complete for scores in (*records, *others)]
    folds = [scores.folds for scores in (*records, *(scores for one in near for scores in one))]
    return sum(score is not None for score in (*folds, *complete))


def _raised(search: SearchEvidence) -> str:
    if search.failed:
        return f"FAILED, {search.failed}"
    lines = list(search.raised.values())
    return f"{len(lines)} run{'s' * (len(lines) > 1)} raised an exception, the first {lines[0]}" if lines else ""
