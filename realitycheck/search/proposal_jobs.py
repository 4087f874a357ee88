"""The jobs that ask the sampler: proposals, and the choice of a trial."""

from __future__ import annotations

from realitycheck.executors.base import Job
from realitycheck.plan.searches import SearchPlan
from realitycheck.records.evidence import SearchEvidence
from realitycheck.records.near_settings import places_of
from realitycheck.runs import Body


def proposal_jobs(search: SearchPlan, evidence: SearchEvidence) -> list[Job]:
    """The next slot's proposal: within a round at once, at a round's start when all earlier trials are done."""
    rule = search.protocol.search
    slot = min(set(range(rule.trials)) - {trial.slot for trial in evidence.trials}, default=None)
    if slot is None:
        return []
    start = slot - slot % rule.round
    before = [trial for trial in evidence.trials if trial.slot < slot]
    if not all(trial.complete for trial in before if trial.slot < start):
        return []
    assert search.choice is not None
    payload: Body = {
        "id": search.proposal_id(slot),
        "search": search.id,
        "data": search.data,
        "dataset": search.dataset,
        "loss": search.choice.label,
        "slot": slot,
        "root": search.protocol.seed,
        "space": dict(search.ranges),
        "sampler": rule.sampler,
        "startup_trials": rule.startup_trials,
        "startup": rule.startup,
        "history": [{"knobs": dict(trial.knobs), "value": trial.value} for trial in before if trial.slot < start],
        "pending": [dict(trial.knobs) for trial in before if trial.slot >= start],
        "published": search.first if slot == 0 else {},
        "unit": {"length": search.unit.length, "powers": dict(search.unit.powers)} if search.unit else None,
    }
    title = f"{search.group}: proposal {slot + 1}/{rule.trials}"
    return [Job(kind="proposal", id=payload["id"], group=search.group, title=title, payload=payload)]


def selection_job(search: SearchPlan, evidence: SearchEvidence) -> Job:
    """The choice of a trial by the highest posterior mean, once all trials are done."""
    assert search.choice is not None and search.selection_id is not None
    space = search.protocol.space_of(search.choice, search.dataset)
    payload: Body = {
        "search": search.id,
        "places": [dict(places) for places in places_of(evidence.trials, space)],
        "values": [trial.value for trial in evidence.trials],
        "root": search.protocol.seed,
    }
    title = f"{search.group}: selection"
    return Job(kind="selection", id=search.selection_id, group=search.group, title=title, payload=payload)
