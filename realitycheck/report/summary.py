"""All that the report says, as values: computed once here, written out by tables, figures and the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realitycheck.protocol.model import Protocol, Study
from realitycheck.records.evidence import DatasetEvidence
from realitycheck.report.endings import Ending, cap_sentence, endings
from realitycheck.report.facts import DataFacts, data_facts, protocol_lines
from realitycheck.report.family import comparisons
from realitycheck.report.glossary import glossary
from realitycheck.report.labels import RECONSTRUCTION, shown, statuses
from realitycheck.report.missing import missing
from realitycheck.report.noise import Noise, noise
from realitycheck.report.openings import NAMING, OpeningSummary, changed_claims, exploratory, summarize_opening
from realitycheck.report.scores import Row, make_row, make_untrained_row
from realitycheck.report.searches import SearchSummary, Treatment, summarize_search, treatment
from realitycheck.report.verdicts import answer
from realitycheck.runs import Category
from realitycheck.statistics.base import Estimator
from realitycheck.statistics.comparisons import Comparison
from realitycheck.statistics.estimators import estimator


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """What was found on one dataset.

    Args:
        dataset: its name.
        facts: what the records tell of its images and trainings.
        rows: one per loss, in the study's order.
        untrained: the rows of models that were never trained.
        comparisons: every loss but the baseline against it, in the primary category and metric.
        noise: the spread of losses that are one function; None where the study names none.
        searches: one per search of each loss.
        endings: one per search and phase.
        capped: what to make of it where most runs were ended by the cap; else empty.
        openings: of the test half, by this study.
        missing: what is still to be done, one sentence each; empty once finished.
        answer: the verdicts in plain words.
    """

    dataset: str
    facts: DataFacts
    rows: tuple[Row, ...]
    untrained: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    noise: Noise | None
    searches: tuple[SearchSummary, ...]
    endings: tuple[Ending, ...]
    capped: str
    openings: tuple[OpeningSummary, ...]
    missing: tuple[str, ...]
    answer: str

    @property
    def exploratory(self) -> frozenset[str]:
        """The losses of which something was settled after the first opening."""
        return frozenset(row.label for row in self.rows if row.exploratory)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The scores of each category, in the order of the columns."""
        return tuple(dict.fromkeys(cell.metric for row in self.rows for cell in row.cells))

    def row(self, label: str) -> Row:
        """The row of one loss."""
        return next(row for row in self.rows if row.label == label)

    def searches_of(self, label: str) -> tuple[SearchSummary, ...]:
        """The searches of one loss."""
        return tuple(search for search in self.searches if search.label == label)


@dataclass(frozen=True, slots=True)
class Summary:
    """What the study found; scores and differences are fractions of one.

    Args:
        study: its name.
        question: what it asks.
        protocol: the protocol's name.
        promise: the protocol's own summary.
        alike: what every loss had alike: heading and sentence.
        glossary: the words of the tables, a sentence each.
        baseline: the label that every loss is compared with.
        category: the primary category.
        metric: the primary metric.
        categories: with their widths, such as `aggregate-128`, in the order of the columns.
        smallest_difference: the smallest difference of interest.
        level: of the intervals.
        seeds: replicates per loss.
        searches: searches per loss; the replicates are divided evenly among them.
        statuses: label → how near the loss is to the published one; empty where the house does not know.
        covers: what the intervals cover and what they do not.
        two_phases: whether a follow-up comes after the normal phase.
        datasets: one summary each.
        treatments: what was unequal, per loss.
    """

    study: str
    question: str
    protocol: str
    promise: str
    alike: tuple[tuple[str, str], ...]
    glossary: dict[str, str]
    baseline: str
    category: Category
    metric: str
    categories: dict[Category, str]
    smallest_difference: float
    level: float
    seeds: int
    searches: int
    statuses: dict[str, str]
    covers: str
    two_phases: bool
    datasets: tuple[DatasetSummary, ...]
    treatments: tuple[Treatment, ...]

    @property
    def finished(self) -> bool:
        """Whether nothing is missing on any dataset."""
        return bool(self.datasets) and not any(each.missing for each in self.datasets)

    @property
    def reconstructed(self) -> frozenset[str]:
        """The losses that are reconstructions; where there is one, tables need a footnote."""
        return frozenset(label for label, status in self.statuses.items() if status == RECONSTRUCTION)

    def shown(self, label: str) -> str:
        """A loss's name as tables print it."""
        return shown(label, self.statuses)


