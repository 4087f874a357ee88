"""Every loss against the baseline: the declared family, and what joined it later."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.evaluations.menu import UNTRAINED_ROWS
from realitycheck.protocol.model import Study
from realitycheck.report.scores import Row
from realitycheck.runs import CLEAN
from realitycheck.statistics.base import Estimator
from realitycheck.statistics.comparisons import Comparison, compare

STAND_IN = next(label for label, evaluation in UNTRAINED_ROWS.items() if evaluation == CLEAN)
"""The row whose scores stand in for missing replicates."""


def comparisons(
    study: Study, rows: Sequence[Row], untrained: Sequence[Row], estimator: Estimator
) -> tuple[Comparison, ...]:
    """All losses but the baseline, in the primary category and metric.

    Exploratory losses are corrected for the whole family, and leave the first family's p-values alone.
    """
    by_label = {row.label: row for row in rows}
    if study.baseline not in by_label:
        return ()
    others = [row for row in rows if row.label != study.baseline]
    declared = [row for row in others if not row.exploratory]
    judged = {
        each.label: each
        for family in (others, declared)
        for each in _judge(study, family, by_label[study.baseline], untrained, estimator)
    }
    return tuple(judged[row.label] for row in others)


def _judge(
    study: Study, family: Sequence[Row], baseline: Row, untrained: Sequence[Row], estimator: Estimator
) -> list[Comparison]:
    def cells(rows: Sequence[Row]) -> dict[str, tuple[float | None, ...]]:
        return {row.label: row.cell(study.primary.category, study.primary.metric).values for row in rows}

    def pending(row: Row) -> bool:
        return row.cell(study.primary.category, study.primary.metric).pending > 0

    return compare(
        cells(family),
        baseline=cells([baseline])[baseline.label],
        untrained=cells(untrained).get(STAND_IN, (None,) * study.protocol.final.seeds),
        pending={row.label for row in family if pending(row) or pending(baseline)},
        estimator=estimator,
        smallest_difference=study.smallest_difference / 100,
    )
