"""Calibration of distances: how far one threshold serves all test classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure as Canvas

from realitycheck.evaluations.menu import COMMON, OWN, PLACES, SPREAD
from realitycheck.records.evidence import LossEvidence
from realitycheck.report.blocks import Block, Column, Content, Figure, Heading, Marked, Note, Paragraph, Table, rows_of
from realitycheck.report.drawing import draw
from realitycheck.report.evaluated import (
    SEEDS_ALONE,
    PairEvaluation,
    PairEvaluations,
    SeedScores,
    finish_panel,
    paint_curve,
    pair_evaluations,
    seed_scores,
    summary,
)
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import thousands


@dataclass(frozen=True, slots=True)
class CalibratedLoss:
    """One row.

    Args:
        label: the loss, or the untrained embedder.
        spread: the interquartile range of the places of the classes' best thresholds.
        own: mean accuracy over classes, each at its own best threshold.
        common: the same at the best threshold for all.
        lost: the one minus the other, seed by seed.
        places: quantiles of the places, at the shares of classes of `PLACES`.
    """

    label: str
    spread: SeedScores
    own: SeedScores
    common: SeedScores
    lost: SeedScores
    places: tuple[SeedScores, ...]


def find(dataset: DatasetFindings) -> PairEvaluations[CalibratedLoss] | None:
    """The rows with scores; None where the protocol names no such evaluation, or nothing is scored."""
    return pair_evaluations(dataset, ["calibration"], partial(_row, dataset))


def _row(dataset: DatasetFindings, row: LossEvidence, name: str) -> CalibratedLoss | None:
    def of(metric: str) -> SeedScores:
        return seed_scores(dataset, row, evaluation=name, metric=metric)

    own, common = of(OWN), of(COMMON)
    if not own.values:
        return None
    lost = summary(dataset, (one - other for one, other in zip(own.values, common.values, strict=True)))
    return CalibratedLoss(row.label, of(SPREAD), own, common, lost, tuple(of(key) for key in PLACES.values()))


def blocks(dataset: DatasetFindings, facts: PairEvaluations[CalibratedLoss]) -> Iterator[Block]:
    """Print one table and one figure for each evaluation."""
    for number, one in enumerate(facts.evaluations):
        yield Heading(3, "One threshold for all classes")
        yield Paragraph(
            "How far one threshold on distances serves all test classes. Pairs of a class are two of its images, or "
            f"one of them and an image of another class: at most {thousands(one.pairs)} of each kind, drawn by seed "
            f"{one.seed}, the same for every model. The place of a threshold is the share of all these pairs that it "
            "accepts, with equal weight for every class and kind, so that models with distances in other units compare."
        )
        yield _table(dataset, one)
        yield Note(SEEDS_ALONE)
        yield _figure(dataset, one, number)


def _table(dataset: DatasetFindings, facts: PairEvaluation[CalibratedLoss]) -> Table:
    heads = ("Spread of best thresholds", "Accuracy at own", "Accuracy at one for all", "Lost by one for all")
    lines: list[tuple[Content, ...]] = [
        (Marked(row.label), *(scores.cell for scores in (row.spread, row.own, row.common, row.lost)))
        for row in facts.rows
    ]
    return Table(
        (Column("Loss"), *(Column(head, number=True) for head in heads)),
        rows_of(lines),
        caption=f"{dataset.study.categories[dataset.study.category]}, in percent. Spread: the interquartile range over "
        "classes of the place of the class's best threshold; 0 where one threshold is the best for all. Accuracy: the "
        "mean over classes and kinds of pairs at each class's own best threshold, and at the best one for all.",
    )


def _figure(dataset: DatasetFindings, facts: PairEvaluation[CalibratedLoss], number: int) -> Figure:
    def paint(canvas: Canvas) -> None:
        panel = canvas.subplots()
        for row in facts.rows:
            paint_curve(panel, dataset, row.label, [100 * share for share in PLACES], row.places)
        panel.set_xlim(0, 100)
        panel.set_xlabel("test classes by their best threshold, %")
        panel.set_ylabel("place of the threshold, %")
        finish_panel(panel)

    suffix = f"-{number + 1}" if number else ""
    return draw(
        paint,
        name=dataset.figure_name(f"thresholds{suffix}"),
        height=3.6,
        title=f"Best thresholds of the test classes of {dataset.dataset} under every loss",
        caption="The place of every class's own best threshold, in ascending order: flat where one threshold serves "
        "all classes. The line is the mean over seeds, the band reaches from the lowest to the highest seed.",
    )


SECTION = Section(
    name="one_threshold",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)
