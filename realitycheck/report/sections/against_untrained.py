"""Every loss against the untrained models: did training help?"""

from __future__ import annotations

from collections.abc import Iterator

from realitycheck.report.blocks import (
    Badge,
    Block,
    Column,
    Content,
    Heading,
    LatexTable,
    Marked,
    Paragraph,
    Table,
    rows_of,
)
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.helped import Helped, find
from realitycheck.report.sections import warning_list
from realitycheck.report.sections.base import Section
from realitycheck.report.wording import (
    DASH,
    PENDING,
    enumeration,
    optional_signed,
    optional_span,
    p_value,
    percent,
    safe_name,
)
from realitycheck.statistics.untrained import Gain


def blocks(dataset: DatasetFindings, facts: Helped) -> Iterator[Block]:
    """Print the answer and one table."""
    study = dataset.study
    yield Heading(3, "Did training help?")
    yield Paragraph(facts.answer)
    lines = [_line(dataset, facts, place) for place in range(len(dataset.labels))]
    yield Table(
        _columns(facts, study.level),
        rows_of(lines),
        caption=f"{study.primary}, loss minus untrained model, in percentage points. {_reading(dataset)}",
    )


def _columns(facts: Helped, level: float) -> tuple[Column, ...]:
    groups = [Column(head, number=number, group=label) for label in facts.gains for head, number in _heads(level)]
    return (Column("Loss"), *groups, Column("Iteration 0 best", number=True))


def _heads(level: float) -> Iterator[tuple[str, bool]]:
    """The columns of one untrained model, and whether they hold numbers."""
    yield "Verdict", False
    yield from ((head, True) for head in ("Difference", f"{percent(level)} interval", "Holm p"))


def _reading(dataset: DatasetFindings) -> str:
    """What the columns are, in sentences."""
    return (
        f"Holm p: the p-value of no difference, after Holm's correction over the losses.{_agreement(dataset)} "
        "Iteration 0 best: fold runs of the replicates in which the initial weights validate better than every later "
        "checkpoint."
    )


def _agreement(dataset: DatasetFindings) -> str:
    own = dataset.study.estimator
    if not own.needs_agreement:
        return ""
    return f" It is that of {own.method}; a verdict counts only where {own.beside} gives the same one."


def _line(dataset: DatasetFindings, facts: Helped, place: int) -> tuple[Content, ...]:
    cells: list[Content] = []
    for gained in facts.gains.values():
        gain = gained[place]
        verdict = gain.verdict or PENDING
        cells.append(Badge(f"{verdict}: {gain.reason}" if gain.reason else verdict, gain.verdict or "pending"))
        cells += _numbers(gain)
    return _with_ends(dataset, facts, place, cells)


def _numbers(gain: Gain) -> tuple[str, ...]:
    p = DASH if gain.verdict is None else p_value(gain.p_holm)
    return (optional_signed(gain.mean), optional_span(gain.interval), p)


def _with_ends(dataset: DatasetFindings, facts: Helped, place: int, cells: list[Content]) -> tuple[Content, ...]:
    """A line with its first and its last cell."""
    label = dataset.labels[place]
    runs, best = facts.first_best[label]
    return (Marked(label, dataset.row(label).marks), *cells, f"{best} of {runs}" if runs else DASH)


def _latex(dataset: DatasetFindings, facts: Helped) -> Iterator[LatexTable]:
    """The same table for both columns of a page, with reasons and warnings below it."""
    study = dataset.study
    name = f"{safe_name(study.study)}-{safe_name(dataset.dataset)}"
    table = Table(
        _columns(facts, study.level),
        rows_of([_paper_line(dataset, facts, place) for place in range(len(dataset.labels))]),
        f"{study.study} on {dataset.dataset}: {study.primary} minus that of untrained models, in percentage points.",
        notes=(_reading(dataset), *_reasons(dataset, facts), *warning_list.notes_below(dataset)),
    )
    yield LatexTable(table, f"tab:{name}-untrained", "Every loss against the untrained models.", wide=True)


def _paper_line(dataset: DatasetFindings, facts: Helped, place: int) -> tuple[Content, ...]:
    cells: list[Content] = []
    for gained in facts.gains.values():
        cells += [gained[place].verdict or PENDING, *_numbers(gained[place])]
    return _with_ends(dataset, facts, place, cells)


def _reasons(dataset: DatasetFindings, facts: Helped) -> Iterator[str]:
    """Why verdicts on gains are undecided in spite of their p-values, which a narrow column does not hold."""
    shown = dataset.study.shown
    for untrained, gained in facts.gains.items():
        for reason in dict.fromkeys(gain.reason for gain in gained if gain.reason):
            names = enumeration([shown(gain.label) for gain in gained if gain.reason is reason])
            yield f"{names} against the {untrained}: {reason}."


SECTION = Section(
    name="against_untrained",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
    latex=_latex,
)
