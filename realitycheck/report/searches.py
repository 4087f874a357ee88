"""What the search of each loss spent and chose."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from realitycheck.protocol.model import Study
from realitycheck.protocol.space import Bounds, Choice, IntUniform, LogIntUniform, LogUniform, Space, Uniform
from realitycheck.records.evidence import Replicate, SearchEvidence
from realitycheck.records.schema import Run
from realitycheck.runs import Stage
from realitycheck.statistics.intervals import mean_of

NEAR = 0.01
"""An optimum within this share of the range from a bound, on the range's own scale, counts as on it."""

SCALES: dict[type, str] = {
    Uniform: "linear",
    LogUniform: "log",
    IntUniform: "integer",
    LogIntUniform: "integer, log",
}


@dataclass(frozen=True, slots=True)
class Knob:
    """One chosen value. `scale` is one of `SCALES`, `choice` or `fixed`; ranges have bounds, choices have options."""

    name: str
    value: float | int | str
    scale: str
    bounds: tuple[float, float] | None
    options: tuple[float | int | str, ...]
    on_bound: str | None


@dataclass(frozen=True, slots=True)
class SearchSummary:
    """One search, told for the reader.

    Args:
        label: the loss.
        number: which of its searches, from 0.
        trials: proposals made.
        wanted: proposals that the protocol grants.
        finished: trials that have a value or diverged.
        diverged: trials that diverged.
        searched: knobs that were searched, not fixed.
        slot: of the chosen trial, counted from 0, or None.
        source: how the chosen trial was proposed, or None.
        value: the chosen trial's mean validation MAP@R in [0, 1].
        fresh: the same quantity under fresh seeds, mean over replicates whose folds all completed.
        knobs: the chosen values.
        causes: why runs diverged, of trials and replicates: sentence → how many, most frequent first.
    """

    label: str
    number: int
    trials: int
    wanted: int
    finished: int
    diverged: int
    searched: int
    slot: int | None
    source: str | None
    value: float | None
    fresh: float | None
    knobs: tuple[Knob, ...]
    causes: tuple[tuple[str, int], ...]

    @property
    def trial(self) -> int | None:
        """The chosen trial, counted from 1."""
        return None if self.slot is None else self.slot + 1

    @property
    def on_bound(self) -> list[str]:
        """The knobs whose optimum lies on a bound."""
        return [knob.name for knob in self.knobs if knob.on_bound]

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


def treatment(study: Study, label: str) -> Treatment:
    """Batch shape and distance of one loss."""
    choice = study.loss(label)
    batches = study.protocol.batches
    batch = batches.pairs if choice.family == "pairs" else batches.proxies
    return Treatment(label, choice.distance, batch.classes, batch.per_class)


def summarize_search(study: Study, dataset: str, label: str, search: SearchEvidence) -> SearchSummary:
    """What one search spent, what it chose, and how far its winner was flattered."""
    chosen = search.chosen
    space = study.protocol.space_of(study.loss(label), dataset)
    return SearchSummary(
        label=label,
        number=search.number,
        trials=len(search.trials),
        wanted=search.planned,
        finished=finished_trials(search),
        diverged=_diverged_trials(search),
        searched=sum(isinstance(each, Bounds | Choice) for each in space.values()),
        slot=chosen.slot if chosen else None,
        source=chosen.source if chosen else None,
        value=chosen.value if chosen else None,
        fresh=fresh_value(search.replicates),
        knobs=_knobs(space, chosen.knobs) if chosen else (),
        causes=divergence_causes(search),
    )


def bounds_reached(searches: Sequence[SearchSummary]) -> list[str]:
    """Knobs with an optimum on a bound, and in which of several searches: `margin`, or `margin (1, 3)`."""
    reached: dict[str, list[str]] = {}
    for search in searches:
        for name in search.on_bound:
            reached.setdefault(name, []).append(str(search.number + 1))
    return [f"{name} ({', '.join(of)})" if len(searches) > 1 else name for name, of in reached.items()]


def finished_trials(search: SearchEvidence) -> int:
    """Trials that have a value or diverged."""
    return _diverged_trials(search) + sum(trial.value is not None for trial in search.trials)


def _diverged_trials(search: SearchEvidence) -> int:
    return sum(trial.diverged for trial in search.trials)


def divergence_causes(search: SearchEvidence) -> tuple[tuple[str, int], ...]:
    """Why runs of one search diverged. Iterations and numbers are left out, so that alike causes count as one."""
    runs = (*search.runs(Stage.SEARCH), *search.runs(Stage.FINAL))
    causes = [re.split(r" (?:at|by) iteration| to a spread", run.cause)[0] for run in runs if run.cause]
    return tuple(sorted(Counter(causes).items(), key=lambda pair: (-pair[1], pair[0])))


def fresh_value(replicates: tuple[Replicate, ...]) -> float | None:
    """Mean validation MAP@R in [0, 1] over the replicates whose fold runs all completed, or None."""
    values = [_validation(each.fold_runs) for each in replicates]
    there = [value for value in values if value is not None]
    return mean_of(there) if there else None


def on_bound(value: float, bounds: tuple[float, float], *, log: bool) -> str | None:
    """`low` or `high` if the value lies within `NEAR` of the range from that bound, else None, as outside the range."""
    if not bounds[0] <= value <= bounds[1]:
        return None
    low, high = (math.log(end) if log else end for end in bounds)
    place = ((math.log(value) if log else value) - low) / (high - low)
    if place <= NEAR:
        return "low"
    return "high" if place >= 1 - NEAR else None


def _validation(runs: tuple[Run | None, ...]) -> float | None:
    best = [run.best.scores["map_at_r"] for run in runs if run and run.best]
    return mean_of(best) if best and len(best) == len(runs) else None


def _knobs(space: Space, chosen: Mapping[str, float | int | str]) -> tuple[Knob, ...]:
    """In the order of the space, then whatever else the record holds."""
    names = [name for name in space if name in chosen] + [name for name in chosen if name not in space]
    return tuple(_knob(name, chosen[name], space.get(name)) for name in names)


def _knob(name: str, value: float | int | str, ground: object) -> Knob:
    if isinstance(ground, Choice):
        return Knob(name, value, "choice", None, ground.choice, None)
    if not isinstance(ground, Bounds) or isinstance(value, str):
        return Knob(name, value, "fixed", None, (), None)
    side = on_bound(value, ground.bounds, log=isinstance(ground, LogUniform | LogIntUniform))
    return Knob(name, value, SCALES[type(ground)], ground.bounds, (), side)
