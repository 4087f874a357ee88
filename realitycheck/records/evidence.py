"""What records say of a study, as values: searches, their trials and replicates, and the scores of these."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from realitycheck.protocol.units import LengthUnit
from realitycheck.records.nearest_images import NeighborLists
from realitycheck.records.registration import Registration
from realitycheck.records.schema import ModelScores, Opening, Record, Run, Score
from realitycheck.records.swept import SweptKnob, mean_value
from realitycheck.runs import CLEAN, Category, Knobs, Stage

Records = Mapping[str, Record]
"""Every record by id."""


@dataclass(frozen=True)
class Trial:
    """One proposed set of hyper-parameters, judged on all folds.

    Args:
        slot: its number in the search, from 0.
        knobs: its hyper-parameters, as the sampler sees them.
        source: how it was proposed: `startup`, `published`, or the name of the sampler.
        runs: its K fold runs, None where one is still missing.
        unit: what the lengths among its hyper-parameters are multiples of; None where they are what the loss gets.
    """

    slot: int
    knobs: Knobs
    source: str
    runs: tuple[Run | None, ...]
    unit: LengthUnit | None = None

    def raw(self, *, factor: float = 1.0) -> Knobs:
        """The hyper-parameters as the loss gets them, each length `factor` times as long."""
        return self.knobs if self.unit is None else self.unit.raw(self.knobs, factor=factor)

    @property
    def fold_values(self) -> tuple[float | None, ...]:
        """The best validation MAP@R of each fold after iteration 0, None where it is missing or diverged."""
        return tuple(run.value if run else None for run in self.runs)

    @cached_property
    def value(self) -> float | None:
        """The mean over folds of the best validation MAP@R; None while a fold is missing, or if one diverged."""
        return mean_value(self.runs)

    @property
    def complete(self) -> bool:
        """Whether every fold run is recorded."""
        return all(run is not None for run in self.runs)

    @property
    def diverged(self) -> bool:
        """Whether a fold run diverged; one is enough."""
        return any(run is not None and run.diverged for run in self.runs)


@dataclass(frozen=True, slots=True)
class EvaluationScores:
    """The records of one evaluation of a replicate: of its fold models, and of its complete model."""

    folds: Score | None
    complete: Score | None


@dataclass(frozen=True, slots=True)
class Replicate:
    """A chosen setting under one fresh seed: K fold runs, one complete run, and their test scores.

    Args:
        index: its number, counted through all searches of the loss.
        search: the number of the search that chose the setting.
        fold_runs: K runs, None where one is missing. A fold run that diverged has no score.
        complete_run: the run on all of trainval, or None.
        scores: evaluation → records of the test scores.
    """

    index: int
    search: int
    fold_runs: tuple[Run | None, ...]
    complete_run: Run | None
    scores: Mapping[str, EvaluationScores]

    @property
    def value(self) -> float | None:
        """The mean over folds of the best validation MAP@R; None while a fold is missing, or if one diverged."""
        return mean_value(self.fold_runs)

    def score(self, *, category: Category, metric: str, distance: str, evaluation: str = CLEAN) -> float | None:
        """The test score in [0, 1] of one category, or None where a part of it diverged or is still missing."""
        models = self._models(category, evaluation)
        values = [model[distance].scores[metric] for model in models]
        return math.fsum(values) / len(values) if values else None

    def per_class(self, *, category: Category, distance: str, evaluation: str = CLEAN) -> list[float] | None:
        """MAP@R of each test class with at least one query, in class order, or None as in `score`."""
        models = self._models(category, evaluation)
        columns = zip(*(model[distance].per_class for model in models), strict=True)
        return [math.fsum(column) / len(models) for column in columns] if models else None

    def _models(self, category: Category, evaluation: str) -> tuple[ModelScores, ...]:
        """The scored embeddings of a category: one, or K for the aggregate; a single fold model has no ensemble."""
        records = self.scores.get(evaluation)
        score = None if records is None else records.complete if category is Category.COMPLETE else records.folds
        if score is None:
            return ()
        if category is not Category.ENSEMBLE:
            return score.models
        return () if score.together is None else (score.together,)

    @property
    def runs(self) -> tuple[Run, ...]:
        """Those of its runs that are recorded."""
        return tuple(run for run in (*self.fold_runs, self.complete_run) if run is not None)

    @property
    def diverged(self) -> int:
        """How many of its runs diverged."""
        return sum(run.diverged for run in self.runs)


@dataclass(frozen=True, slots=True)
class NearBest:
    """A setting that validation cannot distinguish from the chosen one, or the chosen one itself, and its test scores.

    Args:
        trial: the trial that tried it.
        models: the fold runs of the trial itself, and one complete run under the seed of the search's first replicate;
            that of the chosen setting is the replicate's own.
    """

    trial: Trial
    models: Replicate


@dataclass(frozen=True, slots=True)
class SearchFailure:
    """Why a search was set aside.

    Args:
        reason: the exception that its first trials raised, or the job that was given up and why, in a line.
        traceback: that of the exception, or where the process was; empty where that is not known.
        raised: whether its first trials all raised that exception.
    """

    reason: str
    traceback: str
    raised: bool = True

    def __str__(self) -> str:
        return f"its first trials all raised {self.reason}" if self.raised else self.reason


@dataclass(frozen=True)
class SearchEvidence:
    """All that is known of one search of one loss.

    Args:
        number: which of the loss's searches, from 0.
        id: digest of the search; empty for the untrained rows.
        planned: how many trials the protocol grants.
        trials: those with a proposal, by slot.
        chosen: the best trial by mean validation MAP@R, or by posterior mean where the protocol says so, ties to the
            lowest slot; None before the search is done.
        replicates: those of its setting, in order; parts that do not exist yet are None.
        near_best: the chosen setting and its runners-up, the best first; empty before they are decided, and where the
            protocol scores none.
        means: the posterior mean of every trial, by slot, where the protocol chooses by it; else empty.
        selecting: whether all trials are finished and the selection by posterior mean is missing.
        failed: why it was set aside, by the notes; None where it was not.
        raised: run id → the exception that ended the run in a line, by the notes, in the order of the runs.
        default: replicates of the published setting in slot 0, where the study asks for them; else empty.
    """

    number: int
    id: str
    planned: int
    trials: tuple[Trial, ...]
    chosen: Trial | None
    replicates: tuple[Replicate, ...]
    near_best: tuple[NearBest, ...] = ()
    means: tuple[float | None, ...] = ()
    selecting: bool = False
    failed: SearchFailure | None = None
    raised: Mapping[str, str] = field(default_factory=dict)
    default: tuple[Replicate, ...] = ()

    @cached_property
    def done(self) -> bool:
        """Whether every trial has all its fold runs, and one of them is chosen if any can be."""
        return not self.selecting and len(self.trials) == self.planned and all(trial.complete for trial in self.trials)

    @property
    def criterion(self) -> tuple[float | None, ...]:
        """What trials are chosen by, in their order: their posterior means, or their values."""
        return self.means or tuple(trial.value for trial in self.trials)

    @property
    def runners_up_runs(self) -> tuple[Run, ...]:
        """The recorded complete runs of its runners-up."""
        return tuple(run for one in self.near_best[1:] if (run := one.models.complete_run) is not None)

    @cached_property
    def validated(self) -> bool:
        """Whether every trial and every replicate of the chosen setting has all its fold runs."""
        return self.done and all(run is not None for one in self.replicates for run in one.fold_runs)

    @property
    def all_trials_diverged(self) -> bool:
        """Whether every trial was proposed and diverged, so that no setting can be retrained; False without trials."""
        return 0 < self.planned == len(self.trials) and all(trial.diverged for trial in self.trials)

    def runs(self, stage: Stage) -> Iterator[Run]:
        """The recorded runs of its trials, or of its replicates."""
        if stage is Stage.SEARCH:
            yield from (run for trial in self.trials for run in trial.runs if run is not None)
        else:
            yield from (run for replicate in self.replicates for run in replicate.runs)


@dataclass(frozen=True, slots=True)
class LossEvidence:
    """All that is known of one loss, or of one untrained row, on one dataset.

    Args:
        label: the loss's name in the study, or that of the untrained row.
        distance: the distance that it declares, hence its primary scores.
        evaluation: the evaluation whose scores are this row's.
        searches: in order; those of an untrained row have no trials.
        constant: whether nothing in it is random; it then has one replicate, whose scores are those of every seed.
        neighbors: the nearest neighbours of a few test images; None where they are not stored.
    """

    label: str
    distance: str
    evaluation: str
    searches: tuple[SearchEvidence, ...]
    constant: bool = False
    neighbors: NeighborLists | None = None

    @property
    def replicates(self) -> tuple[Replicate, ...]:
        """The replicates of all searches that have chosen, in order."""
        return tuple(replicate for search in self.searches for replicate in search.replicates)

    @property
    def trials(self) -> tuple[Trial, ...]:
        """The trials of all searches, search by search."""
        return tuple(trial for search in self.searches for trial in search.trials)

    @property
    def default(self) -> LossEvidence:
        """The row of its published setting, under the seeds of the chosen one."""
        searches = (replace(search, replicates=search.default, near_best=()) for search in self.searches)
        return replace(self, label=f"{self.label} (default)", searches=tuple(searches))

    def runs(self, stage: Stage) -> Iterator[Run]:
        """The recorded runs of all searches of one stage."""
        return (run for search in self.searches for run in search.runs(stage))

    def score(self, replicate: Replicate, *, category: Category, metric: str) -> float | None:
        """This row's primary score of a replicate in [0, 1], or None where a part is missing or diverged."""
        return replicate.score(category=category, metric=metric, distance=self.distance, evaluation=self.evaluation)


@dataclass(frozen=True, slots=True)
class DatasetEvidence:
    """All that is known on one dataset.

    Args:
        dataset: its name.
        claims: what the study now wants to say of the scores; each opening holds what it was when it was made.
        losses: in the study's order.
        untrained: the rows of models that are never trained.
        openings: of the test half, in order.
        registrations: of the study, in order.
        sweeps: one per loss and swept hyper-parameter.
        defaults: the row of each loss's published setting, where the study asks for them.
    """

    dataset: str
    claims: Mapping[str, Any]
    losses: tuple[LossEvidence, ...]
    untrained: tuple[LossEvidence, ...]
    openings: tuple[Opening, ...]
    registrations: tuple[Registration, ...] = ()
    sweeps: tuple[SweptKnob, ...] = ()
    defaults: tuple[LossEvidence, ...] = ()
