"""What is promised: protocols and studies as frozen values. Files become these in `parse`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from realitycheck.protocol.knobs import FOLLOWUP
from realitycheck.protocol.space import Fixed, Space
from realitycheck.runs import Category

Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]


class Promise(BaseModel):
    """The base of everything read from a file: frozen, strict, and deaf to unknown keys.

    `options` are fields that a file may leave out, and that ask for something beyond the rest. Where they ask for
    nothing they are not written, so that the id of a promise does not depend on options that it does not use.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    options: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if value or name not in self.options}


class SplitRule(Promise):
    """How classes are cut in halves: the first half of `sorted` or seeded `shuffled` classes is trainval."""

    order: Literal["sorted", "shuffled"]
    seed: int


class FoldRule(Promise):
    """How trainval classes are cut into `count` folds: contiguous `blocks`, or `shuffled` by `seed`."""

    count: Annotated[int, Field(ge=2)]
    kind: Literal["blocks", "shuffled"]
    seed: int


class TrunkChoice(Promise):
    """A trunk from the menu, and its width."""

    name: str
    channels: Count


class Augment(Promise):
    """Random crops after padding by `shift` pixels of background, and flips with probability `flip`."""

    shift: Annotated[int, Field(ge=0)]
    flip: Share


class Optimizer(Promise):
    """One optimiser group. `lr` is null where the rate is a knob of the search.

    `momentum` is Adam's and AdamW's β₁. Fixed for all: RMSprop's α 0.99, Adam's β₂ 0.999, ε 1e-8 for both; no schedule.
    """

    name: Literal["rmsprop", "adam", "adamw", "sgd"]
    lr: Rate | None
    momentum: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Optimizers(Promise):
    """Trunk, embedder and loss parameters, each in a group of their own."""

    trunk: Optimizer
    embedder: Optimizer
    loss: Optimizer


class Recipe(Promise):
    """How one model is trained; equal for every loss.

    `collapse` is the smallest spread of the validation embeddings (RMS distance of the normalised embeddings
    from their mean, in [0, 1]) that counts as alive; below it the run is DIVERGED.
    """

    image_size: Count
    trunk: TrunkChoice
    pooling: Literal["avg", "max", "max+avg"]
    layer_norm: Literal["none", "plain", "affine"]
    embedder_init: Literal["fan_in_uniform", "kaiming_fan_out"]
    loss_init: Literal["standard_normal", "unit_norm", "own"]
    batch_norm: Literal["train", "freeze_statistics", "frozen"]
    augment: Augment
    optimizers: Optimizers
    precision: Literal["float32", "bfloat16"]
    threads: Count
    collapse: Share


class Batch(Promise):
    """`classes` different classes with `per_class` different images each."""

    classes: Count
    per_class: Count


class Batches(Promise):
    """The batch shape of each family of losses."""

    pairs: Batch
    proxies: Batch

    def of(self, family: str) -> Batch:
        """The shape of one family."""
        return self.proxies if family == "proxies" else self.pairs


class Phase(Promise):
    """Train until `patience` evaluations in a row brought no new best, or `cap` iterations have passed."""

    name: Literal["normal", "followup"]
    cap: Count
    evaluate_every: Count
    patience: Count


class Search(Promise):
    """How hyper-parameters are proposed: so many trials, the first `startup_trials` of them at random.

    Trials go in rounds of `round`: the proposals of one round do not see each other's values. With `first`, slot 0 is
    the loss's published setting; with one trial besides, nothing is searched at all.
    """

    options = frozenset({"first"})

    sampler: Literal["gp", "random"]
    trials: Count
    startup_trials: Count
    round: Count
    space: Name
    shared: Space
    first: Literal["published"] | None = None


class Final(Promise):
    """The retraining under `seeds` fresh seeds, and the rule for the phase lengths of complete runs."""

    seeds: Annotated[int, Field(ge=2)]
    complete: Literal["appendix_d", "per_replicate"]


class IntervalRule(Promise):
    """How an interval is made."""

    method: Literal["student_t"]
    level: Annotated[float, Field(gt=0.5, lt=1)]


class Protocol(Promise):
    """How to measure. One file of `protocols/`; it says everything that can move a number."""

    protocol: Name
    summary: str
    seed: int
    split: SplitRule
    folds: FoldRule
    recipe: Recipe
    embedding_dim: Count
    batches: Batches
    epoch: Count | Literal["pass"]
    phases: Annotated[tuple[Phase, ...], Field(min_length=1, max_length=2)]
    search: Search
    final: Final
    categories: Annotated[tuple[Category, ...], Field(min_length=1)]
    interval: IntervalRule

    def space_of(self, choice: LossChoice, dataset: str) -> Space:
        """All that a search draws: shared knobs and the loss's own, those of a second phase where there is one."""
        every = {**self.search.shared, **choice.spaces.get(dataset, choice.space)}
        two = len(self.phases) > 1
        return {name: ground for name, ground in every.items() if two or not name.startswith(FOLLOWUP)}


class LossChoice(Promise):
    """One loss of a study, with all that the catalogue or the study's author says of it.

    `spaces` are those of single datasets, where the protocol's spaces differ by dataset; `published` the knobs of slot
    0 where the search begins with a published setting.
    """

    options = frozenset({"spaces", "published"})

    label: Name
    address: str
    distance: Literal["cosine", "euclidean"]
    family: Literal["pairs", "proxies"]
    space: Space
    spaces: Mapping[Name, Space] = {}
    published: Mapping[str, Fixed] | None = None


class DatasetChoice(Promise):
    """One dataset of a study: a name from the menu, and for a folder of images its path."""

    name: Name
    address: str
    root: str | None


class Primary(Promise):
    """Where verdicts are given: one category and one metric, named before anything runs."""

    category: Category
    metric: Literal["map_at_r", "r_precision", "precision_at_1"]


class Study(Promise):
    """What is compared, under which protocol. One file of `studies/`.

    `smallest_difference` is the smallest difference of interest, in points (hundredths) of the metric. `same` names the
    losses that are one function under several names: their spread is the protocol's own noise.
    """

    options = frozenset({"same"})

    study: Name
    question: str
    protocol: Protocol
    datasets: Annotated[tuple[DatasetChoice, ...], Field(min_length=1)]
    losses: Annotated[tuple[LossChoice, ...], Field(min_length=1)]
    baseline: Name
    primary: Primary
    smallest_difference: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
    same: tuple[Name, ...] = ()

    def loss(self, label: str) -> LossChoice:
        """The loss of that label."""
        return next(choice for choice in self.losses if choice.label == label)
