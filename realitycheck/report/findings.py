"""The findings of a study: computed once from study and evidence, read by every section and table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

from realitycheck.protocol.model import Protocol, Study
from realitycheck.protocol.space import Space
from realitycheck.records.evidence import DatasetEvidence
from realitycheck.report.family import beside, comparisons
from realitycheck.report.late import ADDING, changed_claims, exploratory, late
from realitycheck.report.missing import missing
from realitycheck.report.ranks import Ranks, find_ranks
from realitycheck.report.rows import ScoreRow, make_default_rows, make_rows, make_untrained_row
from realitycheck.report.study_facts import StudyFacts, study_facts
from realitycheck.report.verdicts import answers, decided_afterwards, marked_in_answers
from realitycheck.report.wording import ordered_metrics, safe_name
from realitycheck.statistics.base import Estimator, Fit
from realitycheck.statistics.comparisons import Comparison
from realitycheck.statistics.estimators import estimator

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DatasetFindings:
    """What was found on one dataset.

    Args:
        study: the study.
        dataset: its name in the study.
        address: its name on the menu, or `module:Class`.
        protocol: the protocol on this dataset.
        spaces: label of a loss → the space of its searches.
        evidence: what the records say.
        rows: one per loss, in the study's order.
        defaults: one per loss, the row of its published setting; empty where the study does not ask for them.
        untrained: the rows of untrained models.
        fit: what the estimator found in the primary category and metric.
        comparisons: every loss but the baseline with it, in the primary category and metric.
        beside: the same comparisons by the estimator that is printed beside; empty where there is none.
        ranks: the ranks that the losses may have; None where no two of them have all of their scores.
        changed_claims: the claims that differ from those of the first opening.
        missing: what is still to be done, one sentence each; empty once finished.
        answers: the verdicts in sentences, by the question that they answer.
        kept: what functions that are `found_once` have returned, by function.
    """

    study: StudyFacts
    dataset: str
    address: str
    protocol: Protocol
    spaces: Mapping[str, Space]
    evidence: DatasetEvidence
    rows: tuple[ScoreRow, ...]
    defaults: tuple[ScoreRow, ...]
    untrained: tuple[ScoreRow, ...]
    fit: Fit
    comparisons: tuple[Comparison, ...]
    beside: tuple[Comparison, ...]
    ranks: Ranks | None
    changed_claims: frozenset[str]
    missing: tuple[str, ...]
    answers: Mapping[str, str]
    kept: dict[object, Any] = field(init=False, default_factory=dict, repr=False, compare=False)

    @property
    def answer(self) -> str:
        """The verdicts in sentences."""
        return " ".join(self.answers.values())

    @property
    def exploratory(self) -> frozenset[str]:
        """Labels of the losses of which a part was decided after the first opening."""
        return frozenset(row.label for row in self.rows if row.exploratory)

    @property
    def every_row(self) -> tuple[ScoreRow, ...]:
        """The rows of the losses, of their published settings, and of untrained models."""
        return (*self.rows, *self.defaults, *self.untrained)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The scores of each category, in the order of the columns."""
        return tuple(dict.fromkeys(cell.metric for row in self.rows for cell in row.cells))

    @property
    def labels(self) -> list[str]:
        """Labels of the losses, in the study's order."""
        return [row.label for row in self.rows]

    def row(self, label: str) -> ScoreRow:
        """The row of one loss."""
        return next(row for row in self.rows if row.label == label)

    def figure_name(self, kind: str) -> str:
        """A file name for a figure of this dataset, whatever the dataset is called: `scores-cub200`."""
        return f"{kind}-{safe_name(self.dataset)}"


def found_once(find: Callable[[DatasetFindings], T]) -> Callable[[DatasetFindings], T]:
    """Keep what a function finds on a dataset: several sections, tables and warnings ask for it."""

    @wraps(find)
    def kept(dataset: DatasetFindings) -> T:
        if find not in dataset.kept:
            dataset.kept[find] = find(dataset)
        facts: T = dataset.kept[find]
        return facts

    return kept


