"""Verification by pairs: accuracy, TAR at FAR, equal error rate and the ROC of every loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure as Canvas

from realitycheck.evaluations.menu import ACCURACY, EER, LISTED_PAIRS, ROC, pair_list_in
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
)
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.papers.published_experiments import ExperimentColumn, experiment_blocks
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import thousands

HERE = ExperimentColumn(name="pairs of this study", key="accuracy")
"""The column of our accuracy: no benchmark of the paper has these pairs."""

PRINTED = (0.1, 0.01, 0.001)
"""False accept rates with a column, as in the tables of the field."""


@dataclass(frozen=True, slots=True)
class VerifiedLoss:
    """One row: its accuracy and equal error rate, and its true accept rate at every false accept rate of the ROC."""

    label: str
    accuracy: SeedScores
    eer: SeedScores
    roc: tuple[SeedScores, ...]


def find(dataset: DatasetFindings) -> PairEvaluations[VerifiedLoss] | None:
    """The rows with scores; None where the protocol names no such evaluation, or nothing is scored."""
    return pair_evaluations(dataset, ["verification", LISTED_PAIRS], partial(_row, dataset))


def _row(dataset: DatasetFindings, row: LossEvidence, name: str) -> VerifiedLoss | None:
    def of(metric: str) -> SeedScores:
        return seed_scores(dataset, row, evaluation=name, metric=metric)

    one = VerifiedLoss(row.label, of(ACCURACY), of(EER), tuple(of(metric) for metric in ROC.values()))
    return one if one.accuracy.values else None


def blocks(dataset: DatasetFindings, facts: PairEvaluations[VerifiedLoss]) -> Iterator[Block]:
    """Print one table and one figure for each evaluation."""
    for number, one in enumerate(facts.evaluations):
        yield Heading(3, "Verification by pairs")
        yield Paragraph(f"{_origin(one)} A pair is accepted where its distance is at most a threshold.")
        yield _table(dataset, one)
        yield Note(SEEDS_ALONE)
        yield _figure(dataset, one, number)
    yield from experiment_blocks("warped2024", "V", *_beside(dataset, facts), further=[HERE])


def _origin(one: PairEvaluation[VerifiedLoss]) -> str:
    """Where the pairs come from."""
    if listed := pair_list_in(one.evaluation):
        return (
            f"The pairs of the list `{listed[0]}` (digest {listed[1]}), {thousands(one.pairs)} of them of two people. "
            "Its images are no test images of this study, and whether their people were trained on is not known here."
        )
    return (
        f"{thousands(one.pairs)} pairs of test images of one class and {thousands(one.pairs)} of two, drawn by "
        f"seed {one.seed}, the same for every model."
    )


def _beside(
    dataset: DatasetFindings, facts: PairEvaluations[VerifiedLoss]
) -> tuple[dict[str, dict[str, float | None]], dict[str, str]]:
    """Our accuracy in percent by loss, of the first evaluation; names of losses on the menu."""
    means = {row.label: row.accuracy.mean for row in facts.evaluations[0].rows}
    numbers = {label: {HERE.key: None if mean is None else 100 * mean} for label, mean in means.items()}
    return numbers, {loss.label: loss.address for loss in dataset.study.losses if loss.label in means}


def _table(dataset: DatasetFindings, facts: PairEvaluation[VerifiedLoss]) -> Table:
    places = [list(ROC).index(far) for far in PRINTED]
    heads = ("Accuracy", *(f"TAR at FAR {far:g}" for far in PRINTED), "EER")
    lines: list[tuple[Content, ...]] = [
        (Marked(row.label), row.accuracy.cell, *(row.roc[place].cell for place in places), row.eer.cell)
        for row in facts.rows
    ]
    coarse = [f"{far:g}" for far in PRINTED if far * facts.pairs < 1]
    notes = [f"FAR {' and '.join(coarse)}: {facts.pairs} different pairs allow not one false accept."] if coarse else []
    return Table(
        (Column("Loss"), *(Column(head, number=True) for head in heads)),
        rows_of(lines),
        caption=f"{dataset.study.categories[dataset.study.category]}, in percent: accuracy at the best threshold by "
        "ten-fold cross-validation over pairs, the true accept rate (TAR) at the highest threshold with at most that "
        "false accept rate (FAR), and the equal error rate (EER; lower is better).",
        notes=tuple(notes),
    )


def _figure(dataset: DatasetFindings, facts: PairEvaluation[VerifiedLoss], number: int) -> Figure:
    def paint(canvas: Canvas) -> None:
        panel = canvas.subplots()
        for row in facts.rows:
            paint_curve(panel, dataset, row.label, list(ROC), row.roc)
        panel.set_xscale("log")
        panel.xaxis.set_major_formatter("{x:g}")  # the default writes mathematics
        panel.set_xlim(min(ROC), 1)
        panel.set_ylim(None, 100)
        panel.set_xlabel("false accept rate")
        panel.set_ylabel("true accept rate, %")
        finish_panel(panel)

    suffix = f"-{number + 1}" if number else ""
    return draw(
        paint,
        name=dataset.figure_name(f"roc{suffix}"),
        height=3.6,
        title=f"True accept rate against false accept rate of every loss on {dataset.dataset}",
        caption="ROC of every loss: the line is the mean over seeds, the band reaches from the lowest to the highest "
        "seed.",
    )


SECTION = Section(
    name="verification",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)
