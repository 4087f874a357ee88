"""The page of a judged paper, as blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from realitycheck.metrics.menu import METRICS
from realitycheck.report.blocks import (
    Badge,
    Block,
    Column,
    Content,
    Estimate,
    Heading,
    Note,
    Paragraph,
    Table,
    Terms,
    rows_of,
)
from realitycheck.report.papers.judged_answer import answers, count_rows, measured_sentence
from realitycheck.report.papers.judged_counts import LUCKS, MEASURED
from realitycheck.report.papers.judged_figures import difference_figure, luck_figure
from realitycheck.report.papers.judged_method import METHOD, limits
from realitycheck.report.papers.judged_pairs import LEVEL, JudgedFamily, JudgedPair, printed_cell, printed_mean
from realitycheck.report.papers.judged_paper import JudgedPaper
from realitycheck.report.papers.paper_files import PaperBlock, PaperScores
from realitycheck.report.wording import DASH, METRIC_NAMES, count, p_value, points, signed


def judged_blocks(judged: JudgedPaper) -> Iterator[Block]:
    """The answer first, then the counts, figures, limits, every table, and the method."""
    question = f"What do the printed differences of {judged.short} support?"
    yield Heading(1, question, kicker=judged.paper.paper)
    yield from (Paragraph(text, lead=place == 0) for place, text in enumerate(answers(judged)))
    yield Paragraph(measured_sentence())
    yield Heading(2, "What remains")
    yield _counts(judged)
    yield luck_figure(judged)
    yield Heading(2, "What cannot be judged")
    yield Terms(tuple(limits(judged)))
    for dataset in judged.paper.tables:
        yield from _dataset(judged, dataset)
    yield Heading(2, "How it is judged")
    yield Terms(METHOD)


def _counts(judged: JudgedPaper) -> Table:
    unit = "standard deviation between searches, points"
    heads = [Column(f"{luck:.2f}{' *' if luck in MEASURED else ''}", number=True, group=unit) for luck in LUCKS]
    tests = ("Columns" if judged.paper.judged.own else "Cases", "Printed higher", "p < 0.05", "Holm p < 0.05")
    bound = "" if judged.tested else " These are upper bounds: those of runs without any noise."
    return Table(
        (Column("Compared"), *(Column(head, number=True) for head in tests), *heads),
        rows_of(count_rows(judged, LUCKS)),
        caption="How many differences are printed, are significant, and remain so where each loss had one search.",
        notes=(
            f"A column is one dataset, category and metric. Right: significant after Holm's correction with the given "
            f"standard deviation between searches of one loss.{bound}",
            f"* {measured_sentence()} It is a scale from different photos, a frozen trunk and shorter searches, "
            "and no estimate for this paper.",
        ),
    )


def _dataset(judged: JudgedPaper, dataset: str) -> Iterator[Block]:
    table = judged.paper.tables[dataset]
    yield Heading(2, dataset)
    yield Note(f"{table.table[0].upper()}{table.table[1:]}. Trunk: {table.trunk}. Split: {table.split}.")
    yield difference_figure(judged, dataset)
    for category, block in table.blocks.items():
        yield Heading(3, f"{dataset}, {category.value}")
        yield _printed(judged, block)
        for families in judged.tables_of(dataset, category):
            yield _differences(judged, families)


def _printed(judged: JudgedPaper, block: PaperBlock) -> Table:
    heads = ("Mean", "sd of a run") if judged.tested else ("Mean",)
    columns = [Column(head, number=True, group=METRIC_NAMES[metric]) for metric in METRICS for head in heads]
    lines = [
        (
            judged.called(key),
            *(cell for metric in METRICS for cell in _printed_cells(judged, scores, metric, n=block.n)),
        )
        for key, scores in block.scores.items()
    ]
    half = (
        f" ± half-width of the {LEVEL:.0%} interval over {count(block.n, 'run')}, and sd of a run from it"
        if judged.tested
        else ""
    )
    return Table((Column("Loss"), *columns), rows_of(lines), caption=f"As printed, in percent: mean{half}.")


def _printed_cells(judged: JudgedPaper, scores: PaperScores, metric: str, *, n: int) -> tuple[Content, ...]:
    cell = printed_cell(scores, metric)
    if cell is None:
        return (DASH, DASH) if judged.tested else (DASH,)
    mean, half = cell
    shown = Estimate(mean / 100, None if half is None else half / 100)
    return (shown, points(printed_mean(cell, n=n).deviation)) if judged.tested else (shown,)


def _differences(judged: JudgedPaper, families: Sequence[JudgedFamily]) -> Table:
    first = families[0]
    heads = ("Diff.", "Holm p", "Detect.", "Survives") if judged.tested else ("Difference", "Survives at most")
    groups = [METRIC_NAMES[family.metric] for family in families]
    columns = [Column(head, number=True, group=group) for group in groups for head in heads]
    others = [pair.second if first.leads else pair.first for pair in first.pairs]
    lines = [
        (judged.called(other), *(cell for family in families for cell in _pair_cells(judged, family.against(other))))
        for other in others
    ]
    name = judged.called(first.reference)
    caption = f"{name} minus every other loss" if first.leads else f"Every other loss minus {name}"
    heads_explained = ". Diff.: coloured where Holm's p is below 0.05. Detect.: detectable" if judged.tested else ""
    return Table(
        (Column("Loss"), *columns), rows_of(lines), caption=f"{caption}, in percentage points{heads_explained}."
    )


def _pair_cells(judged: JudgedPaper, pair: JudgedPair | None) -> tuple[Content, ...]:
    if pair is None:
        return (DASH,) * (4 if judged.tested else 2)
    survives = DASH if pair.survives is None else points(pair.survives)
    if pair.tested is None:
        return signed(pair.difference), survives
    kind = "undecided" if pair.survives is None else "better" if pair.difference > 0 else "worse"
    return (
        Badge(signed(pair.difference), kind),
        *(p_value(pair.tested.p_holm), points(pair.tested.detectable), survives),
    )
