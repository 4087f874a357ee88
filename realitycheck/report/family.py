"""Compare every loss with the baseline: the declared losses and those that joined later, in one family."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.evaluations.menu import UNTRAINED_ROWS
from realitycheck.report.rows import ScoreCell, ScoreRow
from realitycheck.report.study_facts import StudyFacts
from realitycheck.runs import CLEAN
from realitycheck.statistics.agreement import agreed, found_by_both
from realitycheck.statistics.base import Estimator
from realitycheck.statistics.comparisons import Comparison, compare
from realitycheck.statistics.estimators import estimator

REPLACEMENT = next(label for label, evaluation in UNTRAINED_ROWS.items() if evaluation == CLEAN)
"""The untrained row that replaces missing replicates."""


def comparisons(study: StudyFacts, rows: Sequence[ScoreRow], untrained: Sequence[ScoreRow]) -> tuple[Comparison, ...]:
    """Compare all losses but the baseline with it, and count only the verdicts that survive the luck of the search."""
    own = _compared(study, study.estimator, rows, untrained)
    if not study.estimator.needs_agreement:
        return own
    others = beside(study, rows, untrained)
    return tuple(found_by_both(agreed(own, others), others))


def beside(study: StudyFacts, rows: Sequence[ScoreRow], untrained: Sequence[ScoreRow]) -> tuple[Comparison, ...]:
    """The same comparisons by the estimator that is printed beside; empty where there is none."""
    own = study.estimator
    if own.beside is None:
        return ()
    return _compared(study, estimator(own.beside, level=own.level, searches=own.searches), rows, untrained)


def _compared(
    study: StudyFacts, rule: Estimator, rows: Sequence[ScoreRow], untrained: Sequence[ScoreRow]
) -> tuple[Comparison, ...]:
    """Compare all losses but the baseline with it by one estimator, in the primary category and metric.

    Holm's correction is over all of them, exploratory losses too: with a family of their own for the declared losses,
    the chance of any false verdict on a page would exceed 1 − level.
    """
    baseline = next((row for row in rows if row.label == study.baseline), None)
    if baseline is None:
        return ()
    others = [row for row in rows if row.label != study.baseline]
    return tuple(_compare(study, rule, others, baseline, untrained))


def _compare(
    study: StudyFacts, rule: Estimator, family: Sequence[ScoreRow], baseline: ScoreRow, untrained: Sequence[ScoreRow]
) -> list[Comparison]:
    def cell(row: ScoreRow) -> ScoreCell:
        return row.cell(study.category, study.metric)

    replacement = next((cell(row).values for row in untrained if row.label == REPLACEMENT), (None,) * study.seeds)
    return compare(
        {row.label: cell(row).scores for row in family},
        baseline=cell(baseline).scores,
        untrained=replacement,
        pending={row.label for row in family if cell(row).pending or cell(baseline).pending},
        estimator=rule,
        losses=len(study.losses),
        smallest_difference=study.smallest_difference,
    )
