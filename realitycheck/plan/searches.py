"""One search of one loss becomes specs: its trials, and the replicates of the setting that it chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from realitycheck.canonical import canonical_json, digest
from realitycheck.evaluations.menu import ALWAYS, MENU, TRAINED, is_foundation
from realitycheck.plan.lengths import complete_phases
from realitycheck.plan.seeds import derive
from realitycheck.plan.splits import Fold, make_folds
from realitycheck.protocol.model import LossChoice, Protocol
from realitycheck.protocol.space import middle
from realitycheck.protocol.split_keys import FoldRule
from realitycheck.protocol.units import LengthUnit, complete_growth
from realitycheck.records.chosen_trial import selection_id
from realitycheck.records.schema import Run, proposal_id
from realitycheck.runs import RESULTS_VERSION, Knobs, RunSpec, Stage

UNTRAINED = "untrained"
"""The label of models of no phases, equal for every loss."""


@dataclass(frozen=True)
class SearchPlan:
    """Everything that one search of a loss (or, with `choice` None, of no loss) can ask for on one dataset.

    Args:
        protocol: the protocol on this dataset.
        dataset: the dataset's name.
        data: digest of its trainval half.
        choice: the loss, or None for the untrained models.
        number: which of the loss's searches, from 0.
        unit: of the lengths among the hyper-parameters that it will propose; None where there are none, and where
            nothing is to be proposed: each proposal has its own.
        sources: address → what identifies the source of its class, for the classes that its trainings use.
    """

    protocol: Protocol
    dataset: str
    data: str
    choice: LossChoice | None
    number: int
    unit: LengthUnit | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The loss's label in the study."""
        return self.choice.label if self.choice else UNTRAINED

    @property
    def group(self) -> str:
        """`dataset/label`, with the search's number from 1 where there are several."""
        several = self.protocol.search.searches > 1
        return f"{self.dataset}/{self.label}" + (f"/{self.number + 1}" if several else "")

    @property
    def replicates(self) -> range:
        """The numbers of its replicates: the searches take turns, so that more seeds add replicates to each."""
        return replicate_numbers(self.protocol, search=self.number)

    @property
    def evaluations(self) -> tuple[str, ...]:
        """The evaluations of its replicates."""
        return trained_evaluations(self.protocol) if self.choice else untrained_evaluations(self.protocol)

    @cached_property
    def folds(self) -> FoldRule:
        """The protocol's rule for this search: each has its own partition where the kind of folds is seeded."""
        return search_folds(self.protocol, search=self.number)

    @cached_property
    def id(self) -> str:
        """The digest of all that can change a proposal. The number of trials cannot: more of them extend a search."""
        assert self.choice is not None
        own = {"sampler", "startup_trials", "startup", "round", "units"}
        search = self.protocol.search.model_dump(mode="json", include=own)
        spec = self._spec(stage=Stage.SEARCH, index=0, fold=0, knobs={})
        return digest(
            {"space": self.ranges, "search": search, "run": spec.to_json(), "published": dict(self.published)}
        )

    @cached_property
    def ranges(self) -> Mapping[str, Any]:
        """Hyper-parameter → range as plain JSON: the loss's own, and the protocol's shared ones."""
        assert self.choice is not None
        space = self.protocol.space_of(self.choice, self.dataset)
        return {
            name: (bounds if isinstance(bounds, int | float | str) else bounds.model_dump(mode="json"))
            for name, bounds in sorted(space.items())
        }

    @cached_property
    def published(self) -> Knobs:
        """The hyper-parameters of slot 0 where the search begins with a published setting; else empty.

        What the setting does not state, such as rates of its own optimiser, is in the middle of its range. Lengths of
        the setting are as they were published: part of the id, which no measured length may enter.
        """
        assert self.choice is not None
        if self.choice.published is None:
            return {}
        space = self.protocol.space_of(self.choice, self.dataset)
        return {name: self.choice.published.get(name, middle(bounds)) for name, bounds in space.items()}

    @property
    def first(self) -> Knobs:
        """`published` as the sampler sees it: its lengths in units of the length that the setting belongs to.

        Where that is not known the values stay what they are, for embeddings as long as here.
        """
        if self.unit is None or self.choice is None or not self.choice.published:
            return self.published
        stated = {name: value for name, value in self.published.items() if name in self.choice.published}
        unit = LengthUnit(self.choice.published_length or self.unit.length, self.unit.powers)
        return {**self.published, **unit.relative(stated)}

    @property
    def complete_factor(self) -> float:
        """By how much lengths in units of the initial embedding length are longer in a complete run."""
        scaled = self.protocol.final.lengths == "scaled"
        return complete_growth(self.protocol.recipe, folds=self.protocol.folds.count) if scaled else 1.0

    def proposal_id(self, slot: int) -> str:
        """The id of one slot's proposal."""
        if slot not in self._proposal_ids:
            self._proposal_ids[slot] = proposal_id(self.id, slot)
        return self._proposal_ids[slot]

    @property
    def selection_id(self) -> str | None:
        """The id of its selection; None where the best trial is chosen without one."""
        rule = self.protocol.search
        return None if rule.select == "best" else selection_id(self.id, rule.trials)

    def trial_runs(self, *, slot: int, knobs: Knobs) -> tuple[RunSpec, ...]:
        """The K fold runs of a trial."""
        return self._fold_runs(Stage.SEARCH, slot, knobs)

    def replicate_runs(self, *, index: int, knobs: Knobs) -> tuple[RunSpec, ...]:
        """The K fold runs of a replicate."""
        return self._fold_runs(Stage.FINAL, index, knobs)

    def complete_run(self, *, index: int, knobs: Knobs, fold_runs: Sequence[Run]) -> RunSpec | None:
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
        key = canonical_json([stage, index, dict(knobs)])
        if key not in self._fold_specs:
            first = self._new_spec(stage, index, 0, knobs, self._planned_phases)
            self._fold_specs[key] = first.on_folds(self.protocol.folds.count)
        return self._fold_specs[key]

    @cached_property
    def _batch(self) -> dict[str, int]:
        return self.protocol.batches.of(self.choice.family if self.choice else "pairs").model_dump(mode="json")

    @cached_property
    def _loss(self) -> dict[str, str] | None:
        if self.choice is None:
            return None
        return self.choice.model_dump(include={"label", "address", "distance"})

    @cached_property
    def _fold_rule(self) -> dict[str, Any]:
        return self.folds.model_dump(mode="json")

    @cached_property
    def _recipe(self) -> dict[str, Any]:
        return without_sources(self.protocol).recipe.model_dump(mode="json")

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
        """Specs by their arguments: they are asked for again at every record, and each keeps its digest."""
        return {}

    @cached_property
    def _fold_specs(self) -> dict[str, tuple[RunSpec, ...]]:
        """The same for the K fold runs of a trial or a replicate."""
        return {}

    @cached_property
    def _proposal_ids(self) -> dict[int, str]:
        return {}

    @cached_property
    def _planned_phases(self) -> tuple[Mapping[str, Any], ...]:
        if self.choice is None:
            return ()
        first, *later = (phase.model_dump(mode="json") for phase in self.protocol.phases)
        return (first | {"first_evaluation": self.protocol.first_evaluation}, *later)

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
            search=self.number,
            fold=fold,
            folds=self._fold_rule,
            loss=self._loss,
            knobs=dict(knobs),
            recipe=self._recipe,
            batch=self._batch,
            dims=dims,
            phases=phases,
            root=self.protocol.seed,
            sources=dict(self.sources),
        )


