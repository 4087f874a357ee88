"""A sweep becomes runs: the chosen setting of a loss, with one hyper-parameter at the values of a grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from realitycheck.plan.searches import SearchPlan
from realitycheck.protocol.model import Protocol, Study
from realitycheck.protocol.units import LengthUnit
from realitycheck.runs import Category, Knobs, RunSpec


@dataclass(frozen=True, slots=True)
class PlannedPoint:
    """One value of one hyper-parameter, all others as the search chose them.

    Args:
        knob: the hyper-parameter.
        value: as the sampler sees it: a length is in units of the initial embedding length where the search's are.
        runs: the K fold runs under each seed. Those of the chosen value are the replicates' own.
        complete_knobs: hyper-parameters of complete runs.
    """

    knob: str
    value: float | int
    runs: tuple[tuple[RunSpec, ...], ...]
    complete_knobs: Knobs


def planned_points(
    study: Study, search: SearchPlan, *, knobs: Knobs, unit: LengthUnit | None
) -> Iterator[PlannedPoint]:
    """The points of all sweeps of a loss, by hyper-parameter and value; none for searches after the first.

    Args:
        study: what is swept.
        search: the search that chose the setting.
        knobs: the chosen setting, as the sampler saw it.
        unit: of the lengths in it; None where there are none.
    """
    if study.sweep is None or search.choice is None or search.number:
        return
    space = search.protocol.space_of(search.choice, search.dataset)
    indices = search.replicates[: study.sweep.seeds]
    for knob, grid in study.sweep.knobs.get(search.choice.label, {}).items():
        own = knobs[knob]
        assert not isinstance(own, str)
        for value in sorted({own, *grid.values(space[knob])}):
            setting = {**knobs, knob: value}
            raw = unit.raw(setting) if unit else setting
            runs = tuple(search.replicate_runs(index=index, knobs=raw) for index in indices)
            yield PlannedPoint(knob, value, runs, unit.raw(setting, factor=search.complete_factor) if unit else setting)


def swept_trainings(study: Study, label: str, protocol: Protocol) -> tuple[int, int]:
    """How many fold runs and complete runs the sweeps of a loss add at most; the chosen value's are made anyway."""
    if study.sweep is None:
        return 0, 0
    seeded = study.sweep.seeds * sum(grid.points for grid in study.sweep.knobs.get(label, {}).values())
    complete = study.sweep.test and study.primary.category is Category.COMPLETE
    return seeded * protocol.folds.count, seeded if complete else 0
