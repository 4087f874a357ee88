"""Read a plan's evidence out of its records."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from realitycheck.evaluations.menu import untrained_rows
from realitycheck.plan.searches import SearchPlan, constant_evaluations
from realitycheck.plan.specs import DatasetPlan, LossPlan
from realitycheck.records.chosen_trial import Selection
from realitycheck.records.evidence import (
    DatasetEvidence,
    EvaluationScores,
    LossEvidence,
    NearBest,
    Records,
    Replicate,
    SearchEvidence,
    Trial,
)
from realitycheck.records.near_settings import near_trials, runner_up_run, validation_noise
from realitycheck.records.neighbor_lists import with_neighbors
from realitycheck.records.registration import Registration
from realitycheck.records.replicate_models import lengths_basis, run_of, runs_of, score_spec
from realitycheck.records.schema import Opening, Proposal, Run, Score, of_type
from realitycheck.records.swept_evidence import sweeps_of
from realitycheck.runs import CLEAN, Knobs


def gather(plan: DatasetPlan, records: Records) -> DatasetEvidence:
    """Read a plan's evidence out of the records; other records are ignored."""
    openings = [opening for opening in of_type(records.values(), Opening) if opening.test == plan.test]
    registrations = of_type(records.values(), Registration)
    losses, untrained = _with_near_best(plan, records), _untrained(plan, records)
    return DatasetEvidence(
        dataset=plan.dataset,
        claims=plan.claims,
        losses=tuple(with_neighbors(plan, loss, records) for loss in losses),
        untrained=tuple(with_neighbors(plan, row, records) for row in untrained),
        openings=tuple(sorted(openings, key=lambda opening: opening.number)),
        registrations=tuple(sorted(registrations, key=lambda record: record.number)),
        sweeps=tuple(
            knob
            for loss, its in zip(plan.losses, losses, strict=True)
            for knob in sweeps_of(plan, loss.searches[0], its.searches[0], records)
        ),
        defaults=tuple(loss.default for loss in losses) if plan.study.default_rows else (),
    )


def _untrained(plan: DatasetPlan, records: Records) -> tuple[LossEvidence, ...]:
    searches = tuple(search_evidence(plan, search, records) for search in plan.untrained.searches)
    names = constant_evaluations(plan.protocol)
    constant = {name: _constant_search(plan, name, records) for name in names}
    return untrained_evidence(searches, rows=untrained_rows(plan.protocol.evaluations), constant=constant)


def untrained_evidence(
    searches: tuple[SearchEvidence, ...], *, rows: Mapping[str, str], constant: Mapping[str, SearchEvidence]
) -> tuple[LossEvidence, ...]:
    """The untrained rows: the same models, each row with an evaluation of its own.

    Args:
        searches: the untrained models of each search.
        rows: label of a row → its evaluation.
        constant: the evaluations under which all of these models are equal → the one replicate that is scored.
    """
    return tuple(
        LossEvidence(label, "cosine", evaluation, (constant[evaluation],), constant=True)
        if evaluation in constant
        else LossEvidence(label, "cosine", evaluation, searches)
        for label, evaluation in rows.items()
    )


def _constant_search(plan: DatasetPlan, evaluation: str, records: Records) -> SearchEvidence:
    """One replicate with one score, which is that of every category: equal models are equal when concatenated."""
    run = run_of(plan.constant_run.id, records)
    spec = score_spec(plan, [run], evaluation)
    record = records.get(spec.id) if spec else None
    score = replace(record, together=record.models[0]) if isinstance(record, Score) else None
    replicate = Replicate(0, 0, (run,), None, {evaluation: EvaluationScores(score, score)})
    return SearchEvidence(number=0, id="", planned=0, trials=(), chosen=None, replicates=(replicate,))


def loss_evidence(plan: DatasetPlan, loss: LossPlan, records: Records) -> LossEvidence:
    """The evidence of one loss."""
    assert loss.choice is not None
    searches = tuple(search_evidence(plan, search, records) for search in loss.searches)
    return LossEvidence(loss.choice.label, loss.choice.distance, CLEAN, searches)


def _with_near_best(plan: DatasetPlan, records: Records) -> tuple[LossEvidence, ...]:
    """The evidence of all losses; the near-best settings follow from the searches of all of them."""
    losses = tuple(loss_evidence(plan, loss, records) for loss in plan.losses)
    counted = counted_losses(plan, records, set_aside=())
    noise = validation_noise(plan.protocol, [one for loss in losses if loss.label in counted for one in loss.searches])
    if noise is None:
        return losses
    return tuple(
        replace(
            evidence,
            searches=tuple(
                near_evidence(plan, search, its, noise=noise, records=records)
                for search, its in zip(loss.searches, evidence.searches, strict=True)
            ),
        )
        for loss, evidence in zip(plan.losses, losses, strict=True)
    )


def counted_losses(plan: DatasetPlan, records: Records, *, set_aside: Collection[str]) -> frozenset[str]:
    """Labels of the losses for which the test half opens, and whose replicates say how much retraining varies.

    They are those of the plan's opening, so that a loss which is completed later changes no runner-up of the others.
    Before the opening they are all losses but those that are set aside.
    """
    opening = records.get(plan.opening_id)
    if isinstance(opening, Opening):
        return frozenset(opening.searches)
    return frozenset(loss.label for loss in plan.losses) - frozenset(set_aside)


