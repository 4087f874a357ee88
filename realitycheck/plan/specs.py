"""A study becomes plans: every id that it can ask for follows from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from realitycheck.canonical import digest
from realitycheck.plan.searches import UNTRAINED, SearchPlan, without_sources
from realitycheck.protocol.model import LossChoice, Protocol, Study
from realitycheck.protocol.units import LengthUnit
from realitycheck.records.nearest_images import Query
from realitycheck.records.schema import opening_id
from realitycheck.runs import RESULTS_VERSION, RunSpec, ScoreSpec


@dataclass(frozen=True)
class LossPlan:
    """The searches of one loss (or, with `choice` None, of the untrained models) on one dataset."""

    choice: LossChoice | None
    searches: tuple[SearchPlan, ...]

    @property
    def label(self) -> str:
        """The loss's label in the study."""
        return self.choice.label if self.choice else UNTRAINED


@dataclass(frozen=True)
class DatasetPlan:
    """A study on one dataset: its losses, the untrained models, and the one door to the test half.

    `test` is the digest of the test half, or None where it is not known (a report of an unopened study). `units` are
    those of new proposals, by the loss's label; a plan that is only read has none. `classes` are the names of the test
    classes with two or more images, and `queries` the images whose neighbours are stored. Both are for the opening, and
    no part of any id.
    """

    study: Study
    dataset: str
    data: str
    test: str | None
    units: Mapping[str, LengthUnit] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    queries: tuple[Query, ...] = ()

    @cached_property
    def protocol(self) -> Protocol:
        """The study's protocol on this dataset."""
        return self.study.protocol_on(self.dataset)

    @cached_property
    def losses(self) -> tuple[LossPlan, ...]:
        """One plan per loss, in the study's order."""
        return tuple(self._loss(choice) for choice in self.study.losses)

    @cached_property
    def untrained(self) -> LossPlan:
        """The models that are never trained, under the same seeds as the replicates."""
        return self._loss(None)

    @cached_property
    def constant_run(self) -> RunSpec:
        """The untrained model whose score is that of all of them under `constant_evaluations`."""
        return self.untrained.searches[0].replicate_runs(index=0, knobs={})[0]

    @property
    def searches(self) -> tuple[SearchPlan, ...]:
        """The searches of all losses."""
        return tuple(search for loss in self.losses for search in loss.searches)

    def _loss(self, choice: LossChoice | None) -> LossPlan:
        numbers = range(self.protocol.search.searches)
        unit = self.units.get(choice.label) if choice else None
        sources = self.study.sources_on(self.dataset, choice)
        searches = (
            SearchPlan(self.protocol, self.dataset, self.data, choice, number, unit, sources) for number in numbers
        )
        return LossPlan(choice, tuple(searches))

    @cached_property
    def digest(self) -> str:
        """The digest of the frozen plan: protocol, comparisons and data; not its prose or paths."""
        protocol = without_sources(self.protocol).model_dump(mode="json", exclude={"summary", "assumed"})
        losses = [choice.model_dump(mode="json") for choice in self.study.losses]
        data = {"dataset": self.dataset, "trainval": self.data, "test": self.test}
        sources = {loss.label: dict(loss.searches[0].sources) for loss in (*self.losses, self.untrained)}
        head = {"version": RESULTS_VERSION, "protocol": protocol, "losses": losses, "sources": sources}
        return digest({**head, **self._compared, **data})

    @property
    def claims(self) -> dict[str, Any]:
        """What the study wants to say of the scores before it sees them: all that shapes a claim and no search."""
        protocol = self.protocol
        rules = protocol.model_dump(mode="json", include={"interval", "epoch"})
        sets = {"categories": sorted(protocol.categories), "same": sorted(self.study.same)}
        search = {"searches": protocol.search.searches, "trials": protocol.search.trials}
        chosen = {} if protocol.search.select == "best" else {"select": protocol.search.select}
        defaults = {"default_rows": True} if self.study.default_rows else {}
        sweep = self.study.sweep
        added = defaults | ({"sweep": sweep.model_dump(mode="json")} if sweep and sweep.test else {})
        return self._compared | rules | sets | search | chosen | added | {"complete": protocol.final.complete}

    @property
    def _compared(self) -> dict[str, Any]:
        """The claims that enter the digest; the others are in it with the protocol, or are not judged by it."""
        claims = self.study.model_dump(mode="json", include={"baseline", "primary", "smallest_difference"})
        pairs = {} if self.study.compare == "baseline" else {"compare": self.study.compare}
        return claims | pairs | {"seeds": self.protocol.final.seeds}

    @property
    def opening_id(self) -> str:
        """The id of this plan's opening of the test half."""
        return opening_id(self.digest)

    def score(self, models: Sequence[str], *, evaluation: str) -> ScoreSpec | None:
        """The score of some models on the test half, or None where that is not known."""
        if self.test is None:
            return None
        scores = self.protocol.scores.model_dump(mode="json") if self.protocol.scores else None
        return ScoreSpec(
            results_version=RESULTS_VERSION, test=self.test, models=tuple(models), evaluation=evaluation, scores=scores
        )
