"""Several studies, or a study and published tables, in one table and one figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from matplotlib.figure import Figure as Canvas

from realitycheck.report.blocks import (
    Badge,
    Block,
    Column,
    Content,
    Estimate,
    Figure,
    Heading,
    Marked,
    Paragraph,
    Table,
    rows_of,
)
from realitycheck.report.drawing import draw, name_rows, style_of
from realitycheck.report.findings import DatasetFindings, Findings
from realitycheck.report.forest import REFERENCE, height_of, paint_row
from realitycheck.report.papers.judged_pairs import LEVEL
from realitycheck.report.papers.published_tables import PublishedTable
from realitycheck.report.sections import warning_list
from realitycheck.report.warning_records import StudyWarning
from realitycheck.report.wording import DASH, METRIC_NAMES, PENDING, count, decimal, percent
from realitycheck.runs import Category
from realitycheck.statistics.intervals import Interval
from realitycheck.statistics.rank_correlation import spearman


@dataclass(frozen=True, slots=True)
class SideScore:
    """The score of a loss, or of an untrained model, on one side.

    Args:
        mean: in [0, 1].
        half_width: of its interval; None where it has none.
        retraining: half-width of Student's t over seeds alone, where that is another interval; None elsewhere.
        trained: False for an untrained model, which has no rank.
        marks: what is printed in brackets after its name.
        verdict: of its own study; None for the baseline, untrained models and published numbers.
    """

    mean: float
    half_width: float | None
    trained: bool
    marks: tuple[str, ...]
    verdict: str | None
    retraining: float | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One study on one dataset, or one published table.

    Args:
        title: its name in the heads.
        column: category and metric of its scores, in words.
        about: what must be known of it, in a sentence.
        level: level of its intervals.
        scores: label of a loss → its score.
        warnings: those beside the verdicts of a study; None for published numbers, of which none are known.
    """

    title: str
    column: str
    about: str
    level: float
    scores: Mapping[str, SideScore]
    warnings: tuple[StudyWarning, ...] | None = None


def sides_of_study(findings: Findings) -> list[Side]:
    """One side for each dataset of a study, in its primary column."""
    return [_side(findings, dataset) for dataset in findings.datasets]


def side_of_paper(
    table: PublishedTable, *, category: Category, metric: str, addresses: Mapping[str, str]
) -> Side | None:
    """A published table in one column; None where it has no such column.

    A loss has the label of the study's loss with its name on the menu, and where there is none that name itself.

    Args:
        table: the table.
        category: that of the column.
        metric: that of the column.
        addresses: label of each loss of the study beside it → the loss's name on the menu, or its address.
    """
    block = table.block(category)
    if block is None:
        return None
    scores = {
        _paired(loss.ours, addresses): SideScore(number.mean, number.half_width, trained=True, marks=(), verdict=None)
        for loss in block.losses
        if loss.ours and (number := loss.numbers[metric]).mean is not None
    }
    about = f"{table.paper}, {table.table}. Search: {table.protocol['Search']}. Runs: {table.protocol['Runs']}."
    column = f"{category.value}-{block.dims} {METRIC_NAMES[metric]}"
    return Side(f"{table.short}, {table.dataset}", column, about, LEVEL, scores)


def _paired(name: str, addresses: Mapping[str, str]) -> str:
    """The label under which a loss of the menu is listed; never that of another loss."""
    fitting = [label for label, address in addresses.items() if address == name]
    return fitting[0] if fitting else f"{name} (menu)" if name in addresses else name


def side_blocks(sides: Sequence[Side]) -> Iterator[Block]:
    """Print what is compared, one row per loss, the agreement of the rankings, and the figure."""
    yield Heading(1, f"{' and '.join(side.title for side in sides)}, side by side", kicker="Reality Check")
    yield Paragraph(
        "The sides differ in data, protocol or both, so their scores are not compared with each other: only the order "
        "of losses within each of them is. A verdict is that of its own study, against its own baseline."
    )
    yield from (Paragraph(f"{side.title}: {side.about}") for side in sides)
    yield Heading(2, "Scores")
    yield _score_table(sides)
    yield _figure(sides)
    yield Heading(2, "Agreement of the rankings")
    yield _agreement_table(sides)


def side_facts(sides: Sequence[Side]) -> dict[str, object]:
    """The same as keys and values for JSON."""
    pairs = [
        {"first": one.title, "second": two.title, "losses": common, "spearman": rho}
        for one, two, common, rho in _agreements(sides)
    ]
    return {"version": 1, "sides": sides, "agreements": pairs}