def replicate_numbers(protocol: Protocol, *, search: int) -> range:
    """The numbers of the replicates of one search: `search`, `search` + M, … for M searches."""
    return range(search, protocol.final.seeds, protocol.search.searches)


def trained_evaluations(protocol: Protocol) -> tuple[str, ...]:
    """The evaluations of trained models: those of every study, then those that the protocol names."""
    return (*TRAINED, *(name for name in protocol.evaluations if not is_foundation(name)))


def untrained_evaluations(protocol: Protocol) -> tuple[str, ...]:
    """The evaluations of untrained models under which they differ."""
    constant = constant_evaluations(protocol)
    return tuple(name for name in (*ALWAYS, *protocol.evaluations) if name not in constant)


def constant_evaluations(protocol: Protocol) -> frozenset[str]:
    """The evaluations under which untrained models have one score, because nothing that they measure is random.

    A trunk with learned weights, or one that is frozen, is the same in every untrained model; its embedder is not. A
    foundation model is always the same.
    """
    foundations = frozenset(filter(is_foundation, protocol.evaluations))
    trunk = protocol.recipe.trunk
    if trunk.weights is None and not trunk.frozen:
        return foundations
    return foundations | {name for name in ALWAYS if not MENU[name].embedder}


def search_folds(protocol: Protocol, *, search: int) -> FoldRule:
    """The rule of one search's folds: with seeded folds, every search but the first has a partition of its own."""
    rule = protocol.folds
    if search == 0 or rule.kind != "shuffled":
        return rule
    return rule.model_copy(update={"seed": derive(rule.seed, "folds", "search", search)})


def trainval_folds(protocol: Protocol, classes: int, *, search: int) -> tuple[Fold, ...]:
    """The folds of one search over `classes` trainval classes, numbered from 0."""
    rule = search_folds(protocol, search=search)
    return make_folds(range(classes), count=rule.count, kind=rule.kind, seed=rule.seed, share=rule.share)


def without_sources(protocol: Protocol) -> Protocol:
    """The protocol without the places that weights come from: their digest is part of identity, the place is not."""
    recipe = protocol.recipe
    if recipe.trunk.weights is None:
        return protocol
    weights = recipe.trunk.weights.model_copy(update={"source": None})
    trunk = recipe.trunk.model_copy(update={"weights": weights})
    return protocol.model_copy(update={"recipe": recipe.model_copy(update={"trunk": trunk})})
