"""The kinds of records as frozen values, and their JSON.

`to_json` writes the body of a record; `records.from_json` reads one. The id is not a field: it is a digest of what the
record is about. Neither is the results version, because there are no records of another version in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar

from realitycheck.canonical import canonical_json, digest
from realitycheck.protocol.units import LengthUnit
from realitycheck.records.chosen_trial import Selection
from realitycheck.records.curves import Best, CurvePoint, Images, PhaseEnd, TrainingPoint
from realitycheck.records.nearest_images import NeighborLists, Query
from realitycheck.records.registration import Registration
from realitycheck.runs import RESULTS_VERSION, Body, Knobs, Outcome, RunSpec, ScoreSpec

PER_CLASS = "map_at_r_per_class"
"""The key of the per-class scores in a score record."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The hyper-parameters of one trial, written before its folds start.

    Args:
        search: digest of the search.
        data: digest of the trainval half.
        dataset: name of the dataset.
        loss: label of the loss.
        slot: number of the trial in its search, from 0.
        knobs: hyper-parameters by name, as the sampler sees them.
        source: how they were proposed: `startup`, `published`, or the name of the sampler.
        unit: what the lengths among them are multiples of; None where they are what the loss gets. Its JSON holds the
            values for the loss, too.
    """

    kind: ClassVar[str] = "proposal"

    search: str
    data: str
    dataset: str
    loss: str
    slot: int
    knobs: Knobs
    source: str
    unit: LengthUnit | None = None

    @property
    def id(self) -> str:
        """Digest of search and slot."""
        return proposal_id(self.search, self.slot)

    def to_json(self) -> Body:
        """The body of the record."""
        return {
            **_head(self),
            "search": self.search,
            "data": self.data,
            "dataset": self.dataset,
            "loss": self.loss,
            "slot": self.slot,
            "knobs": dict(self.knobs),
            "source": self.source,
            "unit": None if self.unit is None else unit_json(self.unit, self.knobs),
        }


@dataclass(frozen=True, slots=True)
class Run:
    """One training that ended in a result.

    Args:
        spec: what was trained.
        outcome: COMPLETED or DIVERGED.
        cause: why it diverged, one sentence; None otherwise.
        best: the selected checkpoint; None for complete, untrained and diverged runs.
        curve: validations in order, the first at iteration 0; empty for complete runs.
        phases: the phases that ended, in order.
        images: how many images it trained on and was validated on.
        weights: SHA-256 of the selected model's parameters and buffers; None where it diverged.
        training: means over the evaluation intervals in order; empty for untrained runs.
    """

    kind: ClassVar[str] = "run"

    spec: RunSpec
    outcome: Outcome
    cause: str | None
    best: Best | None
    curve: Sequence[CurvePoint]
    phases: tuple[PhaseEnd, ...]
    images: Images
    weights: str | None
    training: Sequence[TrainingPoint]

    @property
    def id(self) -> str:
        """Digest of the spec."""
        return self.spec.id

    @property
    def diverged(self) -> bool:
        """Whether the outcome is DIVERGED."""
        return self.outcome is Outcome.DIVERGED

    @property
    def value(self) -> float | None:
        """The best validation MAP@R after iteration 0, which is what a trial counts; None where nothing is selected.

        It differs from that of `best` only where the initial weights were selected.
        """
        if self.best is None:
            return None
        if self.best.iteration > 0:
            return self.best.scores["map_at_r"]
        return max((point.scores["map_at_r"] for point in self.curve if point.iteration > 0), default=None)

    def to_json(self) -> Body:
        """The body of the record."""
        return {
            **_head(self),
            "spec": self.spec.to_json(),
            "outcome": self.outcome.value,
            "cause": self.cause,
            "best": self.best.to_json() if self.best else None,
            "curve": [point.to_json() for point in self.curve],
            "phases": [phase.to_json() for phase in self.phases],
            "images": {"train": self.images.train, "val": self.images.val},
            "weights": self.weights,
            "training": [point.to_json() for point in self.training],
        }


@dataclass(frozen=True, slots=True)
class DistanceScores:
    """Test scores of one embedding under one distance.

    Args:
        scores: in [0, 1], by name.
        per_class: MAP@R of each test class with at least one query, in class order.
    """

    scores: Mapping[str, float]
    per_class: tuple[float, ...]

    def to_json(self) -> Body:
        """These scores as plain JSON values."""
        return {**self.scores, PER_CLASS: list(self.per_class)}


ModelScores = Mapping[str, DistanceScores]
"""Distance → test scores of one embedding."""


@dataclass(frozen=True, slots=True)
class Score:
    """One evaluation of finished models on the test half.

    Args:
        spec: what was scored.
        models: scores of every model (`each` in JSON) by itself, in the order of the spec.
        together: scores of the concatenated embedding; None for one model.
        queries: images of the test half with another image of their class.
        singletons: images of the test half that are alone in their class, and are no queries.
    """

    kind: ClassVar[str] = "score"

    spec: ScoreSpec
    models: tuple[ModelScores, ...]
    together: ModelScores | None
    queries: int
    singletons: int

    @property
    def id(self) -> str:
        """Digest of the spec."""
        return self.spec.id

    def to_json(self) -> Body:
        """The body of the record."""
        return {
            **_head(self),
            "spec": self.spec.to_json(),
            "each": [_written(model) for model in self.models],
            "together": _written(self.together) if self.together is not None else None,
            "queries": self.queries,
            "singletons": self.singletons,
        }


@dataclass(frozen=True, slots=True)
class Opening:
    """The test half was opened for a frozen plan.

    Args:
        plan: digest of the plan.
        dataset: name of the dataset.
        data: digest of the trainval half.
        test: digest of the test half.
        searches: label of a loss → digests of its searches, in order.
        claims: what the study wanted to say of the scores before it saw them, as plain JSON: baseline, primary,
            smallest difference, seeds, interval, trials, complete rule, epoch, categories, same.
        number: how many openings of this test half came before.
        set_aside: label of a loss of the plan that was FAILED → digests of its searches: it did not wait for this one,
            and is late if it is completed after all. It is no part of the JSON where it is empty.
        classes: names of the test classes with a query, in class order; no part of the JSON where it is empty.
        queries: images of the test half whose nearest neighbours are stored; no part of the JSON where it is empty.
    """

    kind: ClassVar[str] = "opening"

    plan: str
    dataset: str
    data: str
    test: str
    searches: Mapping[str, tuple[str, ...]]
    claims: Mapping[str, Any]
    number: int
    set_aside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    queries: tuple[Query, ...] = ()

    @property
    def id(self) -> str:
        """Digest of the plan's digest."""
        return opening_id(self.plan)

    def to_json(self) -> Body:
        """The body of the record."""
        return {
            **_head(self),
            "plan": self.plan,
            "dataset": self.dataset,
            "data": self.data,
            "test": self.test,
            "searches": {label: list(ids) for label, ids in self.searches.items()},
            "claims": dict(self.claims),
            "number": self.number,
            **({"set_aside": {label: list(ids) for label, ids in self.set_aside.items()}} if self.set_aside else {}),
            **({"classes": list(self.classes)} if self.classes else {}),
            **({"queries": [query.to_json() for query in self.queries]} if self.queries else {}),
        }


