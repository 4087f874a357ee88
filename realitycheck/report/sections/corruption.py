"""Scores on corrupted test images, against the baseline and against clean ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from realitycheck.evaluations.menu import corruption_in
from realitycheck.report.blocks import (
    Badge,
    Block,
    Column,
    Content,
    Estimate,
    Figure,
    Heading,
    Marked,
    Note,
    Paragraph,
    RowGroup,
    Table,
)
from realitycheck.report.drawing import LEGEND, align, columns_for, draw, grid, grid_height, line_of, name_panel
from realitycheck.report.family import REPLACEMENT, comparisons
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.papers.published_experiments import experiment_blocks
from realitycheck.report.rows import ScoreCell, make_rows, make_untrained_row
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import DASH, PENDING, enumeration, optional_signed, p_value, points, signed
from realitycheck.runs import CLEAN
from realitycheck.statistics.base import LossScores, differences, present
from realitycheck.statistics.comparisons import Comparison, Verdict
from realitycheck.statistics.intervals import Interval, mean_of

NAMES = 4
"""Of losses in a line of the legend."""

PUBLISHED_METRIC = "precision_at_1"
"""The score of the published table, by its other name R@1."""


@dataclass(frozen=True, slots=True)
class Fall:
    """How far the score of a loss is below that on clean images: corrupted minus clean, seed by seed."""

    mean: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class CorruptedLine:
    """One loss under one corruption.

    Args:
        label: the loss.
        mean: of the primary score; None without one.
        interval: its interval.
        retraining: Student's t over seeds alone.
        drop: against clean images.
        verdict: against the baseline under the same corruption; None for the baseline, and while replicates are
            missing.
        reason: why it is undecided in spite of its p-value; empty for none.
        p_holm: p-value after Holm's correction over the losses; None for the baseline.
    """

    label: str
    mean: float | None
    interval: Interval | None
    retraining: Interval | None
    drop: Fall
    verdict: Verdict | None
    reason: str
    p_holm: float | None


@dataclass(frozen=True, slots=True)
class CorruptedScores:
    """All losses under one corruption."""

    evaluation: str
    kind: str
    severity: int
    lines: tuple[CorruptedLine, ...]


@dataclass(frozen=True, slots=True)
class Rise:
    """A loss whose mean at a severity is not below that at the next lower one that was measured."""

    label: str
    kind: str
    before: int
    severity: int
    gain: float


@dataclass(frozen=True, slots=True)
class Corruption:
    """All corruptions of the protocol, and where a score does not fall with severity."""

    tables: tuple[CorruptedScores, ...]
    rises: tuple[Rise, ...]


def find(dataset: DatasetFindings) -> Corruption | None:
    """The scores of every corruption; None where the protocol names none, or nothing is scored."""
    named = [(name, options) for name in dataset.protocol.evaluations if (options := corruption_in(name))]
    tables = tuple(_table(dataset, name, options) for name, options in named)
    if not any(line.mean is not None for table in tables for line in table.lines):
        return None
    return Corruption(tables, tuple(_rises(dataset, tables)))


def _table(dataset: DatasetFindings, evaluation: str, options: str) -> CorruptedScores:
    study, kind, severity = dataset.study, *options.rsplit("-", 1)
    protocol = dataset.protocol.model_copy(update={"categories": (study.category,), "scores": None})
    losses = [replace(loss, evaluation=evaluation) for loss in dataset.evidence.losses]
    late = [row.label for row in dataset.rows if row.late]
    marked = {"exploratory": dataset.exploratory, "late": late}
    rows = make_rows(losses, protocol, study.estimator, statuses=study.statuses, **marked)
    embedder = [replace(row, evaluation=evaluation) for row in dataset.evidence.untrained if row.label == REPLACEMENT]
    untrained = [make_untrained_row(row, protocol, level=study.level) for row in embedder]
    compared = {one.label: one for one in comparisons(study, rows, untrained)}
    cells = {row.label: row.cell(study.category, study.metric) for row in rows}
    drops = _drops(dataset, cells)
    lines = tuple(_line(cells[row.label], row.label, drops[row.label], compared.get(row.label)) for row in rows)
    return CorruptedScores(evaluation, kind, int(severity), lines)


def _line(cell: ScoreCell, label: str, drop: Fall, comparison: Comparison | None) -> CorruptedLine:
    own = label, cell.mean, cell.interval, cell.retraining, drop
    if comparison is None:
        return CorruptedLine(*own, None, "", None)
    return CorruptedLine(*own, comparison.verdict, comparison.reason or "", comparison.p_holm)


def _drops(dataset: DatasetFindings, cells: dict[str, ScoreCell]) -> dict[str, Fall]:
    """By one fit over all losses, of the differences that each replicate has."""
    study = dataset.study
    gaps = {
        label: differences(cell.values, dataset.row(label).cell(study.category, study.metric).values)
        for label, cell in cells.items()
    }
    fit = study.estimator.fit({label: LossScores(values) for label, values in gaps.items()}, losses=len(gaps))
    falls = {}
    for label, values in gaps.items():
        known, estimate = present(values), fit.loss(label)
        falls[label] = Fall(
            mean_of(known) if known else None, estimate.interval(study.level) if estimate and known else None
        )
    return falls


def _rises(dataset: DatasetFindings, tables: Sequence[CorruptedScores]) -> Iterator[Rise]:
    for kind in dict.fromkeys(table.kind for table in tables):
        for label in dataset.labels:
            points = [point for point in _course(dataset, tables, kind, label) if point[1] is not None]
            for (before, lower), (severity, higher) in pairwise(points):
                if lower is not None and higher is not None and severity > before and higher >= lower:
                    yield Rise(label, kind, before, severity, higher - lower)


def _course(
    dataset: DatasetFindings, tables: Sequence[CorruptedScores], kind: str, label: str
) -> list[tuple[int, float | None]]:
    """Severity and mean of one loss, the clean images first."""
    study = dataset.study
    known = {table.severity: _of(table, label).mean for table in tables if table.kind == kind and table.severity}
    return [(0, dataset.row(label).cell(study.category, study.metric).mean), *sorted(known.items())]


def _of(table: CorruptedScores, label: str) -> CorruptedLine:
    return next(line for line in table.lines if line.label == label)


def blocks(dataset: DatasetFindings, facts: Corruption) -> Iterator[Block]:
    """Print one table, where a score does not fall, and the figure."""
    study = dataset.study
    yield Heading(3, "Corrupted images")
    yield Paragraph(
        "The same models on corrupted test images; nothing was trained on any. The draws of an image depend on its "
        "bytes alone, so that all models see the same images, and a higher severity is more of the same."
    )
    yield Table(
        (
            Column("Corruption"),
            Column("Loss"),
            *(Column(head, number=True) for head in ("Score", "Against clean")),
            Column(f"Against {study.shown(study.baseline)}"),
            Column("Holm p", number=True),
        ),
        tuple(_group(dataset, table) for table in facts.tables),
        caption=f"{study.primary} in percent, with the half-width of its interval (in brackets over seeds alone), and "
        "the difference from the score on clean images in points, paired by seed. Verdicts follow the rules of the "
        "comparisons on clean images, with Holm's correction over the losses of one corruption.",
    )
    yield Note(_risen(dataset, facts))
    yield _figure(dataset, facts)
    yield from experiment_blocks("warped2024", "IV", *_beside(dataset, facts))


def _beside(dataset: DatasetFindings, facts: Corruption) -> tuple[dict[str, dict[str, float | None]], dict[str, str]]:
    """Our numbers in percent by loss and evaluation where they are the paper's score; names of losses on the menu."""
    study = dataset.study
    if study.metric != PUBLISHED_METRIC:
        return {}, {}
    means: dict[str, dict[str, float | None]] = {
        label: {CLEAN: dataset.row(label).cell(study.category, study.metric).mean} for label in dataset.labels
    }
    for table in facts.tables:
        for line in table.lines:
            means[line.label][table.evaluation] = line.mean
    numbers = {
        label: {key: None if value is None else 100 * value for key, value in own.items()}
        for label, own in means.items()
    }
    return numbers, {loss.label: loss.address for loss in study.losses}


