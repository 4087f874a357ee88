"""What the search of each loss spent and chose."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from realitycheck.plan.evidence import LossEvidence
from realitycheck.protocol.model import Study
from realitycheck.protocol.space import Choice, IntUniform, LogUniform, Space, Uniform
from realitycheck.report.scores import trial_diverged
from realitycheck.runs import Body, Replicate
from realitycheck.statistics.intervals import mean_of

NEAR = 0.01
"""An optimum within this share of the range from a bound, on the range's own scale, counts as on it."""


@dataclass(frozen=True, slots=True)
class Knob:
    """One chosen value. `scale` is `linear`, `log`, `integer`, `choice` or `fixed`; ranges have bounds."""

    name: str
    value: float | int | str
    scale: str
    bounds: tuple[float, float] | None
    options: tuple[str, ...]
    on_bound: str | None


@dataclass(frozen=True, slots=True)
class SearchSummary:
    """One search, told for the reader.

    Args:
        label: the loss.
        trials: proposals made.
        wanted: proposals that the protocol grants.
        finished: trials that have a value or diverged.
        diverged: trials that diverged.
        slot: of the chosen trial, or None.
        value: the chosen trial's mean validation MAP@R in [0, 1].
        fresh: the same quantity under fresh seeds, mean over replicates whose folds all completed.
        knobs: the chosen values.
        causes: why runs diverged, of trials and replicates: sentence → how many, most frequent first.
    """

    label: str
    trials: int
    wanted: int
    finished: int
    diverged: int
    slot: int | None
    value: float | None
    fresh: float | None
    knobs: tuple[Knob, ...]
    causes: tuple[tuple[str, int], ...]

    @property
    def optimism(self) -> float | None:
        """Chosen minus fresh: what picking the best trial flattered it by."""
        return None if self.value is None or self.fresh is None else self.value - self.fresh


@dataclass(frozen=True, slots=True)
class Treatment:
    """What was not equal for one loss."""

    label: str
    distance: str
    classes: int
    per_class: int
    searched: int


def full_space(study: Study, label: str) -> Space:
    """The loss's own ranges and the shared ones; its own win where both name a knob."""
    return {**study.protocol.search.shared, **study.loss(label).space}


def treatment(study: Study, label: str) -> Treatment:
    """Batch shape, distance and number of searched knobs of one loss."""
    choice = study.loss(label)
    batches = study.protocol.batches
    batch = batches.pairs if choice.family == "pairs" else batches.proxies
    ranges = (Uniform, LogUniform, IntUniform, Choice)
    searched = sum(isinstance(each, ranges) for each in full_space(study, label).values())
    return Treatment(label, choice.distance, batch.classes, batch.per_class, searched)


def summarize_search(study: Study, evidence: LossEvidence) -> SearchSummary:
    """What one search spent, what it chose, and how far its winner was flattered."""
    chosen = evidence.chosen
    diverged = sum(trial_diverged(runs) for runs in evidence.trial_runs)
    return SearchSummary(
        label=evidence.label,
        trials=len(evidence.trials),
        wanted=study.protocol.search.trials,
        finished=diverged + sum(trial.value is not None for trial in evidence.trials),
        diverged=diverged,
        slot=chosen.slot if chosen else None,
        value=chosen.value if chosen else None,
        fresh=fresh_value(evidence.replicates),
        knobs=_knobs(full_space(study, evidence.label), chosen.knobs) if chosen else (),
        causes=divergence_causes(evidence),
    )


def divergence_causes(evidence: LossEvidence) -> tuple[tuple[str, int], ...]:
    """Why this loss's runs diverged. The iterations and numbers of a cause are left out: alike ones count as one."""
    finals = (run for each in evidence.replicates for run in (*each.fold_runs, each.complete_run))
    runs = [run for folds in evidence.trial_runs for run in folds] + list(finals)
    causes = [re.split(r" (?:at|by) iteration| to a spread", run["cause"])[0] for run in runs if run and run["cause"]]
    return tuple(sorted(Counter(causes).items(), key=lambda each: (-each[1], each[0])))


def fresh_value(replicates: tuple[Replicate, ...]) -> float | None:
    """Mean validation MAP@R in [0, 1] over the replicates whose fold runs all completed, or None."""
    values = [_validation(each.fold_runs) for each in replicates]
    there = [value for value in values if value is not None]
    return mean_of(there) if there else None


def on_bound(value: float, bounds: tuple[float, float], *, log: bool) -> str | None:
    """`low` or `high` if the value lies within `NEAR` of the range from that bound, else None."""
    low, high = (math.log(end) if log else end for end in bounds)
    place = ((math.log(value) if log else value) - low) / (high - low)
    if place <= NEAR:
        return "low"
    return "high" if place >= 1 - NEAR else None


def _validation(runs: tuple[Body | None, ...]) -> float | None:
    best = [run["best"]["map_at_r"] for run in runs if run and run["best"]]
    return mean_of(best) if best and len(best) == len(runs) else None


def _knobs(space: Space, chosen: Mapping[str, float | int | str]) -> tuple[Knob, ...]:
    """In the order of the space, then whatever else the record holds."""
    names = [name for name in space if name in chosen] + [name for name in chosen if name not in space]
    return tuple(_knob(name, chosen[name], space.get(name)) for name in names)


def _knob(name: str, value: float | int | str, ground: object) -> Knob:
    if isinstance(ground, Choice):
        return Knob(name, value, "choice", None, ground.choice, None)
    scales: dict[type, str] = {Uniform: "linear", LogUniform: "log", IntUniform: "integer"}
    if not isinstance(ground, (Uniform, LogUniform, IntUniform)) or isinstance(value, str):
        return Knob(name, value, "fixed", None, (), None)
    side = on_bound(value, ground.bounds, log=isinstance(ground, LogUniform))
    return Knob(name, value, scales[type(ground)], ground.bounds, (), side)
