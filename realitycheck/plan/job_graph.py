"""Every job of a study and the jobs that it waits for, as if nothing diverged and every runner-up existed.

It follows `search.schedule`, which decides by the records what may start; tests/search/test_wall_time.py compares both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from realitycheck.plan.searches import (
    UNTRAINED,
    constant_evaluations,
    replicate_numbers,
    trained_evaluations,
    untrained_evaluations,
)
from realitycheck.protocol.model import Protocol

FIRST_TRIALS = 3
"""Trials that start before any run of their search is finished (`search.first_trials`)."""

Order = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class JobSeconds:
    """How long the jobs of one loss take.

    Args:
        proposal: one proposal, or one selection by posterior mean.
        fold: one fold run.
        complete: one complete run.
        fold_score: K fold models on the test half, each and together.
        complete_score: one complete model on the test half; a list of nearest neighbours takes as long as a score.
    """

    proposal: float
    fold: float
    complete: float
    fold_score: float
    complete_score: float


@dataclass(frozen=True, slots=True)
class JobNode:
    """One job.

    Args:
        group: whose turn it is, as of `executors.base.Job`.
        order: its place among the jobs of its group that may start.
        seconds: on a worker; None for an opening, which needs no worker.
        after: the jobs that it waits for, by their numbers.
    """

    group: str
    order: Order
    seconds: float | None
    after: tuple[int, ...]


class JobGraph:
    """The jobs of a study; every job comes after those that it waits for.

    Attributes:
        nodes: the jobs, by number.
    """

    def __init__(self) -> None:
        self.nodes: list[JobNode] = []

    def add(self, group: str, order: Order, seconds: float | None, after: Sequence[int] = ()) -> int:
        """Add a job, and return its number."""
        self.nodes.append(JobNode(group, order, seconds, tuple(dict.fromkeys(after))))
        return len(self.nodes) - 1

    def add_dataset(
        self, dataset: str, protocol: Protocol, losses: Mapping[str, JobSeconds], *, default_rows: bool = False
    ) -> None:
        """Add the jobs of a study on one dataset.

        Args:
            dataset: its name.
            protocol: the protocol on it.
            losses: label → how long its jobs take, in the study's order.
            default_rows: whether published settings are scored as well; none of them is taken for the chosen one.
        """
        searches = [
            _Search(self, protocol, f"{dataset}/{label}/{number + 1}", seconds, number)
            for label, seconds in losses.items()
            for number in range(protocol.search.searches)
        ]
        opens = [job for search in searches for job in search.done]
        if protocol.interval.runners_up:
            opens = [job for search in searches for folds in search.folds for job in folds]
        untrained = _Untrained(self, protocol, f"{dataset}/{UNTRAINED}", next(iter(losses.values())))
        opening = self.add(dataset, (0,), None, opens)
        for search in searches:
            search.add_near_best(opens, opening)
            search.add_scores(opening)
            search.add_neighbors(opening)
            if default_rows:
                search.add_default(opening)
        untrained.add_scores(opening)


class _Search:
    """The jobs of one search of one loss; `done` are those that end it, `folds` the fold runs of each replicate."""

    def __init__(self, graph: JobGraph, protocol: Protocol, group: str, seconds: JobSeconds, number: int) -> None:
        self.graph, self.protocol, self.group, self.seconds = graph, protocol, group, seconds
        self.number = number
        self.trials: list[list[int]] = []
        self._add_trials()
        self.done = [run for runs in self.trials for run in runs]
        if protocol.search.select != "best":
            self.done = [graph.add(group, (0,), seconds.proposal, self.done)]
        replicates = replicate_numbers(protocol, search=number)
        self.folds = [self._add_folds((3, place), self.done) for place in range(len(replicates))]
        self.complete = self._add_complete(self.folds, order=4)

    def _add_trials(self) -> None:
        rule, before, ended = self.protocol.search, -1, list[int]()
        for slot in range(rule.trials):
            if slot % rule.round == 0:
                ended = [run for runs in self.trials for run in runs]
            waits = [*ended, before] if slot else []
            before = self.graph.add(self.group, (2, slot), self.seconds.proposal, waits)
            first = self.trials[0][:1] if slot >= FIRST_TRIALS else []
            self.trials.append(self._add_folds((1, slot), [before, *first]))

    def _add_folds(self, order: Order, after: Sequence[int]) -> list[int]:
        folds = range(self.protocol.folds.count)
        return [self.graph.add(self.group, (*order, fold), self.seconds.fold, after) for fold in folds]

    def _add_complete(self, replicates: Sequence[Sequence[int]], *, order: int) -> list[int]:
        """The complete run of each replicate; under `appendix_d` it waits for the fold runs of all of them."""
        if not self.protocol.completes:
            return []
        pooled = self.protocol.final.complete == "appendix_d"
        every = [run for folds in replicates for run in folds]
        return [
            self.graph.add(self.group, (order, place), self.seconds.complete, every if pooled else folds)
            for place, folds in enumerate(replicates)
        ]

    def add_near_best(self, decided: Sequence[int], opening: int) -> None:
        """Add the complete runs of the runners-up, and the scores of all near-best settings."""
        places = range(1 + self.protocol.interval.runners_up) if self.protocol.interval.runners_up else range(0)
        for place in places:
            if place and self.protocol.completes:
                run = self.graph.add(self.group, (5, place, 0), self.seconds.complete, decided)
                self._add_each((5, place, 2), self.seconds.complete_score, [opening, run])
            if self.protocol.scores_folds:
                self._add_each((5, place, 1), self.seconds.fold_score, [opening])

    def _add_each(self, order: Order, seconds: float, after: Sequence[int]) -> None:
        """Add the scores of some models under every evaluation."""
        for number in range(len(trained_evaluations(self.protocol))):
            self.graph.add(self.group, (*order, number), seconds, after)

    def add_scores(self, opening: int) -> None:
        """Add the scores of the replicates."""
        self._add_scored(self.folds, self.complete, opening, order=3)

    def add_default(self, opening: int) -> None:
        """Add the replicates of the published setting, and their scores."""
        folds = [self._add_folds((6, place), self.done) for place in range(len(self.folds))]
        self._add_scored(folds, self._add_complete(folds, order=7), opening, order=6)

    def _add_scored(
        self, replicates: Sequence[Sequence[int]], complete: Sequence[int], opening: int, *, order: int
    ) -> None:
        for place, folds in enumerate(replicates):
            for number in range(len(trained_evaluations(self.protocol))):
                after = self.protocol.folds.count + 2 * number
                if self.protocol.scores_folds:
                    self.graph.add(self.group, (order, place, after), self.seconds.fold_score, [opening, *folds])
                for run in complete[place : place + 1]:
                    at = (order, place, after + 1)
                    self.graph.add(self.group, at, self.seconds.complete_score, [opening, run])

    def add_neighbors(self, opening: int) -> None:
        """Add the list of nearest neighbours, which the first search of a loss makes with its first replicate."""
        if self.number == 0:
            models, seconds = _shown_models(self.complete, self.folds[0], self.seconds)
            self.graph.add(self.group, (4, len(self.folds)), seconds, [opening, *models])


def _shown_models(complete: Sequence[int], folds: Sequence[int], seconds: JobSeconds) -> tuple[Sequence[int], float]:
    """The models of which neighbours are listed: the first complete one, without these the first fold models."""
    return (complete[:1], seconds.complete_score) if complete else (folds, seconds.fold_score)


class _Untrained:
    """The untrained models. Nothing is trained, so making one takes no longer than a proposal."""

    def __init__(self, graph: JobGraph, protocol: Protocol, group: str, seconds: JobSeconds) -> None:
        self.graph, self.protocol, self.group, self.seconds = graph, protocol, group, seconds
        self.places = [
            (number, place)
            for number in range(protocol.search.searches)
            for place in range(len(replicate_numbers(protocol, search=number)))
        ]
        folds = range(protocol.folds.count)
        self.folds = [[self._add((*at, 0, fold)) for fold in folds] for at in self.places]
        self.complete = [
            self._add((number, len(self.places), place)) for number, place in self.places if protocol.completes
        ]

    def _add(self, order: Order) -> int:
        return self.graph.add(self.group, order, self.seconds.proposal)

    def add_scores(self, opening: int) -> None:
        """Add the scores of each seed, and one for each evaluation under which all seeds are equal."""
        constant = len(constant_evaluations(self.protocol))
        for seed, (at, folds) in enumerate(zip(self.places, self.folds, strict=True)):
            for number in range(len(untrained_evaluations(self.protocol))):
                if self.protocol.scores_folds:
                    self.graph.add(self.group, (*at, 1, number), self.seconds.fold_score, [opening, *folds])
                for complete in self.complete[seed : seed + 1]:
                    self.graph.add(self.group, (*at, 2, number), self.seconds.complete_score, [opening, complete])
        models, seconds = _shown_models(self.complete, self.folds[0], self.seconds)
        self.graph.add(self.group, (0, len(self.places) + 1), seconds, [opening, *models])
        one = self.seconds.fold_score / self.protocol.folds.count
        for number in range(constant):
            self.graph.add(self.group, (self.protocol.search.searches, number), one, [opening, self.folds[0][0]])
