"""How a paper's printed differences are judged, and what cannot be judged."""

from __future__ import annotations

from collections.abc import Iterator

from realitycheck.metrics.menu import METRICS
from realitycheck.report.papers.judged_pairs import printed_cell
from realitycheck.report.papers.judged_paper import JudgedPaper
from realitycheck.report.wording import count, enumeration

METHOD = (
    (
        "sd of a run",
        "Half-width · √n / t(0.975, n − 1), for Student's interval over n runs.",
    ),
    (
        "Test",
        "Welch's t test with Satterthwaite's degrees of freedom, two-sided. It takes the runs of two losses as "
        "independent. Had they common seeds, a positive correlation would make the error smaller; none is printed.",
    ),
    (
        "Holm p",
        "Corrected over one family: all comparisons with one reference in one column. Nothing is corrected over "
        "columns. The columns of a dataset share runs and settings, so they are no independent confirmations.",
    ),
    (
        "Detectable",
        "The smallest true difference that these runs find with a power of 80 % at α = 0.05 / size of the family, the "
        "first step of Holm's correction, by the noncentral t distribution (Cohen 1988). The approximation: Welch's "
        "degrees of freedom, and the printed deviations taken for the true ones.",
    ),
    (
        "Survives",
        "The largest standard deviation between searches of one loss, s, at which the difference is still significant "
        "after Holm's correction if each loss had one search. The variance of a difference is then se² + 2·s², and "
        "Satterthwaite's formula counts s as known. A dash: not significant even without luck of the search.",
    ),
    (
        "Upper bound",
        "Where half-widths are unknown, se is 0 and the t distribution is the normal one. Any noise of runs makes the "
        "value smaller.",
    ),
    (
        "Highest loss",
        "The highest loss of a column is chosen by the same means, so its lead is optimistic. Nothing corrects that.",
    ),
)
"""Terms of the page, with their method."""


def limits(judged: JudgedPaper) -> Iterator[tuple[str, str]]:
    """What is unknown of the paper, a heading and a text each."""
    protocol = judged.paper.protocol
    yield "Half-widths", _half_widths(judged)
    yield from _baselines(judged)
    yield "Luck of the search", f"Each loss has one search of unknown luck: {protocol.search}. It was not repeated."
    yield "Runs and seeds", f"{protocol.runs}. Nothing can be paired."
    yield "Batches", f"{protocol.batch}."
    yield from ((f"Doubt {number}", text) for number, text in enumerate(judged.paper.judged.doubts, 1))


def _half_widths(judged: JudgedPaper) -> str:
    cells = [
        printed_cell(scores, metric)
        for table in judged.paper.tables.values()
        for block in table.blocks.values()
        for scores in block.scores.values()
        for metric in METRICS
    ]
    unread = sum(cell is None for cell in cells)
    bare = sum(cell is not None and cell[1] is None for cell in cells)
    if not unread and not bare:
        return f"All {count(len(cells), 'cell')} have one."
    return (
        f"Missing in {count(bare, 'cell')} of {len(cells)}, whose means are known; of {unread}, the mean was not read."
    )


def _baselines(judged: JudgedPaper) -> Iterator[tuple[str, str]]:
    """Baselines that a table does not have."""
    for key in judged.paper.judged.baselines:
        measured = {family.dataset for family in judged.families if family.reference == key}
        missing = [dataset for dataset in judged.paper.tables if dataset not in measured]
        if missing:
            name = judged.called(key)
            yield f"Against {name}", f"{name} was not measured on {enumeration(missing)}."
