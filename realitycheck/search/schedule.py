"""`todo(plan, records) -> jobs that may start now`: the only scheduler."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from realitycheck.executors.base import Job
from realitycheck.plan.searches import SearchPlan, constant_evaluations
from realitycheck.plan.specs import DatasetPlan
from realitycheck.plan.sweeps import planned_points
from realitycheck.records.evidence import Records, SearchEvidence, Trial
from realitycheck.records.gather import counted_losses, default_trial, final_knobs, search_evidence
from realitycheck.records.near_settings import kept_trials, near_trials, runner_up_run, validation_noise
from realitycheck.records.neighbor_lists import declared_distance, wanted_neighbors
from realitycheck.records.replicate_models import lengths_basis, score_spec
from realitycheck.records.schema import Opening, Run, of_type
from realitycheck.records.swept_evidence import scores_sweep, swept_models
from realitycheck.runs import CLEAN, Body, RunSpec, Stage
from realitycheck.search.proposal_jobs import proposal_jobs, selection_job


@dataclass(frozen=True, slots=True)
class Known:
    """What is known when jobs are chosen.

    Args:
        records: every record by id.
        weights: ids of the runs whose weights are stored; a run whose weights a score still needs is asked for again.
        opened: whether the test half is open for this plan.
        noise: how much a trial's value varies by retraining (`near_settings.validation_noise`); None before the
            near-best settings are decided, and where none are scored.
        copied: ids of the scores and of the lists of neighbours that can be copied; no weights are needed for these.
            Other scores of the same models, such as under another evaluation, need them.
    """

    records: Records
    weights: Collection[str]
    opened: bool
    noise: float | None
    copied: Collection[str] = ()

    def run(self, spec: RunSpec) -> Run | None:
        """The record of a run, or None."""
        record = self.records.get(spec.id)
        return record if isinstance(record, Run) else None

    def weights_digest(self, spec: RunSpec) -> str | None:
        """The digest of a run's weights in its record, by which they are checked before they are scored."""
        run = self.run(spec)
        return run.weights if run else None


def todo(plan: DatasetPlan, records: Records, weights: Collection[str]) -> list[Job]:
    """The jobs of one dataset that may start now, in the order in which they should.

    Args:
        plan: what the study asks for on this dataset.
        records: every record by id.
        weights: ids of the runs whose weights are stored.
    """
    evidence = {search.group: search_evidence(plan, search, records) for search in plan.searches}
    labels = counted_losses(plan, records, set_aside=())
    noise = validation_noise(plan.protocol, counted_searches(plan, evidence, labels))
    known = Known(records, weights, opened=plan.opening_id in records, noise=noise)
    jobs = [job for search in plan.searches for job in search_jobs(plan, search, evidence[search.group], known)]
    jobs += untrained_jobs(plan, known)
    return opening_jobs(plan, evidence, records, labels=labels) + jobs


def counted_searches(
    plan: DatasetPlan, evidence: Mapping[str, SearchEvidence], labels: Collection[str]
) -> list[SearchEvidence]:
    """The searches of the losses that the opening waits for (`gather.counted_losses`), out of those of all groups."""
    return [evidence[search.group] for loss in plan.losses if loss.label in labels for search in loss.searches]


def opening_jobs(
    plan: DatasetPlan, evidence: Mapping[str, SearchEvidence], records: Records, *, labels: Collection[str]
) -> list[Job]:
    """The opening of the test half, once every search that counts is done and the runners-up are decided."""
    searches = counted_searches(plan, evidence, labels)
    done = bool(searches) and all(search.done for search in searches)
    if plan.opening_id in records or plan.test is None or not done:
        return []
    if plan.protocol.interval.runners_up and validation_noise(plan.protocol, searches) is None:
        return []
    ids = {loss.label: tuple(search.id for search in loss.searches) for loss in plan.losses}
    earlier = sum(opening.test == plan.test for opening in of_type(records.values(), Opening))
    opening = Opening(
        plan=plan.digest,
        dataset=plan.dataset,
        data=plan.data,
        test=plan.test,
        searches={label: own for label, own in ids.items() if label in labels},
        claims=plan.claims,
        number=earlier,
        set_aside={label: own for label, own in ids.items() if label not in labels},
        classes=plan.classes,
        queries=plan.queries,
    )
    title = f"{plan.dataset}: opening the test half"
    return [Job(kind="opening", id=opening.id, group=plan.dataset, title=title, payload=opening.to_json())]


def search_jobs(plan: DatasetPlan, search: SearchPlan, evidence: SearchEvidence, known: Known) -> list[Job]:
    """What one search may do now: its next proposals and trials, then the replicates and runners-up, then scores."""
    if evidence.chosen is None:
        selection = [selection_job(search, evidence)] if evidence.selecting else []
        return [*selection, *_trial_jobs(search, evidence, known), *proposal_jobs(search, evidence)]
    jobs = [
        *_replicate_jobs(plan, search, evidence.chosen, known),
        *_near_best_jobs(plan, search, evidence, known),
        *_default_jobs(plan, search, evidence, known),
        *_sweep_jobs(plan, search, evidence.chosen, known),
    ]
    return list({job.id: job for job in jobs}.values())


