"""What a study found as flat tables: trials, runs, their curves, and test scores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realitycheck.evaluations.menu import untrained_rows
from realitycheck.protocol.read import ReadStudy
from realitycheck.records.evidence import DatasetEvidence, LossEvidence, Replicate, SearchEvidence, Trial
from realitycheck.records.gather import gather
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import from_records
from realitycheck.records.schema import Run
from realitycheck.runs import CLEAN, Category
from realitycheck.verbs.present import present_data

SEARCH = {"dataset": "string", "loss": "string", "search": "int64"}

TRIALS = {
    **SEARCH,
    **{"trial": "int64", "source": "string", "map_at_r": "double", "diverged": "bool", "chosen": "bool"},
    **{"knobs": "string", "raw": "string"},
}
RUNS = {
    **{"run": "string", **SEARCH, "stage": "string", "number": "int64", "fold": "int64", "outcome": "string"},
    **{"cause": "string", "best_iteration": "int64", "map_at_r": "double", "knobs": "string", "weights": "string"},
}
CURVES = {"run": "string", "iteration": "int64", "phase": "string", "metric": "string", "value": "double"}
SCORES = {
    **{"dataset": "string", "row": "string", "search": "int64", "replicate": "int64", "evaluation": "string"},
    **{"category": "string", "distance": "string", "metric": "string", "value": "double"},
}


@dataclass(frozen=True, slots=True)
class FlatTable:
    """A table for another tool.

    Args:
        name: of its file, without an ending.
        columns: name → `string`, `int64`, `double` or `bool`.
        rows: one value per column; None where there is none.
    """

    name: str
    columns: Mapping[str, str]
    rows: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class ExportedRun:
    """A recorded run, and the place that it has in the study.

    Args:
        run: its record.
        dataset: name of the dataset.
        label: the loss.
        search: which of the loss's searches, from 1.
        number: of the trial or the replicate, from 1.
        stage: `trial`, `replicate`, or `default` for a replicate of the published setting alone.
        trial: the trial that it belongs to; None for a replicate.
    """

    run: Run
    dataset: str
    label: str
    search: int
    number: int
    stage: str
    trial: Trial | None = None


def gathered(read: ReadStudy, ledger: Ledger) -> list[DatasetEvidence]:
    """What the records say on every dataset of a study."""
    present = present_data(read)
    plans = (
        from_records(read.study, choice.name, ledger.records, present=present.get(choice.name))
        for choice in read.study.datasets
    )
    return [gather(plan, ledger.records) for plan in plans]


def exported_runs(evidence: DatasetEvidence) -> Iterator[ExportedRun]:
    """The recorded runs of the trials of all losses, then those of the replicates, search by search; each once."""
    for loss in evidence.losses:
        for search in loss.searches:
            place = (evidence.dataset, loss.label, search.number + 1)
            for trial in search.trials:
                yield from (ExportedRun(run, *place, trial.slot + 1, "trial", trial) for run in trial.runs if run)
            chosen = {run.id for replicate in search.replicates for run in replicate.runs}
            for replicate in search.replicates:
                yield from (ExportedRun(run, *place, replicate.index + 1, "replicate") for run in replicate.runs)
            for replicate in search.default:
                own = (run for run in replicate.runs if run.id not in chosen)
                yield from (ExportedRun(run, *place, replicate.index + 1, "default") for run in own)


def flat_tables(evidence: Sequence[DatasetEvidence]) -> list[FlatTable]:
    """The tables `trials`, `runs`, `curves`, `losses` and `scores` of a study."""
    runs = [run for dataset in evidence for run in exported_runs(dataset)]
    return [
        FlatTable("trials", TRIALS, [row for dataset in evidence for row in _trial_rows(dataset)]),
        FlatTable("runs", RUNS, list(map(_run_row, runs))),
        FlatTable("curves", CURVES, [row for run in runs for row in validation_points(run.run)]),
        FlatTable("losses", CURVES, [row for run in runs for row in training_points(run.run)]),
        FlatTable("scores", SCORES, [row for dataset in evidence for row in _score_rows(dataset)]),
    ]


def validation_points(run: Run) -> Iterator[tuple[str, int, str | None, str, float]]:
    """Run, iteration, phase, metric and value of every validation of a run."""
    for point in run.curve:
        for metric, value in point.scores.items():
            yield run.id, point.iteration, point.phase, metric, value


def training_points(run: Run) -> Iterator[tuple[str, int, str | None, str, float]]:
    """The same of the means over every evaluation interval: the loss, and the proxy distance where it is known."""
    for interval in run.training:
        yield run.id, interval.iteration, interval.phase, "loss", interval.loss
        if interval.proxy_distance is not None:
            yield run.id, interval.iteration, interval.phase, "proxy_distance", interval.proxy_distance


def _trial_rows(evidence: DatasetEvidence) -> Iterator[tuple[Any, ...]]:
    for loss in evidence.losses:
        for search in loss.searches:
            for trial in search.trials:
                place = (evidence.dataset, loss.label, search.number + 1, trial.slot + 1, trial.source)
                yield (*place, trial.value, trial.diverged, _is_chosen(search, trial), *_settings(trial))


def _is_chosen(search: SearchEvidence, trial: Trial) -> bool:
    return search.chosen is not None and search.chosen.slot == trial.slot


def _settings(trial: Trial) -> tuple[str, str]:
    """The hyper-parameters as JSON: as the sampler saw them, and as the loss gets them."""
    return json.dumps(dict(trial.knobs), sort_keys=True), json.dumps(dict(trial.raw()), sort_keys=True)


def _run_row(known: ExportedRun) -> tuple[Any, ...]:
    run, best = known.run, known.run.best
    fold = None if run.spec.fold is None else run.spec.fold + 1
    place = (run.id, known.dataset, known.label, known.search, known.stage, known.number, fold)
    ending = (run.outcome.value, run.cause, best.iteration if best else None, run.value)
    return (*place, *ending, json.dumps(dict(run.spec.knobs), sort_keys=True), run.weights)


def _score_rows(evidence: DatasetEvidence) -> Iterator[tuple[Any, ...]]:
    for row in (*evidence.losses, *evidence.defaults, *evidence.untrained):
        for replicate in row.replicates:
            for values in _replicate_scores(row, replicate):
                yield (evidence.dataset, row.label, replicate.search + 1, replicate.index + 1, *values)


def _replicate_scores(row: LossEvidence, replicate: Replicate) -> Iterator[tuple[Any, ...]]:
    """Evaluation, category, distance, metric and value of every known score of a replicate.

    Untrained models have a row for each evaluation that shows them; all others are in the row of clean images.
    """
    shown = set(untrained_rows(replicate.scores).values()) - {row.evaluation}
    evaluations = [name for name in replicate.scores if name not in shown]
    if row.evaluation != CLEAN:
        evaluations = [row.evaluation]
    for evaluation in evaluations:
        known = replicate.scores.get(evaluation)
        parts = (known.folds, known.complete) if known else ()
        metrics = next((part.models[0]["cosine"].scores for part in parts if part), {})
        for category in Category:
            for distance in ("cosine", "euclidean"):
                for metric in metrics:
                    value = replicate.score(category=category, metric=metric, distance=distance, evaluation=evaluation)
                    if value is not None:
                        yield evaluation, category.value, distance, metric, value
