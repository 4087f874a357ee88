"""The printed differences of a paper, judged family by family; a family is one column of a table and one reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from realitycheck.metrics.menu import METRICS
from realitycheck.report.papers.paper_files import MeanAndHalf, Paper, PaperBlock, PaperScores
from realitycheck.runs import Category
from realitycheck.statistics.intervals import Interval
from realitycheck.statistics.printed_means import PrintedComparison, PrintedMean, judge_family

LEVEL, POWER = 0.95, 0.8
"""The level of the printed intervals and of a family, and the power of a detectable difference."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test of one difference says; scores are fractions of one.

    Args:
        interval: by Welch's test, before any correction.
        freedom: Satterthwaite's degrees of freedom.
        p: two-sided, before any correction.
        p_holm: after Holm's correction over the family.
        detectable: the smallest true difference that these runs detect in 80 % of all cases, at α / size of the family.
    """

    interval: Interval
    freedom: float
    p: float
    p_holm: float
    detectable: float

    @property
    def flipped(self) -> Tested:
        """The test of the difference with the other sign."""
        ends = self.interval
        return replace(self, interval=replace(ends, mean=-ends.mean, low=-ends.high, high=-ends.low))


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """One printed difference, first minus second.

    Args:
        first: key of the loss.
        second: key of the loss that is subtracted.
        printed: mean and half-width of both, in percent as the file has them.
        difference: as a fraction of one.
        tested: None where a half-width of the family was not read.
        survives: the largest deviation between searches at which the difference stays significant after the correction
            if each loss had one search; None where it is not significant without any. Where nothing is tested, it is
            an upper bound: that of runs without any noise.
    """

    first: str
    second: str
    printed: tuple[MeanAndHalf, MeanAndHalf]
    difference: float
    tested: Tested | None
    survives: float | None

    def above(self, *, luck: float) -> bool:
        """Whether the first is significantly above the second, with this deviation between searches."""
        return self.difference > 0 and self.survives is not None and luck <= self.survives

    @property
    def flipped(self) -> JudgedPair:
        """The same difference, second minus first."""
        printed = self.printed[1], self.printed[0]
        tested = self.tested.flipped if self.tested else None
        return JudgedPair(self.second, self.first, printed, -self.difference, tested, self.survives)


@dataclass(frozen=True, slots=True)
class JudgedFamily:
    """The differences of one column from one reference, or those of the reference from all others.

    Args:
        dataset: its name on the menu.
        category: of the column.
        metric: of the column.
        reference: key of the loss that all others are compared with.
        leads: whether the reference comes first: it is the paper's own loss, or the highest of the column.
        n: number of runs behind every mean.
        pairs: in the order of the table.
    """

    dataset: str
    category: Category
    metric: str
    reference: str
    leads: bool
    n: int
    pairs: tuple[JudgedPair, ...]

    @property
    def tested(self) -> bool:
        """Whether all half-widths are known."""
        return all(pair.tested is not None for pair in self.pairs)

    def is_of(self, baseline: str) -> bool:
        """Whether these are the differences of all losses from this baseline."""
        return self.reference == baseline and not self.leads

    def against(self, other: str) -> JudgedPair | None:
        """The difference of the reference and another loss."""
        return next((pair for pair in self.pairs if other in (pair.first, pair.second)), None)


def judge_paper(paper: Paper) -> tuple[JudgedFamily, ...]:
    """Judge every column of every table: each baseline first, then the loss of the paper, or the highest."""
    return tuple(
        family
        for dataset, table in paper.tables.items()
        for category, block in table.blocks.items()
        for metric in METRICS
        for family in _families(paper, dataset, category, block, metric)
    )


def _families(paper: Paper, dataset: str, category: Category, block: PaperBlock, metric: str) -> Iterator[JudgedFamily]:
    column = _column(paper, block, metric)
    if len(column) < 2:
        return
    highest = max(column, key=lambda key: column[key][0])
    wanted = [(key, False) for key in paper.judged.baselines] + [(paper.judged.own or highest, True)]
    for reference, leads in wanted:
        if reference in column:
            pairs = _pairs(column, reference, n=block.n, leads=leads)
            yield JudgedFamily(dataset, category, metric, reference, leads=leads, n=block.n, pairs=pairs)


def _column(paper: Paper, block: PaperBlock, metric: str) -> dict[str, MeanAndHalf]:
    cells = {key: printed_cell(scores, metric) for key, scores in block.scores.items()}
    return {key: cell for key, cell in cells.items() if cell is not None and key not in paper.judged.untrained}


def printed_cell(scores: PaperScores, metric: str) -> MeanAndHalf | None:
    """The mean and half-width of one metric, in percent; None where it was not read."""
    cell: MeanAndHalf | None = getattr(scores, metric)
    return cell


def _pairs(column: dict[str, MeanAndHalf], reference: str, *, n: int, leads: bool) -> tuple[JudgedPair, ...]:
    others = [key for key in column if key != reference]
    named = [(reference, key) if leads else (key, reference) for key in others]
    means = {key: printed_mean(cell, n=n) for key, cell in column.items()}
    compared = judge_family([(means[first], means[second]) for first, second in named], alpha=1 - LEVEL, wanted=POWER)
    known = all(half is not None for _, half in column.values())
    return tuple(
        JudgedPair(
            *(first, second, (column[first], column[second])),
            difference=comparison.estimate.mean,
            tested=_tested(comparison) if known else None,
            survives=comparison.survives,
        )
        for (first, second), comparison in zip(named, compared, strict=True)
    )


def printed_mean(cell: MeanAndHalf, *, n: int) -> PrintedMean:
    """Without a half-width, a mean without any noise, from which an upper bound follows."""
    mean, half = cell
    return PrintedMean(mean / 100, (half or 0.0) / 100, n, LEVEL)


def _tested(comparison: PrintedComparison) -> Tested:
    estimate = comparison.estimate
    return Tested(
        *(estimate.interval(LEVEL), estimate.freedom, estimate.p),
        p_holm=comparison.p_holm,
        detectable=comparison.detectable,
    )
