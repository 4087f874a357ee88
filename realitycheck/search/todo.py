"""`todo(plan, records) -> jobs that may start now`: the only scheduler."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from realitycheck.executors.base import Job
from realitycheck.plan.specs import DatasetPlan, LossPlan
from realitycheck.protocol.knobs import Knobs
from realitycheck.records.evidence import (
    UNTRAINED_ROWS,
    LossEvidence,
    Records,
    lengths_basis,
    loss_evidence,
    score_spec,
)
from realitycheck.runs import Body, RunSpec


def todo(plan: DatasetPlan, records: Records, weights: Collection[str]) -> list[Job]:
    """The jobs of one dataset that may start now, in the order in which they should.

    Args:
        plan: what was promised.
        records: what is known, by id.
        weights: ids of the runs whose weights are at hand; a run whose weights a score still needs is asked for again.
    """
    loss_views = [(loss, loss_evidence(plan, loss, records)) for loss in plan.losses]
    opened = plan.opening_id in records
    jobs = [job for view in loss_views for job in loss_jobs(plan, *view, records, weights, opened=opened)]
    jobs += untrained_jobs(plan, records, weights, opened=opened)
    return opening_jobs(plan, [view for _, view in loss_views], records) + jobs


def opening_jobs(plan: DatasetPlan, views: Sequence[LossEvidence], records: Records) -> list[Job]:
    """The opening of the test half, once every search of the plan is done."""
    done = all(search_done(view, planned=plan.protocol.search.trials) for view in views)
    if not done or plan.opening_id in records:
        return []
    earlier = sum(body["kind"] == "opening" and body["test"] == plan.test for body in records.values())
    body = {
        "kind": "opening",
        "id": plan.opening_id,
        "plan": plan.digest,
        "dataset": plan.dataset,
        "data": plan.data,
        "test": plan.test,
        "searches": {loss.label: loss.search_id for loss in plan.losses},
        "claims": plan.claims,
        "number": earlier,
    }
    title = f"{plan.dataset}: opening the test half"
    return [Job(kind="opening", id=plan.opening_id, group=plan.dataset, title=title, payload=body)]


def search_done(view: LossEvidence, *, planned: int) -> bool:
    """Whether every trial of a search has all its fold runs."""
    return len(view.trials) == planned and all(run is not None for folds in view.trial_runs for run in folds)


def loss_jobs(
    plan: DatasetPlan,
    loss: LossPlan,
    view: LossEvidence,
    records: Records,
    weights: Collection[str],
    *,
    opened: bool,
) -> list[Job]:
    """What one loss may do now: its next proposals and trials, then its replicates, then their scores."""
    if view.chosen is None:
        return [*_trial_jobs(loss, view, records), *_proposal_jobs(loss, view)]
    return _replicate_jobs(plan, loss, view.chosen.knobs, ("embedder",), records, weights, opened=opened)


def untrained_jobs(
    plan: DatasetPlan,
    records: Records,
    weights: Collection[str],
    *,
    opened: bool,
) -> list[Job]:
    """The baseline rows: models of no phases under the replicates' seeds, and their scores."""
    return _replicate_jobs(plan, plan.untrained, {}, tuple(UNTRAINED_ROWS.values()), records, weights, opened=opened)


def _proposal_jobs(loss: LossPlan, view: LossEvidence) -> list[Job]:
    """The next slot's proposal: within a round at once, at a round's start when all earlier trials are done."""
    search = loss.protocol.search
    slot = min(set(range(search.trials)) - {trial.slot for trial in view.trials}, default=None)
    if slot is None:
        return []
    start = slot - slot % search.round
    before = [(trial, runs) for trial, runs in zip(view.trials, view.trial_runs, strict=True) if trial.slot < slot]
    if any(run is None for trial, runs in before if trial.slot < start for run in runs):
        return []
    assert loss.choice is not None
    payload: Body = {
        "id": loss.proposal_id(slot),
        "search": loss.search_id,
        "data": loss.data,
        "dataset": loss.dataset,
        "loss": loss.choice.label,
        "slot": slot,
        "root": loss.protocol.seed,
        "space": dict(loss.ranges),
        "sampler": search.sampler,
        "startup_trials": search.startup_trials,
        "history": [{"knobs": dict(each.knobs), "value": each.value} for each, _ in before if each.slot < start],
        "pending": [dict(each.knobs) for each, _ in before if each.slot >= start],
        "published": loss.published if slot == 0 else {},
    }
    title = f"{loss.group}: proposal {slot + 1}/{search.trials}"
    return [Job(kind="proposal", id=payload["id"], group=loss.group, title=title, payload=payload)]


