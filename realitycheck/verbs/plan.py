"""`plan`: what a study costs and what it can find, before any of it runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from realitycheck.check.possible_verdicts import design_of, needed_agreement, require_rejectable, why_undecided
from realitycheck.errors import InputError
from realitycheck.plan.cost import (
    Calibration,
    Cost,
    RunSeconds,
    Trainings,
    default_cost,
    default_trainings,
    impatient,
    loss_cost,
    run_seconds,
    trainings,
    untrained_cost,
)
from realitycheck.plan.sweeps import swept_trainings
from realitycheck.protocol.model import Protocol, Study
from realitycheck.protocol.read import ReadStudy
from realitycheck.stores.prepare import Stores
from realitycheck.verbs.calibrations import CALIBRATION_SECONDS, calibrations
from realitycheck.verbs.durations import PlannedJobs, planned_jobs
from realitycheck.verbs.executing import build_executor
from realitycheck.verbs.html_tables import html_table
from realitycheck.verbs.ready import StoreCheck, ready_stores
from realitycheck.verbs.report import study_standings
from realitycheck.verbs.study import Progress, require_arithmetic, unsaid, unwatched

if TYPE_CHECKING:
    from realitycheck.statistics.base import Design

POWER = 0.8
"""The chance of finding a difference that is asked for; Cohen's (1988) convention."""

CORRELATIONS = (0.0, 0.5)
"""Of two losses' scores over common seeds: nothing gained by pairing, and much."""


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """What a study will do, before it runs.

    Args:
        trainings: per loss and dataset.
        searches: independent searches of each loss.
        losses: how many losses.
        datasets: how many datasets.
        measured: the calibration, by dataset and loss; of a loss that failed, that of the slowest one.
        failed: why the calibration of a loss failed, by dataset and loss.
        cost: the prediction over all of them, if every run reaches its cap.
        least_hours: the worker-hours if every run ends as early as its patience allows.
        longest: how long one run takes that goes to its cap, by dataset and loss.
        jobs: every job, how long it takes, and what it waits for; `plan.wall_time` says how long N workers need.
        done: trainings of the losses that are recorded already.
        planned: trainings of the losses, of the runners-up as many as there can be.
        detectable: correlation of two losses' scores over seeds → the smallest difference that is found with
            80 % power, in standard deviations of the unit.
        detectable_unit: of what these are the standard deviations, such as `a loss's score over seeds`.
        reachable: the smallest difference of interest within which equal losses can be called equivalent, in the same
            unit, for uncorrelated losses.
        sd: that standard deviation in points, as it was stated; None where none is known.
        sd_freedom: its degrees of freedom; None where it is taken as known.
        smallest_difference: the one of the study, in points.
        undecided: why no verdict will be given; empty where one can be.
        agreement: which estimator has to give a verdict as well, and what it finds; empty where none has to.
        swept: trainings that sweeps add at most, of all losses.
        defaults: trainings of published settings for rows of their own, at most, of all losses.
    """

    trainings: Trainings
    searches: int
    losses: int
    datasets: int
    measured: Mapping[str, Mapping[str, Calibration]]
    failed: Mapping[str, Mapping[str, str]]
    cost: Cost
    least_hours: float
    longest: Mapping[str, Mapping[str, RunSeconds]]
    jobs: PlannedJobs
    done: int
    planned: int
    detectable: Mapping[float, float]
    detectable_unit: str
    reachable: float
    sd: float | None
    sd_freedom: float | None
    smallest_difference: float
    undecided: str
    agreement: str
    swept: int
    defaults: int

    def _repr_html_(self) -> str:
        """Show in a notebook the trainings of one loss, what the study costs, and what it can find."""
        detectable = min(self.detectable.values()), max(self.detectable.values())
        rows = [
            ("trainings of one loss", f"{self.trainings.total:,}"),
            ("losses, datasets, searches of each", f"{self.losses}, {self.datasets}, {self.searches}"),
            ("worker-hours, from least to most", f"{self.least_hours:.2g} to {self.cost.worker_hours:.2g}"),
            ("disk, MB", f"{self.cost.disk_bytes / 1e6:,.0f}"),
            ("trainings done", f"{self.done:,} of {self.planned:,}"),
            ("difference found with 80 % power", f"{detectable[0]:.2f} to {detectable[1]:.2f}"),
        ]
        unit = f"Differences are in standard deviations of {self.detectable_unit}."
        notes = (unit, self.agreement, self.undecided)
        return html_table(("plan", ""), rows, notes=tuple(note for note in notes if note))


