"""What `plan` prints: a table of trainings, and sentences."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from realitycheck.plan.wall_time import enough_workers, least_time, wall_time
from realitycheck.verbs import StudyPlan
from realitycheck.verbs.advances import time_text

CONTEXT = 600_000_000
"""Bytes of a GPU that a process takes beside those that torch counts; an upper guess, measured on no GPU yet."""

ENOUGH = 0.1
"""How much longer than with any number of workers a study may take where workers are called enough."""


def counted(count: int, one: str, many: str) -> str:
    """Return a number and its noun: `1 loss`, `2 losses`."""
    return f"{count:,} {one if count == 1 else many}"


def rough(value: float) -> str:
    """Return the first two digits of a prediction: `170,000`, `12`, `0.034`."""
    return f"{float(f'{value:.2g}'):,.12g}"


def sentences(study_plan: StudyPlan) -> Iterator[str]:
    """What a plan says beside its table of trainings."""
    for dataset, losses in study_plan.measured.items():
        for label, seconds in losses.items():
            if (reason := study_plan.failed.get(dataset, {}).get(label)) is not None:
                yield f"not measured, {dataset}/{label}: {reason}; counted like the slowest of the others"
                continue
            yield (
                f"measured, {dataset}/{label}: {1000 * seconds.step:.1f} ms per step "
                f"({1000 * seconds.complete_step:.1f} with K·D dims), {seconds.evaluation:.2f} s per validation, "
                f"{seconds.fold_score:.1f} s per score of K models"
            )
            longest = study_plan.longest[dataset][label]
            yield (
                f"one run, {dataset}/{label}: at most {time_text(longest.fold)} for a fold run and "
                f"{time_text(longest.complete)} for a complete run; both report every iteration"
            )
    yield (
        f"time: {rough(study_plan.least_hours)} worker-hours if every run ends as early as its patience allows, "
        f"at most {rough(study_plan.cost.worker_hours)} if every run reaches its cap; a core for every worker"
    )
    if known := study_plan.jobs.own + study_plan.jobs.pilot:
        expected = sum(node.seconds or 0.0 for node in study_plan.jobs.graph.nodes) / 3600
        yield f"expected: {rough(expected)} worker-hours, by {counted(known, 'finished job', 'finished jobs')}"
    if study_plan.swept:
        yield f"sweeps: at most {counted(study_plan.swept, 'further training', 'further trainings')}"
    if study_plan.defaults:
        trained = counted(study_plan.defaults, "further training", "further trainings")
        yield f"rows of published settings: at most {trained}"
    if study_plan.done:
        left = study_plan.cost.worker_hours * (1 - study_plan.done / study_plan.planned)
        yield (
            f"done: {study_plan.done:,} of {study_plan.planned:,} trainings of the losses; "
            f"about {rough(left)} worker-hours are left"
        )
    yield f"disk: about {rough(study_plan.cost.disk_bytes / 1e6)} MB of pixels, and of weights until they are scored"
    yield from _memory(study_plan)
    yield from _findable(study_plan)


def _memory(study_plan: StudyPlan) -> Iterator[str]:
    """The memory of a job, and how many jobs fit on its GPU at a time."""
    seen = [one for losses in study_plan.measured.values() for one in losses.values()]
    memory = max((one.memory_bytes for one in seen), default=0)
    device = max((one.device_bytes for one in seen), default=0)
    if memory:
        fit = device // (memory + CONTEXT)
        count = f"; its {rough(device / 1e9)} GB hold `--per-device {fit}`" if fit else ""
        yield f"memory: about {rough(memory / 1e9)} GB for each job at a time, on the device that computes{count}"


def _findable(study_plan: StudyPlan) -> Iterator[str]:
    """The differences and equivalences that the design can find, and whether any verdict will be given."""
    differences = " or ".join(
        f"{size:.2f} (correlation {correlation:g})" for correlation, size in study_plan.detectable.items()
    )
    alike = ", if the searches of all losses have equal luck" if study_plan.searches > 1 else ""
    yield (
        f"smallest difference to the baseline found with 80 % power, in standard deviations of "
        f"{study_plan.detectable_unit}{alike}: {differences}"
    )
    yield f"an equivalence needs a smallest difference above {study_plan.reachable:.2f} of these standard deviations"
    yield in_points(study_plan)
    if study_plan.agreement:
        yield study_plan.agreement
    if study_plan.undecided:
        yield study_plan.undecided


def wall_sentences(study_plan: StudyPlan, workers: int) -> Iterator[str]:
    """How long the whole study takes on this many workers, and from what that is known."""
    nodes = study_plan.jobs.graph.nodes
    predicted = wall_time(nodes, workers=workers)
    yield (
        f"wall time of the whole study: about {time_text(predicted.seconds)} on "
        f"{counted(workers, 'worker', 'workers')}, which are at a job for {100 * predicted.share:.0f} % of it"
    )
    chain, enough = least_time(nodes), enough_workers(nodes, within=ENOUGH)
    yield (
        f"no number of workers is faster than {time_text(chain)}, the longest chain of jobs that wait for one another; "
        f"{counted(enough, 'worker comes', 'workers come')} within {100 * ENOUGH:.0f} % of what more can reach"
    )
    yield f"lengths of jobs: {'; '.join(_sources(study_plan))}"


def _sources(study_plan: StudyPlan) -> Iterator[str]:
    jobs = study_plan.jobs
    if jobs.own:
        yield f"means over {counted(jobs.own, 'finished job', 'finished jobs')} of this study"
    if jobs.pilot:
        yield f"{'else ' if jobs.own else ''}means over {counted(jobs.pilot, 'job', 'jobs')} of the pilot"
    if jobs.measured:
        yield f"{'else ' if jobs.own or jobs.pilot else ''}as measured, if every run reaches its cap"


def in_points(study_plan: StudyPlan) -> str:
    """What the design finds in points of the primary score, where a standard deviation is known."""
    if study_plan.sd is None:
        return (
            "no standard deviation is known: name an earlier study with --pilot, or state it with --sd, to get points"
        )
    known = "" if study_plan.sd_freedom is None else f" (degrees of freedom: {study_plan.sd_freedom:.3g})"
    points = " or ".join(f"{size * study_plan.sd:.2f}" for size in study_plan.detectable.values())
    return (
        f"with a standard deviation of {study_plan.sd:.3g} points{known}: differences of {points} points are found; "
        f"an equivalence needs {study_plan.reachable * study_plan.sd:.2f}, "
        f"and the study has {study_plan.smallest_difference:g}"
    )


def plan_table(study_plan: StudyPlan) -> Table:
    """The numbers of trainings."""
    searches = f", {study_plan.searches} searches per loss" if study_plan.searches > 1 else ""
    table = Table(title=f"trainings{searches}", title_justify="left")
    near = study_plan.trainings.runners_up > 0
    heads = ("", "search", "fold runs", "complete runs", *(["runners-up, at most"] if near else []), "together")
    for name in heads:
        table.add_column(name, justify="right" if name else "left")
    counts = study_plan.trainings
    cells = [counts.search, counts.folds, counts.complete, *([counts.runners_up] if near else []), counts.total]
    table.add_row("one loss, one dataset", *(f"{cell:,}" for cell in cells))
    times = study_plan.losses * study_plan.datasets
    everything = (
        f"{counted(study_plan.losses, 'loss', 'losses')}, {counted(study_plan.datasets, 'dataset', 'datasets')}"
    )
    table.add_row(everything, *(f"{cell * times:,}" for cell in cells))
    return table
