"""The searches of every loss: their cost, what they chose, and how optimistic the choice was."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from realitycheck.protocol.space import Bounds, Choice, IntUniform, LogIntUniform, LogUniform, Space, Uniform
from realitycheck.records.evidence import Replicate, SearchEvidence, Trial
from realitycheck.records.schema import Run
from realitycheck.report.blocks import Block, Column, Content, Heading, Marked, Note, RowGroup, Table, rows_of
from realitycheck.report.findings import DatasetFindings, found_once
from realitycheck.report.missing import finished_trials
from realitycheck.report.sections.base import Section
from realitycheck.report.sections.trial_figure import trial_figure
from realitycheck.report.wording import DASH, number, optional_points, optional_signed, searched_by
from realitycheck.runs import Stage
from realitycheck.statistics.intervals import mean_of

NEAR = 0.01
"""An optimum within this share of the range from a bound, on the range's own scale, counts as on the bound."""

SCALES: dict[type, str] = {
    Uniform: "linear",
    LogUniform: "log",
    IntUniform: "integer",
    LogIntUniform: "integer, log",
}


@dataclass(frozen=True, slots=True)
class Knob:
    """One chosen value. `scale` is one of `SCALES`, `choice` or `fixed`; ranges have bounds, choices have options.

    `raw` is what the loss gets where the value is in units of the initial embedding length; None elsewhere.
    """

    name: str
    value: float | int | str
    scale: str
    bounds: tuple[float, float] | None
    options: tuple[float | int | str, ...]
    on_bound: str | None
    raw: float | int | str | None = None


