"""The mean of courses over iterations that end at different ones."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.statistics.intervals import mean_of


def mean_course(courses: Sequence[Sequence[tuple[int, float]]]) -> tuple[list[int], list[float]]:
    """Iterations, and the mean of the courses that have a value there, while these are at least half of all.

    Args:
        courses: of each run (iteration, value) in order.
    """
    by_iteration: dict[int, list[float]] = {}
    for course in courses:
        for iteration, value in course:
            by_iteration.setdefault(iteration, []).append(value)
    kept = sorted(at for at, values in by_iteration.items() if 2 * len(values) >= len(courses))
    return kept, [mean_of(by_iteration[at]) for at in kept]