def is_of_search(job: Job) -> bool:
    """Whether a job is part of a search: no retraining, no opening of the test half and no score."""
    return job.kind in ("proposal", "selection") or (
        job.kind == "run" and job.payload["spec"]["stage"] == Stage.SEARCH.value
    )


def untrained_jobs(plan: DatasetPlan, known: Known) -> list[Job]:
    """The untrained models under the replicates' seeds, and their scores."""
    jobs = [job for search in plan.untrained.searches for job in _replicate_jobs(plan, search, None, known)]
    if known.opened:
        first, constant = plan.untrained.searches[0], sorted(constant_evaluations(plan.protocol))
        jobs += _score_jobs(plan, first, [plan.constant_run], "all replicates", known, constant)
    return list({job.id: job for job in jobs}.values())


def _trial_jobs(search: SearchPlan, evidence: SearchEvidence, known: Known) -> list[Job]:
    jobs = []
    for trial in evidence.trials:
        if not trial.complete:
            specs = search.trial_runs(slot=trial.slot, knobs=trial.raw())
            name = f"trial {trial.slot + 1}/{search.protocol.search.trials}"
            jobs += [_run_job(search, spec, name) for spec in specs if spec.id not in known.records]
    return jobs


def _replicate_jobs(plan: DatasetPlan, search: SearchPlan, chosen: Trial | None, known: Known) -> list[Job]:
    """The jobs of the models of the chosen setting, then its list of neighbours."""
    jobs, replicates = _retraining_jobs(plan, search, chosen, known, title="replicate")
    return jobs + _neighbor_jobs(plan, search, replicates, known)


def _default_jobs(plan: DatasetPlan, search: SearchPlan, evidence: SearchEvidence, known: Known) -> list[Job]:
    """The jobs of the models of the published setting, where the study asks for its row."""
    trial = default_trial(plan, evidence.trials)
    return _retraining_jobs(plan, search, trial, known, title="default, replicate")[0] if trial else []


Replicates = list[tuple[tuple[RunSpec, ...], RunSpec | None]]
"""The fold runs of each replicate, and its complete run where its lengths are known."""


def _retraining_jobs(
    plan: DatasetPlan, search: SearchPlan, chosen: Trial | None, known: Known, *, title: str
) -> tuple[list[Job], Replicates]:
    """Fold runs, complete runs as soon as their lengths are known, and once the test half is open their scores."""
    protocol, numbers = search.protocol, search.replicates
    knobs, complete_knobs = final_knobs(search, chosen)
    specs = [search.replicate_runs(index=index, knobs=knobs) for index in numbers]
    folds = [tuple(known.run(spec) for spec in fold_specs) for fold_specs in specs]
    jobs: list[Job] = []
    complete: list[Job] = []
    replicates: Replicates = []
    for place, index in enumerate(numbers):
        name = f"{title} {index + 1}/{protocol.final.seeds}"
        jobs += [_run_job(search, spec, name) for spec in specs[place] if spec.id not in known.records]
        basis = lengths_basis(search, folds, place) if protocol.completes else None
        spec = None if basis is None else search.complete_run(index=index, knobs=complete_knobs, fold_runs=basis)
        if spec is not None and spec.id not in known.records:
            complete.append(_run_job(search, spec, name))
        if known.opened:
            scored = specs[place] if protocol.scores_folds else ()
            for group in (scored, (spec,) if spec is not None else ()):
                jobs += _score_jobs(plan, search, group, name, known, search.evaluations)
        replicates.append((specs[place], spec))
    return jobs + complete, replicates


def _neighbor_jobs(
    plan: DatasetPlan,
    search: SearchPlan,
    replicates: Sequence[tuple[tuple[RunSpec, ...], RunSpec | None]],
    known: Known,
) -> list[Job]:
    """The list of nearest neighbours of a row, which its first search makes; and before it, lost weights again."""
    if not known.opened or search.number > 0:
        return []
    runs = [(tuple(map(known.run, folds)), known.run(whole) if whole else None) for folds, whole in replicates]
    spec = wanted_neighbors(plan, runs, declared_distance(search), known.records)
    if spec is None or spec.id in known.records:
        return []
    models = [run for folds, whole in replicates for run in (*folds, whole) if run and run.id in spec.models]
    lost = [] if spec.id in known.copied else [run for run in models if run.id not in known.weights]
    if lost:
        again = not _scored_without_list(plan, spec.models, known)
        return [_run_job(search, run, "nearest neighbours, lost weights") for run in lost] if again else []
    title = f"{search.group}: nearest neighbours of {len(spec.queries)} images"
    payload = {"spec": spec.to_json(), "weights": {run.id: known.weights_digest(run) for run in models}}
    return [Job(kind="neighbors", id=spec.id, group=search.group, title=title, payload=payload)]