Record = Registration | Proposal | Selection | Run | Score | Opening | NeighborLists

Kind = TypeVar("Kind", Registration, Proposal, Selection, Run, Score, Opening, NeighborLists)

RECORDS: dict[str, type[Record]] = {
    record.kind: record for record in (Registration, Proposal, Selection, Run, Score, Opening, NeighborLists)
}
"""Kind → type, in the order of a packed ledger."""


def of_type(records: Iterable[Record], kind: type[Kind]) -> list[Kind]:
    """The records of one type, in the order given."""
    return [record for record in records if isinstance(record, kind)]


def proposal_id(search: str, slot: int) -> str:
    """The id of one slot's proposal."""
    return digest({"proposal": search, "slot": slot})


def opening_id(plan: str) -> str:
    """The id of a plan's opening of the test half."""
    return digest({"opening": plan})


def agree(first: Record, second: Record) -> bool:
    """Whether two records of one id are one result.

    Openings of one plan may differ in the losses that were set aside, which each worker finds out for itself.
    """
    if isinstance(first, Opening) and isinstance(second, Opening):
        first, second = (replace(one, searches={}, set_aside={}) for one in (first, second))
    return canonical_json(first.to_json()) == canonical_json(second.to_json())


def unit_json(unit: LengthUnit, knobs: Knobs) -> Body:
    """A unit as plain JSON, with the lengths among the hyper-parameters as the loss gets them."""
    raw = unit.raw(knobs)
    return {"length": unit.length, "powers": dict(unit.powers), "raw": {name: raw[name] for name in unit.powers}}


def _head(record: Record) -> Body:
    """The fields that every body begins with."""
    return {"kind": record.kind, "id": record.id, "results_version": RESULTS_VERSION}


def _written(model: ModelScores) -> Body:
    return {distance: scores.to_json() for distance, scores in model.items()}
