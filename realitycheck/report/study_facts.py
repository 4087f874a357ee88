"""What a report must know of a study apart from its records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realitycheck.losses import menu
from realitycheck.protocol.model import Protocol, Study
from realitycheck.report.wording import METRIC_NAMES, RECONSTRUCTION, marked, metric_name
from realitycheck.runs import Category
from realitycheck.statistics.base import Estimator
from realitycheck.statistics.estimators import estimator
from realitycheck.statistics.student_t import StudentT


@dataclass(frozen=True, slots=True)
class LossFacts:
    """One loss of the study.

    Args:
        label: its name in the study.
        address: its name on the menu, or `module:Class`.
        distance: the distance that it declares.
        status: `exact`, `variant` or `reconstruction`, by the menu; empty for a loss that is not on it.
        reference: its paper, by the menu; empty for a loss that is not on it.
        classes: classes in a batch.
        per_class: images of each of them.
    """

    label: str
    address: str
    distance: str
    status: str
    reference: str
    classes: int
    per_class: int


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """The study, its protocol and the names that its report prints.

    Args:
        study: its name.
        question: the question that it asks.
        protocol: as its file has it, with the overrides of the study and without those of single datasets.
        protocol_name: the protocol's name, with the values that the study replaces.
        override: these values by dotted key.
        losses: in the study's order.
        baseline: the label with which every loss is compared.
        category: the primary category.
        metric: the primary metric.
        smallest_difference: the smallest difference of interest, as a fraction of one.
        same: labels of losses that are one function.
        estimator: makes every interval and p-value.
        datasets: names of the study's datasets.
        every_pair: whether all pairs of losses are compared, too.
    """

    study: str
    question: str
    protocol: Protocol
    protocol_name: str
    override: Mapping[str, Any]
    losses: tuple[LossFacts, ...]
    baseline: str
    category: Category
    metric: str
    smallest_difference: float
    same: tuple[str, ...]
    estimator: Estimator
    datasets: tuple[str, ...]
    every_pair: bool

    @property
    def level(self) -> float:
        """Level of the intervals."""
        return self.estimator.level

    @property
    def own_interval(self) -> bool:
        """Whether the intervals are others than Student's t over seeds."""
        return self.estimator.method != StudentT.method

    @property
    def seeds(self) -> int:
        """Replicates per loss."""
        return self.protocol.final.seeds

    @property
    def searches(self) -> int:
        """Searches per loss; the replicates are divided evenly among them."""
        return self.protocol.search.searches

    @property
    def several_phases(self) -> bool:
        """Whether a follow-up comes after the normal phase."""
        return len(self.protocol.phases) > 1

    @property
    def categories(self) -> dict[Category, str]:
        """The categories with their widths, such as `aggregate-128`, in the order of the columns."""
        dims, folds = self.protocol.embedding_dim, self.protocol.folds.count
        return {category: category.label(dims=dims, folds=folds) for category in self.protocol.categories}

    @property
    def statuses(self) -> dict[str, str]:
        """Label → status of the loss."""
        return {loss.label: loss.status for loss in self.losses}

    @property
    def reconstructed(self) -> frozenset[str]:
        """Labels of the reconstructions; where there is one, tables need a footnote."""
        return frozenset(label for label, status in self.statuses.items() if status == RECONSTRUCTION)

    @property
    def primary(self) -> str:
        """The column in which verdicts are given: `ensemble-512 MAP@R`."""
        return f"{self.categories[self.category]} {METRIC_NAMES[self.metric]}"

    def shown(self, label: str) -> str:
        """A loss's name in running text and figures: `label`, or `label (reconstruction)`."""
        return marked(label, self.loss_marks(label))

    def loss_marks(self, label: str) -> tuple[str, ...]:
        """What must be read beside the name of a loss in every table."""
        return (RECONSTRUCTION,) if label in self.reconstructed else ()

    def column_names(self, metrics: Sequence[str]) -> list[str]:
        """`aggregate-128 MAP@R` and the others, in the order of a row's cells."""
        return [f"{name} {metric_name(metric)}" for name in self.categories.values() for metric in metrics]


def study_facts(study: Study) -> StudyFacts:
    """Collect what a report must know of a study."""
    protocol = study.protocol
    return StudyFacts(
        study=study.study,
        question=study.question,
        protocol=protocol,
        protocol_name=study.protocol_name,
        override=study.override,
        losses=tuple(_loss_facts(study, choice.label) for choice in study.losses),
        baseline=study.baseline,
        category=study.primary.category,
        metric=study.primary.metric,
        smallest_difference=study.smallest_difference / 100,
        same=study.same,
        estimator=estimator(protocol.interval.method, level=protocol.interval.level, searches=protocol.search.searches),
        datasets=tuple(choice.name for choice in study.datasets),
        every_pair=study.compare == "all_pairs",
    )


def _loss_facts(study: Study, label: str) -> LossFacts:
    choice = study.loss(label)
    entry, batch = menu.entry(choice.address), study.protocol.batches.of(choice.family)
    return LossFacts(
        label=label,
        address=choice.address,
        distance=choice.distance,
        status=entry.status if entry else "",
        reference=entry.reference if entry else "",
        classes=batch.classes,
        per_class=batch.per_class,
    )
