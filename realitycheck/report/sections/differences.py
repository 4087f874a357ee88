"""Every loss against the baseline: differences, intervals and verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from realitycheck.report.blocks import (
    Badge,
    Block,
    Column,
    Content,
    Heading,
    LatexTable,
    Marked,
    Paragraph,
    Strong,
    Table,
    Text,
    rows_of,
)
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.sections import warning_list
from realitycheck.report.sections.base import Section
from realitycheck.report.sections.difference_figure import difference_figure
from realitycheck.report.study_facts import StudyFacts
from realitycheck.report.verdicts import detectable_sentence
from realitycheck.report.warning_records import StudyWarning
from realitycheck.report.wording import (
    DASH,
    PENDING,
    count,
    decimal,
    optional_signed,
    optional_span,
    p_value,
    percent,
    points,
    safe_name,
    share,
)
from realitycheck.statistics.comparisons import Comparison

PAIRS = ": of the two losses' scores over seeds; the higher, the more pairing sharpens the comparison."


@dataclass(frozen=True, slots=True)
class Differences:
    """The comparisons with the baseline, in the study's order.

    Args:
        comparisons: by the protocol's estimator.
        beside: by the estimator that is printed beside; empty where there is none.
        method: the name of that one; None where there is none.
        sensitivity: the size of the differences that could have been found, as a sentence; empty before a verdict.
        diagnostics: numbers by name on which the estimator's warnings rest, such as κ.
    """

    comparisons: tuple[Comparison, ...]
    beside: tuple[Comparison, ...]
    method: str | None
    sensitivity: str
    diagnostics: Mapping[str, float]


def find(dataset: DatasetFindings) -> Differences:
    """Every dataset has this section."""
    return Differences(
        *(dataset.comparisons, dataset.beside, dataset.study.estimator.beside, sensitivity(dataset)),
        diagnostics=dataset.fit.diagnostics,
    )


def sensitivity(dataset: DatasetFindings) -> str:
    """The size of the differences that the study could have found; empty before a verdict."""
    return detectable_sentence(dataset.comparisons, baseline=dataset.study.shown(dataset.study.baseline))


def blocks(dataset: DatasetFindings, facts: Differences) -> Iterator[Block]:
    """Print the table and the figure of the differences."""
    study = dataset.study
    baseline = study.shown(study.baseline)
    yield Heading(3, f"Against {baseline}")
    if not facts.comparisons:
        yield Paragraph("There is nothing to compare.")
        return
    warnings = warning_list.find(dataset).warnings
    yield Table(
        _columns(study, facts.method),
        rows_of([_line(dataset, facts, place, warnings) for place in range(len(facts.comparisons))]),
        caption=f"{study.primary}{_pairing(study)}, in percentage points; positive means that the loss scores higher "
        f"than {baseline}.",
        notes=_notes(dataset, warnings),
    )
    if any(comparison.mean is not None for comparison in facts.comparisons):
        yield difference_figure(dataset, facts.comparisons)


def _columns(study: StudyFacts, method: str | None) -> tuple[Column, ...]:
    numbers = ["Difference", f"{percent(study.level)} interval", "Holm p", "Seeds"]
    # Over several searches the correlation is that of the means of searches, and no interval pairs seeds.
    numbers += ["Seed correlation"] if study.searches == 1 else []
    beside = () if method is None else (Column(f"{method}: interval", number=True), Column(f"{method}: verdict"))
    shown = (Column("Loss"), Column("Verdict"), *(Column(head, number=True) for head in numbers), *beside)
    return (*shown, Column("Warnings"))


def _line(
    dataset: DatasetFindings, facts: Differences, place: int, warnings: Sequence[StudyWarning]
) -> tuple[Content, ...]:
    comparison = facts.comparisons[place]
    verdict, correlation = comparison.verdict, comparison.correlation
    return (
        Marked(comparison.label, dataset.row(comparison.label).marks),
        _badge(comparison),
        optional_signed(comparison.mean),
        optional_span(comparison.interval),
        DASH if verdict is None else p_value(comparison.p_holm),
        str(comparison.n),
        *([DASH if correlation is None else decimal(correlation)] if dataset.study.searches == 1 else []),
        *(cell for other in facts.beside[place : place + 1] for cell in (optional_span(other.interval), _badge(other))),
        ", ".join(warning_list.numbers_of(comparison.label, warnings)) or DASH,
    )


def _badge(comparison: Comparison) -> Badge:
    """The verdict, with the reason where it is undecided in spite of its p-value."""
    verdict = comparison.verdict or PENDING
    text = f"{verdict}: {comparison.reason}" if comparison.reason else verdict
    return Badge(text, comparison.verdict or "pending")


def _notes(dataset: DatasetFindings, warnings: Sequence[StudyWarning]) -> tuple[Text, ...]:
    study = dataset.study
    verdicts: Text = (
        Strong("Better"),
        " or ",
        Strong("worse"),
        f": Holm's p is below {share(1 - study.level)}, also with the untrained embedder's score in place of every "
        "missing replicate of the winner. ",
        Strong("Equivalent"),
        f": the {percent(2 * study.level - 1)} interval is within ±{points(study.smallest_difference)} points (two "
        "one-sided tests, also after Holm's correction); this takes precedence. ",
        Strong("Undecided"),
        ": neither; more searches or seeds may decide. ",
        Strong("Identical"),
        ": the same score as the baseline in every replicate.",
        *((" ", Strong("Seed correlation"), PAIRS) if study.searches == 1 else ()),
    )
    exploratory = (
        "Exploratory losses were decided on after the test half had been opened. Holm's correction is over all losses, "
        "exploratory ones too."
    )
    several = (study.estimator.covers,) if study.searches > 1 else ()
    return (
        verdicts,
        *several,
        *_beside(study),
        *_kappa(dataset),
        *([exploratory] if dataset.exploratory else []),
        _warned(dataset, warnings),
    )


def _pairing(study: StudyFacts) -> str:
    return "" if study.searches > 1 else ", paired by seed"


def _beside(study: StudyFacts) -> Iterator[Text]:
    other = study.estimator.beside
    if other is None:
        return
    if study.estimator.needs_agreement:
        yield (
            f"Intervals of {study.estimator.method} leave out the luck of the search. A verdict counts only where "
            f"{other}, which counts it, gives the same one."
        )
    else:
        yield f"Beside it: a second estimator, {other}, with one variance for all losses; it decides nothing."


def _kappa(dataset: DatasetFindings) -> list[str]:
    kappa = dataset.fit.diagnostics.get("kappa")
    if kappa is None:
        return []
    return [
        f"κ = {decimal(kappa)}: the mean squared gap between searches, divided by what runners-up and seeds predict."
    ]


def _warned(dataset: DatasetFindings, warnings: Sequence[StudyWarning]) -> str:
    """What the column of warnings leaves out: those of the ranking and of the baseline."""
    study = dataset.study
    ranking = [str(number) for number, warning in enumerate(warnings, 1) if not warning.labels]
    own = warning_list.numbers_of(study.baseline, warnings)
    parts = ("Warnings: their numbers in What to distrust.", f"All losses: {', '.join(ranking)}." if ranking else "")
    baseline = f"{study.shown(study.baseline)}: {', '.join(own)}." if own else ""
    return " ".join(part for part in (*parts, baseline) if part)


def _latex(dataset: DatasetFindings, facts: Differences) -> Iterator[LatexTable]:
    """One table for one column of a page: verdict, difference, interval and Holm's p of every loss."""
    if not facts.comparisons:
        return
    study = dataset.study
    baseline, level = study.shown(study.baseline), percent(study.level)
    heads = ("Difference", f"{level} interval", "Holm p")
    reasons = [f"{study.shown(one.label)}: {one.reason}." for one in facts.comparisons if one.reason]
    caption = (
        f"{study.study} on {dataset.dataset}: differences from {baseline} in {study.primary}{_pairing(study)}, in "
        "percentage points."
    )
    notes = (
        f"Verdicts at the {percent(1 - study.level)} level after Holm's correction over "
        f"{count(len(facts.comparisons), 'loss', 'losses')}; equivalent: within ±{points(study.smallest_difference)} "
        "points by two one-sided tests.",
        *reasons,
        *_kappa(dataset),
        *warning_list.notes_below(dataset),
    )
    columns = (Column("Loss"), Column("Verdict"), *(Column(head, number=True) for head in heads))
    table = Table(columns, rows_of([_paper_line(dataset, one) for one in facts.comparisons]), caption, notes)
    label = f"tab:{safe_name(study.study)}-{safe_name(dataset.dataset)}-differences"
    yield LatexTable(table, label, "Every loss against the baseline; one column of a page.", wide=False)


def _paper_line(dataset: DatasetFindings, comparison: Comparison) -> tuple[Content, ...]:
    return (
        Marked(comparison.label, dataset.row(comparison.label).marks),
        comparison.verdict or PENDING,
        optional_signed(comparison.mean),
        optional_span(comparison.interval),
        DASH if comparison.verdict is None else p_value(comparison.p_holm),
    )


SECTION = Section(
    name="differences",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
    keys=lambda facts: {
        "comparisons": facts.comparisons,
        "beside": facts.beside,
        "beside_method": facts.method,
        "sensitivity": facts.sensitivity,
        "diagnostics": facts.diagnostics,
    },
    latex=_latex,
)
