"""What remains of a paper's differences, in sentences that can be quoted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from realitycheck.report.papers.judged_counts import MEASURED, JudgedCount
from realitycheck.report.papers.judged_paper import JudgedPaper
from realitycheck.report.wording import DASH, enumeration

LEAST, LOW, HIGH = 0.25, 0.5, 1.5
"""The deviations between searches of which the sentences speak."""


def answers(judged: JudgedPaper) -> tuple[str, ...]:
    """The comparison of a claim first, then those of the paper's own loss, or of the highest of each column."""
    return tuple(_tested(judged) if judged.tested else _untested(judged))


def count_rows(judged: JudgedPaper, lucks: Sequence[float]) -> list[tuple[str, ...]]:
    """The counts as rows of text, the last columns by deviation between searches in points."""
    return [
        (
            *(count.compared, str(count.of), str(count.higher)),
            *(DASH if number is None else str(number) for number in (count.alone, count.holm)),
            *(str(count.surviving[luck]) for luck in lucks),
        )
        for count in judged.counts.rows
    ]


def measured_sentence() -> str:
    """The deviations between searches that were measured."""
    parts = enumeration([f"{luck:g} ({loss})" for luck, loss in MEASURED.items()])
    return f"Measured between searches of one loss on grocery photos, in points of MAP@R: {parts}."


def _tested(judged: JudgedPaper) -> Iterator[str]:
    counts = judged.counts
    for count in reversed(counts.against):
        significant = f"{count.holm} of these differences are significant after Holm's correction."
        yield f"{_printed(count)}{_claim(judged, count)}. {significant} {_with_luck(count)}"
    yield (
        f"{_printed(counts.nearest)}. In {counts.nearest.holm} this is significant after Holm's correction, and in "
        f"{counts.every.holm} it is significantly above every other loss. {_with_luck(counts.every)}"
    )
    if counts.below:
        yield (
            f"In {counts.below.holm} of {counts.below.of} columns another loss is significantly above it. "
            f"{_with_luck(counts.below)}"
        )


def _untested(judged: JudgedPaper) -> Iterator[str]:
    yield (
        f"No half-width of {judged.short} was read, so no difference is tested. The counts that follow are upper "
        "bounds: those of runs without any noise."
    )
    for count in (*judged.counts.against, judged.counts.nearest):
        low, middle, high = (count.surviving[luck] or "none" for luck in (LEAST, LOW, HIGH))
        yield (
            f"{_printed(count)}. With one search for each loss and a standard deviation between searches of {LEAST:g} "
            f"points, at most {low} would be significant; of {LOW:g} points, {middle}; of {HIGH:g} points, {high}."
        )


def _printed(count: JudgedCount) -> str:
    return f"{count.compared}: in {count.higher} of {count.of} by the printed means"


def _claim(judged: JudgedPaper, count: JudgedCount) -> str:
    """What the paper itself counts, where it does."""
    claim = judged.paper.judged.claim
    if claim is None or not count.compared.endswith(f" above {judged.called(claim.over)}"):
        return ""
    if (claim.higher, claim.of) == (count.higher, count.of):
        return f", as the paper states ({claim.place})"
    return f", while the paper states {claim.higher} of {claim.of} ({claim.place})"


def _with_luck(count: JudgedCount) -> str:
    return (
        f"With one search for each loss and a standard deviation between searches of {LOW:g} points, "
        f"{count.surviving[LOW] or 'none'} remain significant; of {HIGH:g} points, {count.surviving[HIGH] or 'none'}."
    )
