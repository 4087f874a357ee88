"""A study becomes specs: every id that it can ever ask for follows from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from realitycheck.canonical import canonical_json, digest
from realitycheck.plan.lengths import complete_phases
from realitycheck.plan.splits import Fold, make_folds
from realitycheck.protocol.knobs import Knobs
from realitycheck.protocol.model import LossChoice, Protocol, Study
from realitycheck.protocol.space import middle
from realitycheck.runs import RESULTS_VERSION, Body, RunSpec, ScoreSpec, Stage

UNTRAINED = "untrained"
"""The group of the baseline rows: models of no phases, equal for every loss."""


@dataclass(frozen=True)
class LossPlan:
    """Everything that one loss (or, with `choice` None, no loss) can ask for on one dataset.

    Args:
        protocol: the protocol.
        dataset: the dataset's name.
        data: digest of its trainval half.
        choice: the loss, or None for the untrained rows.
    """

    protocol: Protocol
    dataset: str
    data: str
    choice: LossChoice | None

    @property
    def label(self) -> str:
        """The loss's label in the study."""
        return self.choice.label if self.choice else UNTRAINED

    @property
    def group(self) -> str:
        """`dataset/label`."""
        return f"{self.dataset}/{self.label}"

    @cached_property
    def search_id(self) -> str:
        """The digest of all that can change a proposal."""
        assert self.choice is not None
        search = self.protocol.search.model_dump(mode="json", exclude={"space"})
        spec = self._spec(stage=Stage.SEARCH, index=0, fold=0, knobs={})
        first = {"published": self.published} if self.published else {}
        return digest({"space": self.ranges, "search": search, "run": spec.to_json(), **first})

    @cached_property
    def ranges(self) -> Mapping[str, Any]:
        """Knob → range as plain JSON: the loss's own, and the protocol's shared ones."""
        assert self.choice is not None
        space = self.protocol.space_of(self.choice, self.dataset)
        return {
            name: (each if isinstance(each, int | float | str) else each.model_dump(mode="json"))
            for name, each in sorted(space.items())
        }

    @cached_property
    def published(self) -> Knobs:
        """The knobs of slot 0 where the search begins with a published setting; else empty.

        What the setting does not tell, such as rates that belong to its own optimiser, lies in the middle of its range.
        """
        assert self.choice is not None
        if self.choice.published is None:
            return {}
        space = self.protocol.space_of(self.choice, self.dataset)
        return {name: self.choice.published.get(name, middle(ground)) for name, ground in space.items()}

    def proposal_id(self, slot: int) -> str:
        """The id of one slot's proposal."""
        return digest({"proposal": self.search_id, "slot": slot})

    def trial_runs(self, *, slot: int, knobs: Knobs) -> tuple[RunSpec, ...]:
        """The K fold runs of a trial."""
        return self._fold_runs(Stage.SEARCH, slot, knobs)

    def replicate_runs(self, *, index: int, knobs: Knobs) -> tuple[RunSpec, ...]:
        """The K fold runs of a replicate."""
        return self._fold_runs(Stage.FINAL, index, knobs)

    def complete_run(self, *, index: int, knobs: Knobs, fold_runs: Sequence[Body]) -> RunSpec | None:
        """The complete run of a replicate, or None if no fold run gives its lengths."""
        if self.choice is None:
            return self._spec(stage=Stage.FINAL, index=index, fold=None, knobs=knobs)
        batch = self._batch
        phases = complete_phases(
            fold_runs,
            rule=self.protocol.final.complete,
            phases=self.protocol.phases,
            epoch=self.protocol.epoch,
            batch_size=batch["classes"] * batch["per_class"],
        )
        if phases is None:
            return None
        return self._spec(stage=Stage.FINAL, index=index, fold=None, knobs=knobs, phases=phases)

    def _fold_runs(self, stage: Stage, index: int, knobs: Knobs) -> tuple[RunSpec, ...]:
        return tuple(
            self._spec(stage=stage, index=index, fold=fold, knobs=knobs) for fold in range(self.protocol.folds.count)
        )

    @cached_property
    def _batch(self) -> dict[str, int]:
        return self.protocol.batches.of(self.choice.family if self.choice else "pairs").model_dump(mode="json")

    @cached_property
    def _loss(self) -> dict[str, str] | None:
        if self.choice is None:
            return None
        return self.choice.model_dump(include={"label", "address", "distance"})

    @cached_property
    def _recipe(self) -> dict[str, Any]:
        return _without_sources(self.protocol).recipe.model_dump(mode="json")

    def _spec(
        self,
        *,
        stage: Stage,
        index: int,
        fold: int | None,
        knobs: Knobs,
        phases: tuple[Mapping[str, Any], ...] | None = None,
    ) -> RunSpec:
        phases = self._planned_phases if phases is None else phases
        key = canonical_json([stage, index, fold, dict(knobs), list(phases)])
        if key not in self._specs:
            self._specs[key] = self._new_spec(stage, index, fold, knobs, phases)
        return self._specs[key]

    @cached_property
    def _specs(self) -> dict[str, RunSpec]:
        """Specs by what tells them apart: asked for again at every record, and each holds its digest."""
        return {}

    @cached_property
    def _planned_phases(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(phase.model_dump(mode="json") for phase in self.protocol.phases) if self.choice else ()

    def _new_spec(
        self, stage: Stage, index: int, fold: int | None, knobs: Knobs, phases: tuple[Mapping[str, Any], ...]
    ) -> RunSpec:
        dims = self.protocol.embedding_dim * (1 if fold is not None else self.protocol.folds.count)
        return RunSpec(
            results_version=RESULTS_VERSION,
            data=self.data,
            dataset=self.dataset,
            stage=stage,
            index=index,
            fold=fold,
            folds=self.protocol.folds.model_dump(mode="json"),
            loss=self._loss,
            knobs=dict(knobs),
            recipe=self._recipe,
            batch=self._batch,
            dims=dims,
            phases=phases,
            root=self.protocol.seed,
        )


@dataclass(frozen=True)
class DatasetPlan:
    """A study on one dataset: the losses, the untrained rows, and the door to the test half.

    `test` is the digest of the test half, or None where it is not known (a report of an unopened study).
    """

    study: Study
    dataset: str
    data: str
    test: str | None

    @cached_property
    def protocol(self) -> Protocol:
        """The study's protocol on this dataset."""
        return self.study.protocol_on(self.dataset)

    @cached_property
    def losses(self) -> tuple[LossPlan, ...]:
        """One plan per loss, in the study's order."""
        return tuple(LossPlan(self.protocol, self.dataset, self.data, choice) for choice in self.study.losses)

    @cached_property
    def untrained(self) -> LossPlan:
        """The models that are never trained, under the same seeds as the replicates."""
        return LossPlan(self.protocol, self.dataset, self.data, None)

    @cached_property
    def digest(self) -> str:
        """The digest of the frozen plan: protocol, comparisons and data; not its prose or paths."""
        protocol = _without_sources(self.protocol).model_dump(mode="json", exclude={"summary", "assumed"})
        losses = [choice.model_dump(mode="json") for choice in self.study.losses]
        data = {"dataset": self.dataset, "trainval": self.data, "test": self.test}
        return digest({"version": RESULTS_VERSION, "protocol": protocol, "losses": losses, **self._compared, **data})

    @property
    def claims(self) -> dict[str, Any]:
        """What is to be said of the scores, fixed before they are seen: all that shapes a claim and no search."""
        protocol = self.protocol
        told = protocol.model_dump(mode="json", include={"interval", "epoch"})
        sets = {"categories": sorted(protocol.categories), "same": sorted(self.study.same)}
        return self._compared | told | sets | {"complete": protocol.final.complete}

    @property
    def _compared(self) -> dict[str, Any]:
        """The claims that enter the digest; the others are in it with the protocol, or are not judged by it."""
        told = self.study.model_dump(mode="json", include={"baseline", "primary", "smallest_difference"})
        return told | {"seeds": self.protocol.final.seeds}

    @property
    def opening_id(self) -> str:
        """The id of this plan's opening of the test half."""
        return digest({"opening": self.digest})

    def score(self, models: Sequence[str], *, output: str) -> ScoreSpec | None:
        """The score of some models on the test half, or None where that is not known."""
        if self.test is None:
            return None
        scores = self.protocol.scores.model_dump(mode="json") if self.protocol.scores else None
        return ScoreSpec(
            results_version=RESULTS_VERSION, test=self.test, models=tuple(models), output=output, scores=scores
        )


def _without_sources(protocol: Protocol) -> Protocol:
    """Where weights come from is no part of an identity; their digest is."""
    recipe = protocol.recipe
    if recipe.trunk.weights is None:
        return protocol
    weights = recipe.trunk.weights.model_copy(update={"source": None})
    trunk = recipe.trunk.model_copy(update={"weights": weights})
    return protocol.model_copy(update={"recipe": recipe.model_copy(update={"trunk": trunk})})


def trainval_folds(protocol: Protocol, classes: int) -> tuple[Fold, ...]:
    """The protocol's folds of `classes` trainval classes, numbered from 0."""
    rule = protocol.folds
    return make_folds(range(classes), count=rule.count, kind=rule.kind, seed=rule.seed)