def summarize(study: Study, evidence: Sequence[DatasetEvidence]) -> Summary:
    """Everything that the records say about the study, finished or not."""
    protocol = study.protocol
    dims, folds = protocol.embedding_dim, protocol.folds.count
    return Summary(
        study=study.study,
        question=study.question,
        protocol=protocol.protocol,
        promise=protocol.summary,
        alike=tuple(protocol_lines(protocol, interval=_estimator(study).title)),
        glossary=glossary(study),
        baseline=study.baseline,
        category=study.primary.category,
        metric=study.primary.metric,
        categories={each: each.label(dims=dims, folds=folds) for each in protocol.categories},
        smallest_difference=study.smallest_difference / 100,
        level=protocol.interval.level,
        seeds=protocol.final.seeds,
        searches=protocol.search.searches,
        statuses=statuses(study),
        covers=_estimator(study).covers,
        two_phases=len(protocol.phases) > 1,
        datasets=tuple(_dataset(study, each) for each in evidence),
        treatments=tuple(treatment(study, choice.label) for choice in study.losses),
    )


def _dataset(study: Study, evidence: DatasetEvidence) -> DatasetSummary:
    protocol = _protocol_on(study, evidence.dataset)
    rows = _rows(study, evidence, protocol)
    untrained = tuple(make_untrained_row(each, protocol, _estimator(study)) for each in evidence.untrained)
    found = comparisons(study, rows, untrained, _estimator(study))
    ended = tuple(each for loss in evidence.losses for each in endings(loss, protocol))
    return DatasetSummary(
        dataset=evidence.dataset,
        facts=data_facts(evidence),
        rows=rows,
        untrained=untrained,
        comparisons=found,
        noise=_noise(study, evidence, rows),
        searches=tuple(
            summarize_search(study, evidence.dataset, loss.label, search)
            for loss in evidence.losses
            for search in loss.searches
        ),
        endings=ended,
        capped=cap_sentence(ended, shown=lambda label: shown(label, statuses(study))),
        openings=tuple(summarize_opening(opening) for opening in evidence.openings),
        missing=missing(protocol, evidence),
        answer=_answer(study, found, rows),
    )


def _estimator(study: Study) -> Estimator:
    rule, searches = study.protocol.interval, study.protocol.search.searches
    return estimator(rule.method, level=rule.level, searches=searches)


def _protocol_on(study: Study, dataset: str) -> Protocol:
    return study.protocol.of(next((each.address for each in study.datasets if each.name == dataset), ""))


def _rows(study: Study, evidence: DatasetEvidence, protocol: Protocol) -> tuple[Row, ...]:
    late, known, chosen = exploratory(evidence), statuses(study), _estimator(study)
    return tuple(
        make_row(loss, protocol, chosen, status=known[loss.label], exploratory=loss.label in late)
        for loss in evidence.losses
    )


def _noise(study: Study, evidence: DatasetEvidence, rows: Sequence[Row]) -> Noise | None:
    return noise(
        rows,
        same=study.same,
        primary=(study.primary.category, study.primary.metric),
        estimator=_estimator(study),
        late=NAMING in changed_claims(evidence),
    )


def _answer(study: Study, found: Sequence[Comparison], rows: Sequence[Row]) -> str:
    return answer(
        found,
        baseline=shown(study.baseline, statuses(study)),
        smallest=study.smallest_difference / 100,
        marks={row.label: row.marks for row in rows},
    )