def near_evidence(
    plan: DatasetPlan, search: SearchPlan, evidence: SearchEvidence, *, noise: float, records: Records
) -> SearchEvidence:
    """The evidence of a search with its near-best settings; unchanged where all of its trials diverged."""
    if evidence.chosen is None:
        return evidence
    first, *others = near_trials(search, evidence, noise=noise)
    runs = [evidence.replicates[0].complete_run]
    specs = [runner_up_run(search, trial) if search.protocol.completes else None for trial in others]
    runs += [run_of(spec.id, records) if spec else None for spec in specs]
    near = []
    for trial, complete in zip((first, *others), runs, strict=True):
        scores = _scores(plan, search, trial.runs, complete, records)
        models = Replicate(search.replicates[0], search.number, trial.runs, complete, scores)
        near.append(NearBest(trial, models))
    return replace(evidence, near_best=tuple(near))


def search_evidence(
    plan: DatasetPlan, search: SearchPlan, records: Records, *, before: SearchEvidence | None = None
) -> SearchEvidence:
    """The evidence of one search; that of the untrained models has no trials, and its setting is known beforehand.

    Args:
        plan: what the study asks for on the dataset.
        search: the search.
        records: every record by id.
        before: its evidence with fewer records: trials that were complete are taken from there, to save time.
    """
    trained = search.choice is not None
    planned = search.protocol.search.trials if trained else 0
    earlier = {trial.slot: trial for trial in before.trials} if before else {}
    trials = tuple(_trials(search, earlier, records)) if trained else ()
    best, selection = _best(trials, planned=planned), _selection(search, records) if trained else None
    selecting = best is not None and trained and search.selection_id is not None and selection is None
    chosen = trials[selection.slot] if selection and best else None if selecting else best
    known = chosen is not None or not trained
    return SearchEvidence(
        number=search.number,
        id=search.id if trained else "",
        planned=planned,
        trials=trials,
        chosen=chosen,
        replicates=_replicates(plan, search, chosen, records) if known else (),
        means=selection.means if selection and chosen else (),
        selecting=selecting,
        default=_replicates(plan, search, default, records) if (default := default_trial(plan, trials)) else (),
    )


def default_trial(plan: DatasetPlan, trials: Sequence[Trial]) -> Trial | None:
    """The trial of the published setting, where the study asks for its row and it is proposed."""
    return trials[0] if plan.study.default_rows and trials and trials[0].slot == 0 else None


def final_knobs(search: SearchPlan, chosen: Trial | None) -> tuple[Knobs, Knobs]:
    """The hyper-parameters of a trial as fold runs get them, and as complete runs do; untrained models have none."""
    return (chosen.raw(), chosen.raw(factor=search.complete_factor)) if chosen else ({}, {})


def _replicates(plan: DatasetPlan, search: SearchPlan, chosen: Trial | None, records: Records) -> tuple[Replicate, ...]:
    """The replicates of one setting, scored under every evaluation; parts that do not exist yet are None."""
    numbers = search.replicates
    knobs, complete_knobs = final_knobs(search, chosen)
    folds = [runs_of(search.replicate_runs(index=index, knobs=knobs), records) for index in numbers]
    replicates = []
    for place, index in enumerate(numbers):
        basis = lengths_basis(search, folds, place)
        spec = None if basis is None else search.complete_run(index=index, knobs=complete_knobs, fold_runs=basis)
        complete = run_of(spec.id, records) if spec else None
        replicates.append(
            Replicate(
                index=index,
                search=search.number,
                fold_runs=folds[place],
                complete_run=complete,
                scores=_scores(plan, search, folds[place], complete, records),
            )
        )
    return tuple(replicates)


def _scores(
    plan: DatasetPlan, search: SearchPlan, folds: Sequence[Run | None], complete: Run | None, records: Records
) -> dict[str, EvaluationScores]:
    def of(runs: Sequence[Run | None], evaluation: str) -> Score | None:
        spec = score_spec(plan, runs, evaluation)
        record = records.get(spec.id) if spec else None
        return record if isinstance(record, Score) else None

    return {name: EvaluationScores(of(folds, name), of([complete], name)) for name in search.evaluations}


def _proposals(search: SearchPlan, records: Records) -> Iterator[Proposal]:
    for slot in range(search.protocol.search.trials):
        record = records.get(search.proposal_id(slot))
        if isinstance(record, Proposal):
            yield record


def _selection(search: SearchPlan, records: Records) -> Selection | None:
    record = records.get(search.selection_id or "")
    return record if isinstance(record, Selection) else None


def _trials(search: SearchPlan, earlier: Mapping[int, Trial], records: Records) -> Iterator[Trial]:
    for proposal in _proposals(search, records):
        known = earlier.get(proposal.slot)
        yield known if known and _is_settled(known, proposal, records) else _trial(search, proposal, records)


def _is_settled(trial: Trial, proposal: Proposal, records: Records) -> bool:
    """Whether a trial is complete, and made of these very records: some may have been withdrawn."""
    same = trial.knobs is proposal.knobs and trial.unit is proposal.unit
    return same and all(run is not None and records.get(run.id) is run for run in trial.runs)


def _trial(search: SearchPlan, proposal: Proposal, records: Records) -> Trial:
    proposed = Trial(proposal.slot, proposal.knobs, proposal.source, (), proposal.unit)
    specs = search.trial_runs(slot=proposal.slot, knobs=proposed.raw())
    return replace(proposed, runs=runs_of(specs, records))


def _best(trials: Sequence[Trial], *, planned: int) -> Trial | None:
    if not trials or len(trials) < planned or not all(trial.complete for trial in trials):
        return None
    valued = [(trial.value, -trial.slot, trial) for trial in trials if trial.value is not None]
    return max(valued, key=lambda entry: entry[:2])[2] if valued else None