def _side(findings: Findings, dataset: DatasetFindings) -> Side:
    study = findings.study
    verdicts = {comparison.label: comparison.verdict or PENDING for comparison in dataset.comparisons}
    cells = {row.label: (row, row.cell(study.category, study.metric)) for row in (*dataset.rows, *dataset.untrained)}
    scores = {
        label: SideScore(
            mean=cell.mean,
            half_width=cell.interval.half_width if cell.interval else None,
            trained=row.trained,
            marks=row.every_mark,
            verdict=verdicts.get(label),
            retraining=cell.retraining.half_width if cell.retraining and cell.retraining != cell.interval else None,
        )
        for label, (row, cell) in cells.items()
        if cell.mean is not None
    }
    several = len(findings.datasets) > 1
    title = f"{study.study}, {dataset.dataset}" if several else study.study
    about = (
        f"{study.question} Protocol {study.protocol_name}, {dataset.dataset}, against {study.shown(study.baseline)}."
    )
    return Side(title, study.primary, about, study.level, scores, warning_list.find(dataset).warnings)


def _labels(sides: Sequence[Side]) -> list[str]:
    """The losses of all sides, then the untrained models."""
    trained = dict.fromkeys(label for side in sides for label in _trained(side))
    return list(trained | dict.fromkeys(label for side in sides for label in side.scores))


def _trained(side: Side) -> dict[str, float]:
    return {label: score.mean for label, score in side.scores.items() if score.trained}


def _score_table(sides: Sequence[Side]) -> Table:
    columns = [
        Column(head, number=number, group=f"{side.title}: {side.column}")
        for side in sides
        for head, number in (("Score", True), ("Rank", True), ("Verdict", False))
    ]
    levels = ", ".join(dict.fromkeys(percent(side.level) for side in sides))
    return Table(
        (Column("Loss"), *columns),
        rows_of([_line(label, sides) for label in _labels(sides)]),
        caption=f"Percent; mean ± half-width of the {levels} interval of each side. {_alone(sides)}Ranks are among its "
        "losses, without untrained models.",
        notes=tuple(f"{side.title}. {warning_list.note(side.warnings)}" for side in sides if side.warnings is not None),
    )


def _alone(sides: Sequence[Side]) -> str:
    """What is in brackets, where something is; a sentence with a space behind it."""
    if not any(score.retraining is not None for side in sides for score in side.scores.values()):
        return ""
    return "In brackets: retraining only, Student's t over seeds, as a paper with one setting prints it. "


def _line(label: str, sides: Sequence[Side]) -> tuple[Content, ...]:
    cells: list[Content] = []
    for side in sides:
        score, trained = side.scores.get(label), _trained(side)
        if score is None:
            cells += [DASH, DASH, DASH]
            continue
        rank = 1 + sum(mean > score.mean for mean in trained.values()) if label in trained else None
        verdict = Badge(score.verdict, score.verdict) if score.verdict else DASH
        cells += [
            Estimate(score.mean, score.half_width, retraining=score.retraining),
            DASH if rank is None else str(rank),
            verdict,
        ]
    marks = dict.fromkeys(mark for side in sides if label in side.scores for mark in side.scores[label].marks)
    return (Marked(label, tuple(marks)), *cells)


def _agreements(sides: Sequence[Side]) -> Iterator[tuple[Side, Side, list[str], float | None]]:
    for one, two in combinations(sides, 2):
        first, second = _trained(one), _trained(two)
        common = [label for label in first if label in second]
        yield one, two, common, spearman([first[label] for label in common], [second[label] for label in common])


def _agreement_table(sides: Sequence[Side]) -> Table:
    lines = [
        (f"{one.title} – {two.title}", str(len(common)), DASH if rho is None else decimal(rho))
        for one, two, common, rho in _agreements(sides)
    ]
    return Table(
        (Column("Pair"), Column("Common losses", number=True), Column("Spearman's ρ", number=True)),
        rows_of(lines),
        caption="Rank correlation of the means of the losses that both have. Of a few losses it says little: of four "
        "in random order, ρ is 0.8 or more in one of six.",
    )


def _figure(sides: Sequence[Side]) -> Figure:
    labels = _labels(sides)
    losses = len({label for side in sides for label in _trained(side)})
    untrained = f" and {count(len(labels) - losses, 'untrained model')}" if len(labels) > losses else ""

    def paint(canvas: Canvas) -> None:
        panels = canvas.subplots(1, len(sides), sharey=True, squeeze=False).ravel()
        for panel, side in zip(panels, sides, strict=True):
            name_rows(panel, labels)
            panel.set_title(side.title)
            panel.set_xlabel(f"{side.column}, percent")
            for position, label in enumerate(labels):
                if score := side.scores.get(label):
                    style = style_of(label, labels) if score.trained else REFERENCE
                    paint_row(panel, position, score.mean, _interval(score, side), [()], style)

    return draw(
        paint,
        name="side-by-side",
        height=height_of(len(labels)),
        title=f"Scores of {count(losses, 'loss', 'losses')}{untrained} on {len(sides)} sides",
        caption="Mean (thin tick) and interval (bar) of each side. The panels have different axes.",
    )


def _interval(score: SideScore, side: Side) -> Interval | None:
    if score.half_width is None:
        return None
    low, high = score.mean - score.half_width, score.mean + score.half_width
    return Interval(score.mean, low, high, side.level, 0, "as reported", "replicates")