def _group(dataset: DatasetFindings, table: CorruptedScores) -> RowGroup:
    named = f"{table.kind.replace('_', ' ')}, severity {table.severity}"
    return RowGroup(tuple(_cells(dataset, line) for line in table.lines), head=named)


def _cells(dataset: DatasetFindings, line: CorruptedLine) -> tuple[Content, ...]:
    baseline = line.label == dataset.study.baseline
    verdict = line.verdict or PENDING
    text = f"{verdict}: {line.reason}" if line.reason else verdict
    return (
        Marked(line.label, dataset.row(line.label).marks),
        Estimate.of(line.mean, line.interval, line.retraining),
        _change(line.drop),
        DASH if baseline else Badge(text, line.verdict or "pending"),
        DASH if line.verdict is None or line.p_holm is None else p_value(line.p_holm),
    )


def _change(fall: Fall) -> str:
    """A difference with the half-width of its interval."""
    half = f" ± {points(fall.interval.half_width)}" if fall.interval else ""
    return f"{optional_signed(fall.mean)}{half}"


def _risen(dataset: DatasetFindings, facts: Corruption) -> str:
    if not facts.rises:
        return "Every mean falls from each severity to the next."
    named = [
        f"{dataset.study.shown(rise.label)} under {rise.kind.replace('_', ' ')} from severity {rise.before} to "
        f"{rise.severity} ({signed(rise.gain)} points)"
        for rise in facts.rises
    ]
    return f"Means that do not fall with severity: {enumeration(named)}. Severity 0 is clean."


def _figure(dataset: DatasetFindings, facts: Corruption) -> Figure:
    kinds = list(dict.fromkeys(table.kind for table in facts.tables))
    columns, lines = columns_for(len(kinds)), -(-len(dataset.labels) // NAMES)
    legend = LEGEND * (1 + lines) / 2  # its lines are closer to each other than to the panels

    def paint(canvas: Canvas) -> None:
        panels = grid(canvas, len(kinds), columns=columns, legend=legend)
        for panel, kind in zip(panels, kinds, strict=True):
            name_panel(panel, kind.replace("_", " "))
            _paint(panel, dataset, facts, kind)
        align(panels, columns=columns, marks=range(6))
        canvas.supxlabel("severity", fontsize=10)
        canvas.supylabel(f"{dataset.study.primary}, percent", fontsize=10)
        canvas.legend(*panels[0].get_legend_handles_labels(), loc="upper center", ncols=NAMES)

    return draw(
        paint,
        name=dataset.figure_name("corruption"),
        height=legend + grid_height(len(kinds), columns=columns),
        title=f"Scores on corrupted images of {dataset.dataset}",
        caption="Mean scores by severity; 0 is clean. A line joins the severities that were measured.",
    )


def _paint(panel: Axes, dataset: DatasetFindings, facts: Corruption, kind: str) -> None:
    for label in dataset.labels:
        points = [(at, mean) for at, mean in _course(dataset, facts.tables, kind, label) if mean is not None]
        places, means = [at for at, _ in points], [100 * mean for _, mean in points]
        panel.plot(places, means, ms=3.5, label=dataset.study.shown(label), **line_of(label, dataset.labels))


SECTION = Section(
    name="corruption",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)
