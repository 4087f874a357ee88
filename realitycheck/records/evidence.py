"""What the records say about a plan: trials, the chosen one, replicates and their scores."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realitycheck.plan.specs import DatasetPlan, LossPlan
from realitycheck.runs import Body, Outcome, Replicate, ScoreSpec, Trial, by_kind

Records = Mapping[str, Body]
"""Every record's body by id."""

UNTRAINED_ROWS = {"untrained embedder": "embedder", "untrained trunk": "trunk"}
"""The baseline rows, and the output of the model that each of them scores."""


@dataclass(frozen=True, slots=True)
class LossEvidence:
    """All that is known of one loss on one dataset.

    Args:
        label: the loss's name in the study; `untrained embedder` and `untrained trunk` for the baseline rows.
        search: the digest of its search; empty for the baseline rows.
        distance: the distance that it declares, hence its primary scores.
        trials: those with a proposal, by slot.
        trial_runs: per trial its K fold run bodies, None where still missing.
        sources: per trial how it was proposed: `published`, `startup`, `gp` or `random`.
        proposals: per trial the id of its proposal.
        chosen: the best trial by mean validation MAP@R, ties to the lowest slot; None before the search is done.
        replicates: S of them, in order; parts that do not exist yet are None.
    """

    label: str
    search: str
    distance: str
    trials: tuple[Trial, ...]
    trial_runs: tuple[tuple[Body | None, ...], ...]
    sources: tuple[str, ...]
    proposals: tuple[str, ...]
    chosen: Trial | None
    replicates: tuple[Replicate, ...]


@dataclass(frozen=True, slots=True)
class DatasetEvidence:
    """All that is known on one dataset: the losses in the study's order, the untrained rows, the openings in order.

    `claims` is what the study now wants to say of the scores; each opening holds what was to be said when it was made.
    """

    dataset: str
    claims: Mapping[str, Any]
    losses: tuple[LossEvidence, ...]
    untrained: tuple[LossEvidence, ...]
    openings: tuple[Body, ...]


def gather(plan: DatasetPlan, records: Records) -> DatasetEvidence:
    """Read a plan's evidence out of the records; whatever else they hold is passed over."""
    openings = [body for body in by_kind(records.values(), "opening") if body["test"] == plan.test]
    return DatasetEvidence(
        dataset=plan.dataset,
        claims=plan.claims,
        losses=tuple(loss_evidence(plan, loss, records) for loss in plan.losses),
        untrained=tuple(
            untrained_evidence(label, replicates(plan, plan.untrained, {}, output, records))
            for label, output in UNTRAINED_ROWS.items()
        ),
        openings=tuple(sorted(openings, key=lambda body: body["number"])),
    )


def untrained_evidence(label: str, done: tuple[Replicate, ...]) -> LossEvidence:
    """The evidence of a baseline row: replicates without a search."""
    return LossEvidence(
        label=label,
        search="",
        distance="cosine",
        trials=(),
        trial_runs=(),
        sources=(),
        proposals=(),
        chosen=None,
        replicates=done,
    )


def loss_evidence(plan: DatasetPlan, loss: LossPlan, records: Records) -> LossEvidence:
    """The evidence of one loss."""
    assert loss.choice is not None
    proposals = _proposals(loss, records)
    runs = tuple(
        tuple(records.get(spec.id) for spec in loss.trial_runs(slot=body["slot"], knobs=body["knobs"]))
        for body in proposals
    )
    trials = tuple(_trial(body, folds) for body, folds in zip(proposals, runs, strict=True))
    chosen = _chosen(trials, runs, planned=loss.protocol.search.trials)
    return LossEvidence(
        label=loss.choice.label,
        search=loss.search_id,
        distance=loss.choice.distance,
        trials=trials,
        trial_runs=runs,
        sources=tuple(body["source"] for body in proposals),
        proposals=tuple(body["id"] for body in proposals),
        chosen=chosen,
        replicates=replicates(plan, loss, chosen.knobs, "embedder", records) if chosen else (),
    )


def replicates(
    plan: DatasetPlan, loss: LossPlan, knobs: Mapping[str, float | int | str], output: str, records: Records
) -> tuple[Replicate, ...]:
    """The S replicates of one setting, scored at one output; parts that do not exist yet are None."""
    seeds = range(loss.protocol.final.seeds)
    folds = [tuple(records.get(spec.id) for spec in loss.replicate_runs(index=index, knobs=knobs)) for index in seeds]
    done = []
    for index in seeds:
        basis = lengths_basis(loss, folds, index)
        spec = None if basis is None else loss.complete_run(index=index, knobs=knobs, fold_runs=basis)
        complete = records.get(spec.id) if spec else None
        done.append(_replicate(plan, index, folds[index], complete, output, records))
    return tuple(done)


def lengths_basis(loss: LossPlan, folds: Sequence[tuple[Body | None, ...]], index: int) -> tuple[Body, ...] | None:
    """The fold runs that decide a complete run's lengths, or None while one of them is still missing."""
    pooled = loss.protocol.final.complete == "appendix_d"
    asked = [run for each in folds for run in each] if pooled else list(folds[index])
    found = tuple(run for run in asked if run is not None)
    return found if len(found) == len(asked) else None


def score_spec(plan: DatasetPlan, runs: Sequence[Body | None], output: str) -> ScoreSpec | None:
    """The score of some runs together, or None if one is missing or diverged."""
    models = [run["id"] for run in runs if run is not None and run["outcome"] == Outcome.COMPLETED]
    return plan.score(models, output=output) if len(models) == len(runs) else None


def _replicate(
    plan: DatasetPlan,
    index: int,
    folds: tuple[Body | None, ...],
    complete: Body | None,
    output: str,
    records: Records,
) -> Replicate:
    def score(runs: Sequence[Body | None]) -> Body | None:
        spec = score_spec(plan, runs, output)
        return records.get(spec.id) if spec else None

    return Replicate(
        index=index,
        fold_runs=folds,
        complete_run=complete,
        fold_score=score(folds),
        complete_score=score([complete]),
    )


def _proposals(loss: LossPlan, records: Records) -> list[Body]:
    ids = (loss.proposal_id(slot) for slot in range(loss.protocol.search.trials))
    return [records[each] for each in ids if each in records]


def _trial(proposal: Body, runs: Sequence[Body | None]) -> Trial:
    values = tuple(run["best"]["map_at_r"] if run and run["best"] else None for run in runs)
    alive = [value for value in values if value is not None]
    return Trial(
        slot=proposal["slot"],
        knobs=proposal["knobs"],
        fold_values=values,
        value=math.fsum(alive) / len(values) if len(alive) == len(values) else None,
    )


def _chosen(trials: Sequence[Trial], runs: Sequence[Sequence[Body | None]], *, planned: int) -> Trial | None:
    if len(trials) < planned or any(run is None for folds in runs for run in folds):
        return None
    alive = [trial for trial in trials if trial.value is not None]
    return max(alive, key=lambda trial: (trial.value, -trial.slot)) if alive else None
