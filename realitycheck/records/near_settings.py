"""Which settings of a search validation cannot distinguish from its best one, by the records alone.

They are decided once every fold run of every replicate is recorded: only then is it known how much a validation value
varies by retraining. The test half opens after that, so no test score can choose them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from realitycheck.plan.searches import SearchPlan
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.space import Space, place_in
from realitycheck.records.evidence import SearchEvidence, Trial
from realitycheck.runs import RunSpec
from realitycheck.statistics.base import present
from realitycheck.statistics.near_best import near_best, retraining_noise


def validation_noise(protocol: Protocol, searches: Iterable[SearchEvidence]) -> float | None:
    """The standard deviation of a trial's value by retraining, pooled over the searches of all losses on a dataset.

    None while a fold run is missing, and where the protocol scores no runners-up.
    """
    known = tuple(searches)
    if not protocol.interval.runners_up or not all(search.validated for search in known):
        return None
    return trial_noise(known)


def trial_noise(searches: Iterable[SearchEvidence]) -> float | None:
    """The same standard deviation from the replicates that are recorded; None with one of each search."""
    return retraining_noise([present([one.value for one in search.replicates]) for search in searches])


def places_of(trials: Iterable[Trial], space: Space) -> list[Mapping[str, float | str]]:
    """The hyper-parameters of each trial as shares of their ranges, in [0, 1] on the range's scale, or as options."""
    return [
        {name: place_in(bounds, trial.knobs[name]) for name, bounds in space.items() if name in trial.knobs}
        for trial in trials
    ]


def near_trials(search: SearchPlan, evidence: SearchEvidence, *, noise: float) -> tuple[Trial, ...]:
    """The best trial of a search and its runners-up by what the search chooses by, the best first."""
    assert search.choice is not None
    space = search.protocol.space_of(search.choice, search.dataset)
    trials = evidence.trials
    chosen = near_best(evidence.criterion, places_of(trials, space), noise=noise)
    return tuple(trials[number] for number in chosen[: 1 + search.protocol.interval.runners_up])


def kept_trials(search: SearchPlan, evidence: SearchEvidence, *, noise: float | None) -> tuple[Trial, ...]:
    """The trials whose models a score may still need: the unfinished ones, and the runners-up so far.

    As long as the noise is not known, every trial is inside the window. A trial outside of this list can still come
    into it where a later one displaces a runner-up that is close to both; then it is trained again.
    """
    if not search.protocol.interval.runners_up or not search.protocol.scores_folds:
        return ()
    unfinished = tuple(trial for trial in evidence.trials if not trial.complete)
    return unfinished + near_trials(search, evidence, noise=math.inf if noise is None else noise)


def runner_up_run(search: SearchPlan, trial: Trial) -> RunSpec | None:
    """The complete run of a runner-up, or None while a fold run of its trial is missing.

    It has the seed of the first replicate, and its lengths come from the fold runs of the trial.
    """
    folds = [run for run in trial.runs if run is not None]
    if len(folds) < len(trial.runs):
        return None
    knobs = trial.raw(factor=search.complete_factor)
    return search.complete_run(index=search.replicates[0], knobs=knobs, fold_runs=folds)