def _trial_jobs(loss: LossPlan, view: LossEvidence, records: Records) -> list[Job]:
    jobs = []
    for trial, runs in zip(view.trials, view.trial_runs, strict=True):
        if any(run is None for run in runs):
            specs = loss.trial_runs(slot=trial.slot, knobs=trial.knobs)
            name = f"trial {trial.slot + 1}/{loss.protocol.search.trials}"
            jobs += [_run_job(loss, spec, name) for spec in specs if spec.id not in records]
    return jobs


def _replicate_jobs(
    plan: DatasetPlan,
    loss: LossPlan,
    knobs: Knobs,
    outputs: Sequence[str],
    records: Records,
    weights: Collection[str],
    *,
    opened: bool,
) -> list[Job]:
    seeds = range(loss.protocol.final.seeds)
    specs = [loss.replicate_runs(index=index, knobs=knobs) for index in seeds]
    folds = [tuple(records.get(spec.id) for spec in each) for each in specs]
    jobs: list[Job] = []
    complete: list[Job] = []
    for index in seeds:
        name = f"replicate {index + 1}/{len(seeds)}"
        jobs += [_run_job(loss, spec, name) for spec in specs[index] if spec.id not in records]
        basis = lengths_basis(loss, folds, index) if loss.protocol.completes else None
        spec = None if basis is None else loss.complete_run(index=index, knobs=knobs, fold_runs=basis)
        if spec is not None and spec.id not in records:
            complete.append(_run_job(loss, spec, name))
        if opened:
            scored = specs[index] if loss.protocol.scores_folds else ()
            for group in (scored, (spec,) if spec is not None else ()):
                jobs += _score_jobs(plan, loss, group, name, outputs, records, weights)
    return jobs + complete


def _score_jobs(
    plan: DatasetPlan,
    loss: LossPlan,
    specs: Sequence[RunSpec],
    name: str,
    outputs: Sequence[str],
    records: Records,
    weights: Collection[str],
) -> list[Job]:
    """The scores of some finished runs; and before them, again, the runs whose weights are lost."""
    jobs = []
    for output in outputs:
        score = score_spec(plan, [records.get(spec.id) for spec in specs], output) if specs else None
        if score is None or score.id in records:
            continue
        lost = [spec for spec in specs if spec.id not in weights]
        if lost:
            jobs += [_run_job(loss, spec, f"{name}, lost weights") for spec in lost]
            continue
        title = f"{loss.group}: {name}, score of {len(specs)} model{'s' * (len(specs) > 1)}"
        payload = {"spec": score.to_json()}
        jobs.append(Job(kind="score", id=score.id, group=loss.group, title=title, payload=payload))
    return _once(jobs)


def _once(jobs: Sequence[Job]) -> list[Job]:
    return list({job.id: job for job in jobs}.values())


def _run_job(loss: LossPlan, spec: RunSpec, name: str) -> Job:
    part = "complete" if spec.fold is None else f"fold {spec.fold + 1}/{loss.protocol.folds.count}"
    title = f"{loss.group}: {name}, {part}"
    return Job(kind="run", id=spec.id, group=loss.group, title=title, payload={"spec": spec.to_json()})


def spent_weights(plan: DatasetPlan, score: Body, records: Records) -> tuple[str, ...]:
    """The runs of a score whose weights no later score needs: all outputs that their group asks for are scored."""
    models = score["spec"]["models"]
    trained = any(records[each]["spec"]["loss"] for each in models)
    outputs = ("embedder",) if trained else tuple(UNTRAINED_ROWS.values())
    asked = [plan.score(models, output=output) for output in outputs]
    return tuple(models) if all(each is not None and each.id in records for each in asked) else ()