def plan_study(
    read: ReadStudy,
    *,
    sd: float | None = None,
    sd_freedom: float | None = None,
    pilot: Path | str | None = None,
    watch: Progress = unwatched,
) -> StudyPlan:
    """Say what a study costs and what it can find; measures this machine for some seconds.

    Args:
        read: the study.
        sd: standard deviation of the design's unit in points, such as that of an earlier study; None if unknown.
        sd_freedom: degrees of freedom of `sd`, above 0, such as those of a pilot; None if it is taken as known. Where
            they are fewer than those of the design, the test is planned with them.
        pilot: an earlier study, whose finished jobs say how long jobs take where this one has none.
        watch: sees the progress.

    Raises:
        RunError: every loss fails while it is measured.
        InputError: the data do not fit the protocol, this machine not its arithmetic, the design can never tell two
            losses apart, or with this `sd` it cannot reach an equivalence within the smallest difference.

    Example:
        >>> from realitycheck import load_study, plan_study
        >>> plan = plan_study(load_study("studies/demo.yaml"))
        >>> plan.trainings.complete  # of one loss on one dataset: one per seed
        4
    """
    study, protocol = read.study, read.study.protocol
    require_rejectable(read)
    design = design_of(study, sd_freedom=sd_freedom)
    smallest, reachable = _sizes(study, design)
    _require_reachable(read, reachable, sd)
    require_arithmetic(read, devices=("auto",), here=False)
    stores = _at_hand(read, watch)
    calibrated = calibrations(read, stores, watch)
    measured = calibrated.measured
    least, total = _bounds(study, stores, measured)
    standings = study_standings(read)
    return StudyPlan(
        trainings=trainings(protocol),
        searches=protocol.search.searches,
        losses=len(study.losses),
        datasets=len(study.datasets),
        measured=measured,
        failed=calibrated.failed,
        cost=total,
        least_hours=least.worker_hours,
        longest=_longest(read, measured),
        swept=_swept(study, measured),
        defaults=_defaults(study, measured),
        jobs=planned_jobs(read, measured, pilot=pilot),
        done=sum(standing.done for standing in standings),
        planned=sum(standing.planned for standing in standings),
        detectable={correlation: smallest * math.sqrt(1 - correlation) for correlation in CORRELATIONS},
        detectable_unit=design.unit,
        reachable=reachable,
        sd=sd,
        sd_freedom=sd_freedom,
        smallest_difference=study.smallest_difference,
        undecided=why_undecided(study),
        agreement=needed_agreement(study),
    )


def _sizes(study: Study, design: Design) -> tuple[float, float]:
    """The smallest difference that is found, and that for which an equivalence can be, for uncorrelated losses."""
    # scipy, that other verbs do without
    from realitycheck.statistics.power import detectable_difference, reachable_equivalence

    level, family = study.protocol.interval.level, len(study.losses) - 1
    smallest = detectable_difference(design, comparisons=family, level=level, wanted=POWER)
    return smallest, reachable_equivalence(design, comparisons=family, level=level)


def _bounds(
    study: Study, stores: Mapping[str, Stores], measured: Mapping[str, Mapping[str, Calibration]]
) -> tuple[Cost, Cost]:
    """The cost if every run ends as early as its patience allows, and if every run reaches its cap."""
    pixels = Cost(0.0, sum(_bytes(pair) for pair in stores.values()))
    protocols = {name: study.protocol_on(name) for name in measured}
    early = {name: impatient(one) for name, one in protocols.items()}
    return sum(_costs(study, early, measured), pixels), sum(_costs(study, protocols, measured), pixels)


def _costs(
    study: Study, protocols: Mapping[str, Protocol], measured: Mapping[str, Mapping[str, Calibration]]
) -> Iterator[Cost]:
    """What each loss and its sweeps need on each dataset, and the untrained models."""
    for name, seen in measured.items():
        here = protocols[name]
        for loss, calibration in seen.items():
            yield loss_cost(here, calibration)
            longest, (folds, completes) = run_seconds(here, calibration), swept_trainings(study, loss, here)
            yield Cost((folds * longest.fold + completes * longest.complete) / 3600, 0)
            if study.default_rows:
                yield default_cost(here, calibration)
        yield untrained_cost(here, next(iter(seen.values())))


def _require_reachable(read: ReadStudy, reachable: float, sd: float | None) -> None:
    """Refuse a smallest difference within which not even equal losses can be called equivalent."""
    if sd is None or read.study.smallest_difference > reachable * sd:
        return
    must = f"be above {reachable * sd:.3g}, or no loss can be called equivalent at a standard deviation of {sd:g}"
    fix = "Raise it, or use more searches or seeds."
    says = f"{read.study.smallest_difference:g} is out of range: must {must}. {fix}"
    where, line = "smallest_difference", read.lines.of(("smallest_difference",))
    raise InputError.one(read.source, "equivalence-unreachable", says, where=where, line=line)


def _at_hand(read: ReadStudy, watch: Progress) -> dict[str, Stores]:
    executor = build_executor(read, "local", devices=[None] * 2, deadline=CALIBRATION_SECONDS, memory=None)
    try:
        return ready_stores(StoreCheck(read, watch, unsaid), executor, device="auto", remember=False)
    finally:
        executor.close()


def _swept(study: Study, measured: Mapping[str, Mapping[str, Calibration]]) -> int:
    """How many trainings the sweeps of all losses add at most."""
    protocols = {name: study.protocol_on(name) for name in measured}
    return sum(sum(swept_trainings(study, loss, protocols[name])) for name in measured for loss in measured[name])


def _defaults(study: Study, measured: Mapping[str, Mapping[str, Calibration]]) -> int:
    """How many trainings the rows of published settings add at most."""
    if not study.default_rows:
        return 0
    return sum(default_trainings(study.protocol_on(name)) * len(losses) for name, losses in measured.items())


def _longest(read: ReadStudy, measured: Mapping[str, Mapping[str, Calibration]]) -> dict[str, dict[str, RunSeconds]]:
    return {
        name: {label: run_seconds(read.study.protocol_on(name), seconds) for label, seconds in seen.items()}
        for name, seen in measured.items()
    }


def _bytes(stores: Stores) -> int:
    return sum(path.with_suffix(".npy").stat().st_size for path in (stores.trainval, stores.test))
