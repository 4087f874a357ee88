"""Which test classes a loss wins or loses against the baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from realitycheck.records.evidence import LossEvidence
from realitycheck.report.blocks import Block, Column, Content, Figure, Heading, Marked, Note, Table, rows_of
from realitycheck.report.drawing import align, columns_for, draw, grid, grid_height, name_panel, style_of
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import DASH, signed
from realitycheck.statistics.intervals import mean_of

NAMED = 3
"""Classes that a row of the table names at either end."""


@dataclass(frozen=True, slots=True)
class ClassGaps:
    """One loss against the baseline, class by class.

    Args:
        label: the loss.
        replicates: how many have scores on both sides.
        gaps: MAP@R of each class minus the baseline's, mean over these replicates, in [-1, 1].
        always_higher: classes in which it is higher in every one of these replicates.
        always_lower: classes in which it is lower in every one.
    """

    label: str
    replicates: int
    gaps: tuple[float, ...]
    always_higher: int
    always_lower: int


@dataclass(frozen=True, slots=True)
class PerClass:
    """The losses with scores by class.

    Args:
        classes: names of the test classes with a query, in the order of the gaps; numbers from 1 where the opening
            does not hold them.
        losses: in the study's order, without the baseline.
    """

    classes: tuple[str, ...]
    losses: tuple[ClassGaps, ...]


def find(dataset: DatasetFindings) -> PerClass | None:
    """The gaps of all losses with common replicates; None where there is none, as with a single loss."""
    base, *_ = [loss for loss in dataset.evidence.losses if loss.label == dataset.study.baseline]
    others = [loss for loss in dataset.evidence.losses if loss is not base]
    losses = tuple(gaps for loss in others if (gaps := _gaps(dataset, loss, base)))
    if not losses:
        return None
    return PerClass(_names(dataset, len(losses[0].gaps)), losses)


def _gaps(dataset: DatasetFindings, loss: LossEvidence, base: LossEvidence) -> ClassGaps | None:
    own, other = _by_class(dataset, loss), _by_class(dataset, base)
    rows = [[one - two for one, two in zip(own[seed], other[seed], strict=True)] for seed in own if seed in other]
    if not rows:
        return None
    columns = list(zip(*rows, strict=True))
    return ClassGaps(
        label=loss.label,
        replicates=len(rows),
        gaps=tuple(map(mean_of, columns)),
        always_higher=sum(min(column) > 0 for column in columns),
        always_lower=sum(max(column) < 0 for column in columns),
    )


def _by_class(dataset: DatasetFindings, loss: LossEvidence) -> dict[int, list[float]]:
    """The number of each replicate that has scores → its MAP@R by class."""
    category = dataset.study.category
    scores = {
        replicate.index: replicate.per_class(category=category, distance=loss.distance, evaluation=loss.evaluation)
        for replicate in loss.replicates
    }
    return {index: values for index, values in scores.items() if values is not None}


def _names(dataset: DatasetFindings, count: int) -> tuple[str, ...]:
    names = next((opening.classes for opening in dataset.evidence.openings if len(opening.classes) == count), ())
    return names or tuple(f"class {number}" for number in range(1, count + 1))


def blocks(dataset: DatasetFindings, facts: PerClass) -> Iterator[Block]:
    """Print one row per loss, and the figure of all classes."""
    study = dataset.study
    baseline = study.shown(study.baseline)
    yield Heading(3, "Test classes")
    heads = ("Higher", "Higher in every seed", "Lower", "Lower in every seed")
    yield Table(
        (
            Column("Loss"),
            *(Column(head, number=True) for head in heads),
            *(Column("Largest gains"), Column("Largest losses")),
        ),
        rows_of([_line(dataset, facts, gaps) for gaps in facts.losses]),
        caption=f"{study.categories[study.category]} MAP@R of each of {len(facts.classes)} test classes minus that of "
        f"{baseline}, paired by seed, in percentage points: in how many classes the mean is higher or lower, and in "
        "how many of them in every seed.",
    )
    yield Note("These counts describe these models. They are no verdicts: searches and classes are left as they are.")
    yield _figure(dataset, facts)


def _line(dataset: DatasetFindings, facts: PerClass, gaps: ClassGaps) -> tuple[Content, ...]:
    order = sorted(range(len(gaps.gaps)), key=lambda place: gaps.gaps[place])
    higher, lower = sum(gap > 0 for gap in gaps.gaps), sum(gap < 0 for gap in gaps.gaps)
    return (
        Marked(gaps.label, dataset.row(gaps.label).marks),
        *(str(higher), str(gaps.always_higher), str(lower), str(gaps.always_lower)),
        _named(facts.classes, gaps.gaps, [place for place in order[::-1] if gaps.gaps[place] > 0]),
        _named(facts.classes, gaps.gaps, [place for place in order if gaps.gaps[place] < 0]),
    )


def _named(classes: Sequence[str], gaps: Sequence[float], places: Sequence[int]) -> str:
    return ", ".join(f"{classes[place]} {signed(gaps[place])}" for place in places[:NAMED]) or DASH


def _figure(dataset: DatasetFindings, facts: PerClass) -> Figure:
    study, columns = dataset.study, columns_for(len(facts.losses))

    def paint(canvas: Canvas) -> None:
        panels = grid(canvas, len(facts.losses), columns=columns, legend=0.0)
        for panel, gaps in zip(panels, facts.losses, strict=True):
            name_panel(panel, study.shown(gaps.label))
            _paint(panel, gaps, style_of(gaps.label, dataset.labels)[0])
        align(panels, columns=columns, marks=None)
        canvas.supxlabel("test classes, from the largest gain to the largest loss", fontsize=10)
        canvas.supylabel("points of MAP@R", fontsize=10)

    return draw(
        paint,
        name=dataset.figure_name("classes"),
        height=grid_height(len(facts.losses), columns=columns),
        title=f"MAP@R of each test class minus that of {study.shown(study.baseline)} on {dataset.dataset}",
        caption=f"MAP@R of each test class minus that of {study.shown(study.baseline)}, mean over seeds, in descending "
        "order for each loss.",
    )


def _paint(panel: Axes, gaps: ClassGaps, colour: str) -> None:
    values = sorted((100 * gap for gap in gaps.gaps), reverse=True)
    panel.axhline(0, color="#8A9099", lw=0.8, zorder=1)
    panel.fill_between(range(len(values)), values, step="mid", color=colour, alpha=0.25, lw=0, zorder=2)
    panel.step(range(len(values)), values, where="mid", color=colour, lw=1.6, zorder=3)


SECTION = Section(
    name="per_class",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)
