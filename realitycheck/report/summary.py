"""All that the report says, as values: computed once here, written out by tables, figures and the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realitycheck.plan.evidence import UNTRAINED_ROWS, DatasetEvidence, LossEvidence
from realitycheck.protocol.model import Study
from realitycheck.report.scores import Row, barren, make_row
from realitycheck.report.searches import SearchSummary, Treatment, summarize_search, treatment
from realitycheck.report.verdicts import answer
from realitycheck.report.words import count
from realitycheck.runs import Body, Category
from realitycheck.statistics.comparisons import Comparison, compare

STAND_IN = next(label for label, output in UNTRAINED_ROWS.items() if output == "embedder")
"""The row whose scores stand in for missing replicates."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The test half of a dataset was opened for these losses, after `before` openings of the same half."""

    losses: tuple[str, ...]
    before: int


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """What was found on one dataset.

    Args:
        dataset: its name.
        rows: one per loss, in the study's order.
        untrained: the rows of models that were never trained.
        comparisons: every loss but the baseline against it, in the primary category and metric.
        searches: one per loss.
        openings: of the test half, by this study.
        missing: what is still to be done, one sentence each; empty once finished.
        answer: the verdicts in plain words.
    """

    dataset: str
    rows: tuple[Row, ...]
    untrained: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    searches: tuple[SearchSummary, ...]
    openings: tuple[Opening, ...]
    missing: tuple[str, ...]
    answer: str

    @property
    def exploratory(self) -> frozenset[str]:
        """The losses of which something was settled after the first opening."""
        return frozenset(row.label for row in self.rows if row.exploratory)

    def on_bound(self, label: str) -> list[str]:
        """The knobs of a loss whose optimum lies on a bound."""
        return [
            knob.name for search in self.searches if search.label == label for knob in search.knobs if knob.on_bound
        ]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the study found; scores and differences are fractions of one.

    Args:
        study: its name.
        question: what it asks.
        protocol: the protocol's name.
        baseline: the label that every loss is compared with.
        category: the primary category.
        metric: the primary metric.
        categories: with their widths, such as `aggregate-128`, in the order of the columns.
        smallest_difference: the smallest difference of interest.
        level: of the intervals.
        seeds: replicates per loss.
        datasets: one summary each.
        treatments: what was unequal, per loss.
    """

    study: str
    question: str
    protocol: str
    baseline: str
    category: Category
    metric: str
    categories: dict[Category, str]
    smallest_difference: float
    level: float
    seeds: int
    datasets: tuple[DatasetSummary, ...]
    treatments: tuple[Treatment, ...]

    @property
    def finished(self) -> bool:
        """Whether nothing is missing on any dataset."""
        return bool(self.datasets) and not any(each.missing for each in self.datasets)


def summarize(study: Study, evidence: Sequence[DatasetEvidence]) -> Summary:
    """Everything that the records say about the study, finished or not."""
    protocol = study.protocol
    dims, folds = protocol.embedding_dim, protocol.folds.count
    return Summary(
        study=study.study,
        question=study.question,
        protocol=protocol.protocol,
        baseline=study.baseline,
        category=study.primary.category,
        metric=study.primary.metric,
        categories={each: each.label(dims=dims, folds=folds) for each in protocol.categories},
        smallest_difference=study.smallest_difference / 100,
        level=protocol.interval.level,
        seeds=protocol.final.seeds,
        datasets=tuple(_dataset(study, each) for each in evidence),
        treatments=tuple(treatment(study, choice.label) for choice in study.losses),
    )


def _dataset(study: Study, evidence: DatasetEvidence) -> DatasetSummary:
    late = exploratory(evidence)
    rows = tuple(
        make_row(each, study.protocol, trained=True, exploratory=each.label in late) for each in evidence.losses
    )
    untrained = tuple(make_row(each, study.protocol, trained=False, exploratory=False) for each in evidence.untrained)
    comparisons = _comparisons(study, rows, untrained)
    return DatasetSummary(
        dataset=evidence.dataset,
        rows=rows,
        untrained=untrained,
        comparisons=comparisons,
        searches=tuple(summarize_search(study, each) for each in evidence.losses),
        openings=tuple(_opening(body) for body in evidence.openings),
        missing=_missing(study, evidence, (*rows, *untrained)),
        answer=answer(
            comparisons,
            baseline=study.baseline,
            smallest=study.smallest_difference / 100,
            exploratory={row.label for row in rows if row.exploratory},
        ),
    )


def exploratory(evidence: DatasetEvidence) -> frozenset[str]:
    """The losses of which something was settled after the test half had first been opened.

    That is a search that the first opening does not name: a loss that joined, or one whose space or recipe changed. It
    is every loss if the claims changed, or if a loss of the first family was dropped, which eases Holm's correction.
    """
    if not evidence.openings:
        return frozenset()
    first, labels = evidence.openings[0], {loss.label for loss in evidence.losses}
    if first["claims"] != evidence.claims or set(first["searches"]) - labels:
        return frozenset(labels)
    return frozenset(loss.label for loss in evidence.losses if first["searches"].get(loss.label) != loss.search)


def _opening(body: Body) -> Opening:
    return Opening(losses=tuple(body["searches"]), before=body["number"])


def _comparisons(study: Study, rows: tuple[Row, ...], untrained: tuple[Row, ...]) -> tuple[Comparison, ...]:
    """Exploratory losses are corrected for the whole family, and leave the first family's p-values alone."""
    by_label = {row.label: row for row in rows}
    if study.baseline not in by_label:
        return ()
    others = [row for row in rows if row.label != study.baseline]
    declared = [row for row in others if not row.exploratory]
    judged = {
        each.label: each
        for family in (others, declared)
        for each in _judge(study, family, by_label[study.baseline], untrained)
    }
    return tuple(judged[row.label] for row in others)


def _judge(study: Study, family: list[Row], baseline: Row, untrained: tuple[Row, ...]) -> list[Comparison]:
    def cells(rows: Sequence[Row]) -> dict[str, tuple[float | None, ...]]:
        return {row.label: row.cell(study.primary.category, study.primary.metric).values for row in rows}

    def pending(row: Row) -> bool:
        return row.cell(study.primary.category, study.primary.metric).pending > 0

    return compare(
        cells(family),
        baseline=cells([baseline])[baseline.label],
        untrained=cells(untrained).get(STAND_IN, (None,) * study.protocol.final.seeds),
        pending={row.label for row in family if pending(row) or pending(baseline)},
        level=study.protocol.interval.level,
        smallest_difference=study.smallest_difference / 100,
    )


def _missing(study: Study, evidence: DatasetEvidence, rows: tuple[Row, ...]) -> tuple[str, ...]:
    searches = {each.label: _search_missing(study, each) for each in evidence.losses}
    # Without its search a loss has no replicates to speak of.
    scores = [_scores_missing(row) for row in rows if not searches.get(row.label)]
    return tuple(sentence for sentence in (*searches.values(), *scores) if sentence)


def _search_missing(study: Study, evidence: LossEvidence) -> str:
    if evidence.chosen or barren(evidence, study.protocol):
        return ""
    search = summarize_search(study, evidence)
    return f"{evidence.label}: {search.finished} of {count(search.wanted, 'trial')} finished."


def _scores_missing(row: Row) -> str:
    worst = max(row.cells, key=lambda cell: cell.pending, default=None)
    if worst is None or not worst.pending:
        return ""
    return f"{row.label}: {worst.pending} of {count(len(worst.values), 'replicate')} without all test scores."
