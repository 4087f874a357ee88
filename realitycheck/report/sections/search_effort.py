"""What every search cost, how soon it was good, and how much each of its hyper-parameters mattered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from realitycheck.protocol.space import Bounds, Choice, IntUniform, LogIntUniform, Range, Space
from realitycheck.records.evidence import LossEvidence, SearchEvidence, Trial
from realitycheck.records.near_settings import places_of, trial_noise
from realitycheck.records.schema import Run
from realitycheck.report.blocks import Block, Column, Content, Heading, Marked, RowGroup, Table, rows_of
from realitycheck.report.findings import DatasetFindings, found_once
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import DASH, percent, searched_by, thousands
from realitycheck.runs import Stage
from realitycheck.statistics.intervals import mean_of
from realitycheck.statistics.knob_importance import FEWEST, TOP, Axis, knob_importance
from realitycheck.statistics.near_best import WINDOW, near_best

FINAL = 0.99
"""The share of its final value at which a search counts as having arrived."""

EDGE = 1e-6
"""A proposal within this share of the range from a bound is on the bound."""

FEW_VALUES = 10
"""An integer range with fewer values has no bounds here: a tenth or more of any proposals are on them."""

GRID = 50
"""Grid points of a range of real numbers."""

DRAWN = ("startup", "published")
"""Sources of trials that no sampler proposed."""


@dataclass(frozen=True, slots=True)
class Reached:
    """When a search reached a value: after how many trials, and iterations of their fold runs."""

    trials: int
    iterations: int


@dataclass(frozen=True, slots=True)
class SearchEffort:
    """One search.

    Args:
        label: the loss.
        number: which of its searches, from 0.
        iterations: iterations of the fold runs of all trials.
        evaluations: their validations.
        retraining: iterations of all runs of the replicates.
        untrained: mean validation MAP@R of the fold runs at iteration 0, in [0, 1]; None before there is one.
        to_untrained: when a trial first reached that; None if none did.
        to_final: when the best value so far first reached `FINAL` of the last one; None without a value.
        proposed: trials that the sampler proposed.
        on_bounds: those of them with a hyper-parameter on a bound.
        completed: trials with a value.
        near_best: those of them that validation cannot distinguish from the best one; None where the noise is unknown.
        apart: near-best settings that also differ from one another, at most five; None where the noise is unknown.
        importance: hyper-parameter → its share by PED-ANOVA; empty with too few trials.
    """

    label: str
    number: int
    iterations: int
    evaluations: int
    retraining: int
    untrained: float | None
    to_untrained: Reached | None
    to_final: Reached | None
    proposed: int
    on_bounds: int
    completed: int
    near_best: int | None
    apart: int | None
    importance: dict[str, float]


@dataclass(frozen=True, slots=True)
class Effort:
    """The searches of all losses.

    Args:
        noise: standard deviation of a trial's value over seeds, pooled over all losses; None where it is unknown.
        searches: loss by loss.
    """

    noise: float | None
    searches: tuple[SearchEffort, ...]


@found_once
def find(dataset: DatasetFindings) -> Effort | None:
    """Only where there is a trial."""
    losses = dataset.evidence.losses
    if not any(loss.trials for loss in losses):
        return None
    noise = trial_noise(search for loss in losses for search in loss.searches)
    return Effort(noise, tuple(one for loss in losses for one in _of_loss(loss, dataset.spaces[loss.label], noise)))


def _of_loss(loss: LossEvidence, space: Space, noise: float | None) -> Iterator[SearchEffort]:
    for search in loss.searches:
        yield search_effort(loss.label, search, space, noise=noise)


def search_effort(label: str, search: SearchEvidence, space: Space, *, noise: float | None) -> SearchEffort:
    """Collect the numbers of one search."""
    runs, trials, values = list(search.runs(Stage.SEARCH)), search.trials, [trial.value for trial in search.trials]
    starts = [run.curve[0].scores["map_at_r"] for run in runs if run.curve]
    untrained = mean_of(starts) if starts else None
    known = [value for value in values if value is not None]
    places = places_of(trials, space)
    proposed = [place for trial, place in zip(trials, places, strict=True) if trial.source not in DRAWN]
    chosen_by = [value for value in search.criterion if value is not None]
    window = None if noise is None or not chosen_by else max(chosen_by) - WINDOW * noise
    return SearchEffort(
        label=label,
        number=search.number,
        iterations=sum(map(iterations_of, runs)),
        evaluations=sum(len(run.curve) for run in runs),
        retraining=sum(map(iterations_of, search.runs(Stage.FINAL))),
        untrained=untrained,
        to_untrained=None if untrained is None else _reached(trials, lambda best: best >= untrained),
        to_final=_reached(trials, lambda best: best >= FINAL * max(known)),
        proposed=len(proposed),
        on_bounds=sum(_on_bound(place, space) for place in proposed),
        completed=len(known),
        near_best=None if window is None else sum(value >= window for value in chosen_by),
        apart=None if noise is None else len(near_best(search.criterion, places, noise=noise)),
        importance=knob_importance(values, places, axes=_axes(space)),
    )


def iterations_of(run: Run) -> int:
    """How long a run trained; of a diverged one, up to its last validation."""
    if run.phases:
        return sum(phase.iterations for phase in run.phases)
    return run.curve[-1].iteration if run.curve else 0


def _reached(trials: Sequence[Trial], enough: Callable[[float], bool]) -> Reached | None:
    spent = accumulate(sum(iterations_of(run) for run in trial.runs if run) for trial in trials)
    for place, (trial, iterations) in enumerate(zip(trials, spent, strict=True)):
        if trial.value is not None and enough(trial.value):
            return Reached(place + 1, iterations)
    return None


def _on_bound(places: Mapping[str, float | str], space: Space) -> bool:
    return any(
        not isinstance(place, str) and _has_bounds(space[name]) and not EDGE < place < 1 - EDGE
        for name, place in places.items()
    )


def _has_bounds(bounds: Range) -> bool:
    if not isinstance(bounds, IntUniform | LogIntUniform):
        return isinstance(bounds, Bounds)
    low, high = bounds.bounds
    return high - low + 1 >= FEW_VALUES


def _axes(space: Space) -> dict[str, Axis]:
    searched = {name: bounds for name, bounds in space.items() if isinstance(bounds, Bounds | Choice)}
    return {name: _axis(bounds) for name, bounds in searched.items()}


def _axis(bounds: Bounds | Choice) -> Axis:
    if isinstance(bounds, Choice):
        return Axis(len(bounds.choice), tuple(map(str, bounds.choice)))
    low, high = bounds.bounds
    if isinstance(bounds, LogIntUniform):
        return Axis(min(GRID, int(high - low).bit_length() + 1))  # as optuna does: ⌈log₂ of the values⌉ + 1
    return Axis(min(GRID, int(high - low) + 1) if isinstance(bounds, IntUniform) else GRID)


def blocks(dataset: DatasetFindings, facts: Effort) -> Iterator[Block]:
    """Print the table of effort and that of importance."""
    yield Heading(3, "Search effort")
    yield _effort_table(dataset, facts)
    if any(search.importance for search in facts.searches):
        yield _importance_table(dataset, facts)


def _effort_table(dataset: DatasetFindings, facts: Effort) -> Table:
    pairs = [
        Column(head, number=True, group=group)
        for group in ("To the untrained score", f"To {percent(FINAL)} of the end")
        for head in ("trials", "iterations")
    ]
    near = (
        ""
        if facts.noise is None
        else f" Standard deviation of a trial's validation MAP@R over seeds: {100 * facts.noise:.2f} points."
    )
    return Table(
        (
            *(Column("Loss"), *(Column(head, number=True, group="Iterations") for head in ("search", "retraining"))),
            *(Column("Validations", number=True), *pairs),
            *(Column(head, number=True) for head in ("On a bound", "Near best (apart)")),
        ),
        rows_of([_effort_line(dataset, search) for search in facts.searches]),
        caption="Untrained score: mean validation MAP@R of the fold runs at iteration 0. End: the best value of the "
        "search. On a bound: proposals of the sampler with a hyper-parameter on a bound of its range. Near best: "
        "trials within 1.96 · √2 standard deviations of the best value; apart: those of them that also differ from one "
        f"another, at most five.{near}",
    )


def _effort_line(dataset: DatasetFindings, search: SearchEffort) -> tuple[Content, ...]:
    study = dataset.study
    reached = [
        text
        for one in (search.to_untrained, search.to_final)
        for text in ((str(one.trials), thousands(one.iterations)) if one else (DASH, DASH))
    ]
    near = DASH if search.near_best is None else f"{search.near_best} ({search.apart})"
    return (
        Marked(searched_by(search.label, search.number, searches=study.searches), study.loss_marks(search.label)),
        *(thousands(search.iterations), thousands(search.retraining), thousands(search.evaluations)),
        *reached,
        f"{search.on_bounds} of {search.proposed}" if search.proposed else DASH,
        near,
    )


def _importance_table(dataset: DatasetFindings, facts: Effort) -> Table:
    study = dataset.study
    heads = (
        ["Share"] if study.searches == 1 else [f"Search {number + 1}" for number in range(study.searches)] + ["Mean"]
    )
    groups = []
    for label in dataset.labels:
        known = {search.number: search.importance for search in facts.searches if search.label == label}
        lines = [_importance_line(name, known, study.searches) for name in _names(known)]
        if lines:
            groups.append(RowGroup(tuple(lines), head=Marked(label, study.loss_marks(label))))
    return Table(
        (Column("Loss"), Column("Hyper-parameter"), *(Column(head, number=True) for head in heads)),
        tuple(groups),
        caption=f"Importance of hyper-parameters by PED-ANOVA (Watanabe et al. 2023), in percent: how far the best "
        f"{percent(TOP)} of the trials differ from all trials of the search along one of them. It needs {FEWEST} best "
        "trials, and says nothing of the test score.",
    )


def _importance_line(name: str, known: Mapping[int, Mapping[str, float]], searches: int) -> tuple[Content, ...]:
    shares = [known.get(number, {}).get(name) for number in range(searches)]
    there = [share for share in shares if share is not None]
    mean = [mean_of(there)] if searches > 1 else []
    return (name, *(DASH if share is None else f"{100 * share:.0f}" for share in (*shares, *mean)))


def _names(known: Mapping[int, Mapping[str, float]]) -> list[str]:
    return list(dict.fromkeys(name for shares in known.values() for name in shares))


SECTION = Section(
    name="search_effort",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)