def _scored_without_list(plan: DatasetPlan, models: Sequence[str], known: Known) -> bool:
    """Whether models were scored after an opening without queries: they are not trained again for a list."""
    openings = (one for one in of_type(known.records.values(), Opening) if one.test == plan.test)
    if all(opening.queries for opening in openings):
        return False
    score = plan.score(models, evaluation=CLEAN)
    return score is not None and (score.id in known.records or score.id in known.copied)


def _near_best_jobs(plan: DatasetPlan, search: SearchPlan, evidence: SearchEvidence, known: Known) -> list[Job]:
    """The complete runs of the runners-up, and once the test half is open the scores of all near-best settings."""
    if known.noise is None:
        return []
    protocol = search.protocol
    jobs: list[Job] = []
    for place, trial in enumerate(near_trials(search, evidence, noise=known.noise)):
        name = f"runner-up {place}, trial {trial.slot + 1}" if place else f"chosen trial {trial.slot + 1}"
        spec = runner_up_run(search, trial) if place and protocol.completes else None
        if spec is not None and spec.id not in known.records:
            jobs.append(_run_job(search, spec, name))
        if known.opened:
            folds = search.trial_runs(slot=trial.slot, knobs=trial.raw()) if protocol.scores_folds else ()
            for group in (folds, (spec,) if spec is not None else ()):
                jobs += _score_jobs(plan, search, group, name, known, search.evaluations)
    return jobs


def _sweep_jobs(plan: DatasetPlan, search: SearchPlan, chosen: Trial, known: Known) -> list[Job]:
    """The runs of sweeps that are missing, and the scores of a declared one; the chosen value's are the replicates'."""
    tested, jobs = scores_sweep(plan, known.records), []
    for point in planned_points(plan.study, search, knobs=chosen.knobs, unit=chosen.unit):
        if point.value == chosen.knobs[point.knob]:
            continue
        for place, specs in enumerate(point.runs):
            name = f"{point.knob} {point.value:.4g}, replicate {specs[0].index + 1}"
            models = swept_models(plan, search, point, place, known.records) if tested else ()
            kept = {spec.id for spec in models}
            missing = {spec.id: spec for spec in (*specs, *models) if spec.id not in known.records}
            jobs += [_run_job(search, spec, name, keep=spec.id in kept) for spec in missing.values()]
            if known.opened:
                jobs += _score_jobs(plan, search, models, name, known, (CLEAN,))
    return jobs


def spent_trials(search: SearchPlan, evidence: SearchEvidence, known: Known) -> tuple[str, ...]:
    """The runs of trials with stored weights that no score can need."""
    kept = {trial.slot for trial in kept_trials(search, evidence, noise=known.noise)}
    spent = (trial for trial in evidence.trials if trial.slot not in kept)
    return tuple(run_id for trial in spent for run_id in _run_ids(search, trial) if run_id in known.weights)


def _run_ids(search: SearchPlan, trial: Trial) -> tuple[str, ...]:
    recorded = tuple(run.id for run in trial.runs if run is not None)
    if trial.complete:
        return recorded
    return tuple(spec.id for spec in search.trial_runs(slot=trial.slot, knobs=trial.raw()))


def _score_jobs(
    plan: DatasetPlan,
    search: SearchPlan,
    specs: Sequence[RunSpec],
    name: str,
    known: Known,
    evaluations: Sequence[str],
) -> list[Job]:
    """The scores of some finished runs; and before them, again, the runs whose weights are lost."""
    jobs = []
    for evaluation in evaluations:
        score = score_spec(plan, [known.run(spec) for spec in specs], evaluation) if specs else None
        if score is None or score.id in known.records:
            continue
        lost = [] if score.id in known.copied else [spec for spec in specs if spec.id not in known.weights]
        if lost:
            jobs += [_run_job(search, spec, f"{name}, lost weights") for spec in lost]
            continue
        title = f"{search.group}: {name}, score of {len(specs)} model{'s' * (len(specs) > 1)}"
        payload = {"spec": score.to_json(), "weights": {spec.id: known.weights_digest(spec) for spec in specs}}
        jobs.append(Job(kind="score", id=score.id, group=search.group, title=title, payload=payload))
    return list({job.id: job for job in jobs}.values())


def _run_job(search: SearchPlan, spec: RunSpec, name: str, *, keep: bool = True) -> Job:
    part = "complete" if spec.fold is None else f"fold {spec.fold + 1}/{search.protocol.folds.count}"
    title = f"{search.group}: {name}, {part}"
    scored = spec.stage is Stage.FINAL or (search.protocol.interval.runners_up > 0 and search.protocol.scores_folds)
    payload: Body = {"spec": spec.to_json(), "keep": keep and scored}
    return Job(kind="run", id=spec.id, group=search.group, title=title, payload=payload)
