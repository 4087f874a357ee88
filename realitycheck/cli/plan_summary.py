"""What `plan` prints: a table of trainings, and sentences."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from realitycheck.verbs import StudyPlan


def counted(count: int, one: str, many: str) -> str:
    """A number and its noun: `1 loss`, `2 losses`."""
    return f"{count:,} {one if count == 1 else many}"


def rough(value: float) -> str:
    """Two digits of a prediction: `170,000`, `12`, `0.034`."""
    return f"{float(f'{value:.2g}'):,.12g}"


def sentences(told: StudyPlan) -> Iterator[str]:
    """What a plan says beside its table of trainings."""
    for dataset, losses in told.measured.items():
        for label, seen in losses.items():
            yield (
                f"measured, {dataset}/{label}: {1000 * seen.step:.1f} ms a step ({1000 * seen.complete_step:.1f} with "
                f"K·D dims), {seen.evaluation:.2f} s a validation, {seen.fold_score:.1f} s a score of K models"
            )
    yield (
        f"time: about {rough(told.cost.worker_hours)} worker-hours if every run goes to its cap, "
        "and a worker has a core of its own"
    )
    yield f"disk: about {rough(told.cost.disk_bytes / 1e6)} MB of pixels, and of weights until they are scored"
    differences = " or ".join(
        f"{size:.2f} (correlation {correlation:g})" for correlation, size in told.detectable.items()
    )
    yield (
        f"smallest difference to the baseline found with 80 % power, in standard deviations of a loss's score "
        f"over seeds: {differences}"
    )


def plan_table(told: StudyPlan, workers: int) -> Table:
    """Return the numbers of trainings, and the hours on so many workers."""
    table = Table(title="trainings", title_justify="left")
    for name in ("", "search", "fold runs", "complete runs", "together"):
        table.add_column(name, justify="right" if name else "left")
    each = told.trainings
    cells = [each.search, each.folds, each.complete, each.total]
    table.add_row("one loss, one dataset", *(f"{cell:,}" for cell in cells))
    times = told.losses * told.datasets
    all_of_it = f"{counted(told.losses, 'loss', 'losses')}, {counted(told.datasets, 'dataset', 'datasets')}"
    table.add_row(all_of_it, *(f"{cell * times:,}" for cell in cells))
    hours = f"about {rough(told.cost.worker_hours / workers)} hours"
    table.caption = f"{hours} on {counted(workers, 'worker', 'workers')}"
    return table