@dataclass(frozen=True, slots=True)
class Findings:
    """All that a report is made of.

    Args:
        study: the study.
        datasets: the findings on each dataset.
        sources: file name → text of the files that the study was run from.
        credit: one sentence per source of data or weights.
    """

    study: StudyFacts
    datasets: tuple[DatasetFindings, ...]
    sources: Mapping[str, str]
    credit: tuple[str, ...]

    @property
    def finished(self) -> bool:
        """Whether nothing is missing on any dataset."""
        return bool(self.datasets) and not any(dataset.missing for dataset in self.datasets)

    @property
    def metrics(self) -> list[str]:
        """The scores of all datasets, each once, in the order of the columns."""
        return ordered_metrics(metric for dataset in self.datasets for metric in dataset.metrics)


def find_all(
    study: Study, evidence: Sequence[DatasetEvidence], *, sources: Mapping[str, str], credit: Sequence[str]
) -> Findings:
    """Compute the findings of a study, finished or not."""
    about = study_facts(study)
    return Findings(
        study=about,
        datasets=tuple(_dataset(study, about, on_dataset) for on_dataset in evidence),
        sources=sources,
        credit=tuple(credit),
    )


def _dataset(study: Study, about: StudyFacts, evidence: DatasetEvidence) -> DatasetFindings:
    address = next((choice.address for choice in study.datasets if choice.name == evidence.dataset), "")
    protocol = study.protocol.of(address)
    marked = {"exploratory": exploratory(evidence), "late": late(evidence)}
    rows = make_rows(evidence.losses, protocol, about.estimator, statuses=about.statuses, **marked)
    untrained = tuple(make_untrained_row(row, protocol, level=about.level) for row in evidence.untrained)
    compared, fit = comparisons(about, rows, untrained), _primary_fit(about, about.estimator, rows)
    return DatasetFindings(
        study=about,
        dataset=evidence.dataset,
        address=address,
        protocol=protocol,
        spaces={choice.label: study.protocol.space_of(choice, evidence.dataset) for choice in study.losses},
        evidence=evidence,
        rows=rows,
        defaults=_defaults(about, protocol, evidence, rows),
        untrained=untrained,
        fit=fit,
        comparisons=compared,
        beside=beside(about, rows, untrained),
        ranks=find_ranks(about, rows, fit, needed=_agreeing_fit(about, rows)),
        changed_claims=changed_claims(evidence),
        missing=missing(protocol, evidence),
        answers=_answers(about, compared, rows),
    )


def _answers(about: StudyFacts, compared: Sequence[Comparison], rows: Sequence[ScoreRow]) -> dict[str, str]:
    """The verdicts in sentences; where many losses are exploratory, one sentence says so in place of many marks."""
    afterwards = decided_afterwards(sum(row.exploratory for row in rows), len(rows))
    marks = {row.label: marked_in_answers(row.marks, alone=not afterwards) for row in rows}
    baseline, smallest = about.shown(about.baseline), about.smallest_difference
    return answers(compared, baseline=baseline, smallest=smallest, marks=marks) | afterwards


def _defaults(
    about: StudyFacts, protocol: Protocol, evidence: DatasetEvidence, rows: Sequence[ScoreRow]
) -> tuple[ScoreRow, ...]:
    if not evidence.defaults:
        return ()
    added = ADDING in changed_claims(evidence)
    return make_default_rows(
        evidence.defaults,
        protocol,
        level=about.level,
        statuses=[row.status for row in rows],
        exploratory=[added or row.exploratory for row in rows],
    )


def _primary_fit(about: StudyFacts, rule: Estimator, rows: Sequence[ScoreRow]) -> Fit:
    cells = {row.label: row.cell(about.category, about.metric) for row in rows}
    return rule.fit({label: cell.scores for label, cell in cells.items()}, losses=len(rows))


def _agreeing_fit(about: StudyFacts, rows: Sequence[ScoreRow]) -> Fit | None:
    """The fit that must agree where the estimator's own intervals leave out the luck of the search."""
    own = about.estimator
    if own.beside is None or not own.needs_agreement:
        return None
    return _primary_fit(about, estimator(own.beside, level=own.level, searches=own.searches), rows)