@dataclass(frozen=True, slots=True)
class SearchSummary:
    """One search.

    Args:
        label: the loss.
        number: which of its searches, from 0.
        trials: proposals made.
        wanted: proposals that the protocol plans.
        finished: trials that have a value or diverged.
        diverged: trials that diverged.
        searched: knobs that were searched, not fixed.
        slot: of the chosen trial, counted from 0, or None.
        source: how the chosen trial was proposed, or None.
        value: the chosen trial's mean validation MAP@R in [0, 1].
        fresh: the same quantity under fresh seeds, mean over replicates without a diverged fold run.
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
        """Names of the knobs with an optimum on a bound."""
        return [knob.name for knob in self.knobs if knob.on_bound]

    @property
    def optimism(self) -> float | None:
        """Chosen minus fresh: the bias of picking a trial by its own value."""
        return None if self.value is None or self.fresh is None else self.value - self.fresh


@dataclass(frozen=True, slots=True)
class SearchResults:
    """The searches of all losses, loss by loss."""

    searches: tuple[SearchSummary, ...]


@found_once
def find(dataset: DatasetFindings) -> SearchResults:
    """Summarize every search of every loss."""
    return SearchResults(
        tuple(
            summarize_search(loss.label, search, dataset.spaces[loss.label])
            for loss in dataset.evidence.losses
            for search in loss.searches
        )
    )


def summarize_search(label: str, search: SearchEvidence, space: Space) -> SearchSummary:
    """Summarize one search: its cost, its choice, and the same setting under fresh seeds."""
    chosen = search.chosen
    return SearchSummary(
        label=label,
        number=search.number,
        trials=len(search.trials),
        wanted=search.planned,
        finished=finished_trials(search),
        diverged=sum(trial.diverged for trial in search.trials),
        searched=sum(isinstance(bounds, Bounds | Choice) for bounds in space.values()),
        slot=chosen.slot if chosen else None,
        source=chosen.source if chosen else None,
        value=chosen.value if chosen else None,
        fresh=fresh_value(search.replicates),
        knobs=_in_units(_knobs(space, chosen.knobs), chosen) if chosen else (),
        causes=divergence_causes(search),
    )


def blocks(dataset: DatasetFindings, facts: SearchResults) -> Iterator[Block]:
    """Print the figure of all trials, the cost of every search, and the chosen settings."""
    yield Heading(3, "Search")
    if any(loss.trials for loss in dataset.evidence.losses):
        yield trial_figure(dataset)
    yield _cost_table(dataset, facts)
    yield from (Note(_causes(dataset, search)) for search in facts.searches if search.causes)
    if any(search.knobs for search in facts.searches):
        yield _knob_table(dataset, facts)


def search_name(dataset: DatasetFindings, search: SearchSummary) -> Marked:
    """The head of a search's rows: the loss, the number of the search, and the loss's marks."""
    study = dataset.study
    return Marked(searched_by(search.label, search.number, searches=study.searches), study.loss_marks(search.label))


def _cost_table(dataset: DatasetFindings, facts: SearchResults) -> Table:
    several = dataset.study.searches > 1
    heads = ("Trials done", "Diverged", "Chosen trial", "Chosen", "Fresh seeds", "Optimism")
    test = f" Test score: {dataset.study.primary}, mean over the replicates of the search." if several else ""
    return Table(
        (Column("Loss"), *(Column(head, number=True) for head in (*heads, *(["Test score"] if several else [])))),
        rows_of([_cost_line(dataset, search, several=several) for search in facts.searches]),
        caption="Search cost and selection optimism. Chosen: validation MAP@R of the chosen trial"
        f"{_how_chosen(dataset)}. Fresh seeds: mean of the same quantity under fresh seeds. Optimism: chosen minus "
        f"fresh seeds.{test}",
    )


def _how_chosen(dataset: DatasetFindings) -> str:
    """Where the highest posterior mean chooses, the value of the chosen trial need not be the best one."""
    by_mean = dataset.protocol.search.select == "posterior_mean"
    return ", which has the highest posterior mean and need not have the highest value" if by_mean else ""


def _cost_line(dataset: DatasetFindings, search: SearchSummary, *, several: bool) -> tuple[Content, ...]:
    study = dataset.study
    chosen = DASH if search.trial is None else f"{search.trial} of {search.wanted}"
    means = dataset.row(search.label).cell(study.category, study.metric).search_means
    return (
        search_name(dataset, search),
        f"{search.finished} of {search.wanted}",
        str(search.diverged),
        Marked(chosen, ("the published setting",)) if search.source == "published" else chosen,
        optional_points(search.value),
        optional_points(search.fresh),
        optional_signed(search.optimism),
        *([optional_points(means[search.number])] if several else []),
    )


def _causes(dataset: DatasetFindings, search: SearchSummary) -> str:
    name = searched_by(dataset.study.shown(search.label), search.number, searches=dataset.study.searches)
    causes = "; ".join(f"{count} × {cause}" for cause, count in search.causes)
    return f"Diverged runs of {name}, of trials and replicates: {causes}."


def _knob_table(dataset: DatasetFindings, facts: SearchResults) -> Table:
    followup = (
        " In the follow-up, followup_x replaces x, and followup_x_scale multiplies it."
        if dataset.study.several_phases
        else ""
    )
    in_units = any(knob.raw is not None for search in facts.searches for knob in search.knobs)
    units = (
        " Lengths are in units of the initial embedding length; raw is what the loss gets in a fold run."
        if in_units
        else ""
    )
    return Table(
        (
            *(Column("Loss"), Column("Hyper-parameter"), Column("Chosen", number=True)),
            *(Column("Range"), Column("Scale"), Column("At a bound")),
        ),
        tuple(
            RowGroup(tuple(_knob_line(knob) for knob in search.knobs), head=search_name(dataset, search))
            for search in facts.searches
            if search.knobs
        ),
        caption="Chosen settings and search ranges. A value at a bound (within 1 % of the range) suggests that a "
        f"wider range might improve the loss.{followup}{units}",
    )


def _knob_line(knob: Knob) -> tuple[Content, ...]:
    options = ", ".join(map(number, knob.options))
    bounds = f"{number(knob.bounds[0])} to {number(knob.bounds[1])}" if knob.bounds else options
    value = number(knob.value) + ("" if knob.raw is None else f" (raw {number(knob.raw)})")
    return (knob.name, value, bounds, knob.scale, knob.on_bound or "")


def bounds_reached(searches: Sequence[SearchSummary]) -> list[str]:
    """List knobs with an optimum on a bound, and in which of several searches: `margin`, or `margin (1, 3)`."""
    reached: dict[str, list[str]] = {}
    for search in searches:
        for name in search.on_bound:
            reached.setdefault(name, []).append(str(search.number + 1))
    return [f"{name} ({', '.join(numbers)})" if len(searches) > 1 else name for name, numbers in reached.items()]


def divergence_causes(search: SearchEvidence) -> tuple[tuple[str, int], ...]:
    """Count why runs of one search diverged; causes that differ in numbers alone count as one."""
    runs = (*search.runs(Stage.SEARCH), *search.runs(Stage.FINAL))
    causes = [(re.split(r" (?:at|by) iteration| to a spread", run.cause)[0], run.id) for run in runs if run.cause]
    counts = Counter(cause for cause, _ in causes)
    said = {cause: search.raised[run] for cause, run in reversed(causes) if run in search.raised}
    named = {cause: f"{cause}, the first {said[cause]}" if cause in said else cause for cause in counts}
    return tuple(sorted(((named[cause], n) for cause, n in counts.items()), key=lambda pair: (-pair[1], pair[0])))


def fresh_value(replicates: tuple[Replicate, ...]) -> float | None:
    """Mean validation MAP@R in [0, 1] over replicates with completed fold runs only, or None."""
    values = [_validation(replicate.fold_runs) for replicate in replicates]
    known = [value for value in values if value is not None]
    return mean_of(known) if known else None


def on_bound(value: float, bounds: tuple[float, float], *, log: bool) -> str | None:
    """`low` or `high` if the value is within `NEAR` of the range from that bound; None otherwise and out of range."""
    if not bounds[0] <= value <= bounds[1]:
        return None
    low, high = (math.log(end) if log else end for end in bounds)
    position = ((math.log(value) if log else value) - low) / (high - low)
    if position <= NEAR:
        return "low"
    return "high" if position >= 1 - NEAR else None


def _validation(runs: tuple[Run | None, ...]) -> float | None:
    values = [run.value for run in runs if run and run.value is not None]
    return mean_of(values) if values and len(values) == len(runs) else None


def _knobs(space: Space, chosen: Mapping[str, float | int | str]) -> tuple[Knob, ...]:
    """The chosen values in the order of the space, then any others of the record."""
    names = [name for name in space if name in chosen] + [name for name in chosen if name not in space]
    return tuple(_knob(name, chosen[name], space.get(name)) for name in names)


def _in_units(knobs: Sequence[Knob], chosen: Trial) -> tuple[Knob, ...]:
    """The same, with what the loss gets for each length."""
    powers, raw = chosen.unit.powers if chosen.unit else {}, chosen.raw()
    return tuple(replace(knob, raw=raw[knob.name]) if knob.name in powers else knob for knob in knobs)


def _knob(name: str, value: float | int | str, bounds: object) -> Knob:
    if isinstance(bounds, Choice):
        return Knob(name, value, "choice", None, bounds.choice, None)
    if not isinstance(bounds, Bounds) or isinstance(value, str):
        return Knob(name, value, "fixed", None, (), None)
    side = on_bound(value, bounds.bounds, log=isinstance(bounds, LogUniform | LogIntUniform))
    return Knob(name, value, SCALES[type(bounds)], bounds.bounds, (), side)


SECTION = Section(
    name="search",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
    keys=lambda facts: {"searches": facts.searches},
)
