"""Which losses can be the best: intervals of ranks and, on request, all pairs."""

from __future__ import annotations

from collections.abc import Iterator

from realitycheck.report.blocks import Block, Column, Content, Heading, Marked, Paragraph, Table, rows_of
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.ranks import Ranks
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import enumeration, optional_points, p_value, percent, share, signed
from realitycheck.statistics.all_pairs import LossPair

METHOD = (
    "All pairs of losses are compared, with a step-down correction on the largest t (Romano and Wolf 2005). A loss's "
    "rank is above those that are lower and below those that are higher (Mogstad et al. 2024)."
)


def find(dataset: DatasetFindings) -> Ranks | None:
    """Only with two or more losses that have all of their scores."""
    return dataset.ranks


def blocks(dataset: DatasetFindings, facts: Ranks) -> Iterator[Block]:
    """Print the set that is not distinguishable from the best, the ranks, and all pairs where the study asks."""
    study = dataset.study
    yield Heading(3, "Ranks")
    yield Paragraph(f"{leading_sentence(dataset)} {study.estimator.covers}")
    yield Table(
        (Column("Loss"), Column("Mean", number=True), Column(f"Ranks, {percent(study.level)}", number=True)),
        rows_of(_rank_lines(dataset, facts)),
        caption=f"{study.primary}, highest mean first. The intervals of all ranks hold together at the "
        f"nominal level of {percent(study.level)}. {METHOD} Simulated error rates are in docs/statistics.md.",
        notes=(*_needed(dataset), *_unranked(dataset, facts)),
    )
    if study.every_pair:
        yield _pair_table(dataset, facts)


def leading_sentence(dataset: DatasetFindings) -> str:
    """`3 of 12 losses are not distinguishable from the best: a, b and c.`; empty without ranks."""
    if dataset.ranks is None:
        return ""
    names = [dataset.study.shown(label) for label in dataset.ranks.leading]
    total = len(dataset.ranks.intervals)
    if len(names) == 1:
        return f"{names[0]} is above every other loss."
    return f"{len(names)} of {total} losses are not distinguishable from the best: {enumeration(names)}."


def _rank_lines(dataset: DatasetFindings, facts: Ranks) -> list[tuple[Content, ...]]:
    study = dataset.study
    means = {row.label: row.cell(study.category, study.metric).mean for row in dataset.rows}
    order = sorted(facts.intervals, key=lambda one: -(means[one.label] or 0))
    return [
        (
            Marked(one.label, dataset.row(one.label).marks),
            optional_points(means[one.label]),
            str(one.best) if one.best == one.worst else f"{one.best} to {one.worst}",
        )
        for one in order
    ]


def _needed(dataset: DatasetFindings) -> tuple[str, ...]:
    rule = dataset.study.estimator
    if not rule.needs_agreement:
        return ()
    return (
        f"Which of two losses is higher counts only where {rule.beside}, which counts the luck of the search, agrees.",
    )


def _unranked(dataset: DatasetFindings, facts: Ranks) -> tuple[str, ...]:
    if not facts.unranked:
        return ()
    names = enumeration([dataset.study.shown(label) for label in facts.unranked])
    return (
        f"Not compared, because of missing replicates or searches that disagree: {names}. These may have any rank.",
    )


def _pair_table(dataset: DatasetFindings, facts: Ranks) -> Table:
    study = dataset.study
    heads = ("Difference", f"{percent(study.level)} interval", "p")
    return Table(
        (Column("Pair"), Column("Result"), *(Column(head, number=True) for head in heads)),
        rows_of([_pair_line(dataset, pair) for pair in facts.pairs]),
        caption=f"All pairs, {study.primary}, in percentage points. Higher or lower: p is below "
        f"{share(1 - study.level)} after the step-down correction for both signs of all pairs. The intervals of all "
        "pairs hold together. They are corrected in one step, so one may hold 0 where p is below that.",
        notes=("All pairs are a family of their own, beside the comparisons with the baseline.",),
    )


def _pair_line(dataset: DatasetFindings, pair: LossPair) -> tuple[Content, ...]:
    study = dataset.study
    word = "higher" if pair.mean > 0 else "lower"
    return (
        f"{study.shown(pair.label)} – {study.shown(pair.other)}",
        word if pair.p_stepdown < 1 - study.level else "undecided",
        signed(pair.mean),
        f"{signed(pair.low)} to {signed(pair.high)}",
        p_value(pair.p_stepdown),
    )


SECTION = Section(
    name="ranks",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
)
