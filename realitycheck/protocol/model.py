"""Protocols and studies as frozen values. Files become these in `read`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from realitycheck.losses.menu import parts
from realitycheck.metrics.menu import METRICS, PRIMARY
from realitycheck.protocol.asked_scores import Scores
from realitycheck.protocol.base import Count, Dims, FrozenSection, Name, OneOf, Pixels, Repeats, Seed, Size, Text
from realitycheck.protocol.foundation_keys import FoundationTrunk
from realitycheck.protocol.knobs import FOLLOWUP
from realitycheck.protocol.pair_list_keys import PairFiles
from realitycheck.protocol.recipe import Recipe, TrunkChoice
from realitycheck.protocol.space import Fixed, Space
from realitycheck.protocol.split_keys import FoldRule, SplitRule
from realitycheck.protocol.sweep_keys import Sweep
from realitycheck.runs import Category
from realitycheck.search.samplers.menu import MENU as SAMPLERS
from realitycheck.statistics.menu import MENU as ESTIMATORS
from realitycheck.statistics.near_best import MOST


class Batch(FrozenSection):
    """`classes` different classes with `per_class` different images each.

    With `stream`, batches are cut from a stream in which every pass gives `per_class` images of every class in a new
    order, as in the original: a batch may straddle two passes and meet a class twice, and images of a class that is
    smaller than `per_class` are drawn with replacement. With `repeats` alone, only the latter.
    """

    options = frozenset({"repeats"})

    classes: Size
    per_class: Size
    stream: bool = False
    repeats: bool = False


class Batches(FrozenSection):
    """The batch shape of each family of losses."""

    pairs: Batch
    proxies: Batch

    def of(self, family: str) -> Batch:
        """The shape of one family."""
        return self.proxies if family == "proxies" else self.pairs


class Phase(FrozenSection):
    """Train until `patience` evaluations in a row bring no new best, or for `cap` iterations."""

    name: Literal["normal", "followup"]
    cap: Count
    evaluate_every: Count
    patience: Count


class Search(FrozenSection):
    """How hyper-parameters are proposed: `trials` per search, the first `startup_trials` of them by `startup`.

    A loss is searched `searches` times on each dataset; its replicates are divided evenly among these searches. The
    proposals of a `round` do not see each other's values. With `first`, slot 0 is the loss's published setting; with
    `trials: 1` as well, nothing is searched. `units` is what lengths are multiples of: 1 (`raw`), or the initial
    embedding length (`head`, see `protocol.units`). `select` is the rule by which a search chooses one of its trials.
    """

    options = frozenset({"select", "startup"})

    sampler: Annotated[str, OneOf(tuple(SAMPLERS))]
    searches: Repeats = 1
    trials: Repeats
    startup_trials: Annotated[int, Field(ge=0, le=10_000)]
    round: Repeats
    space: Name
    shared: Space
    first: Literal["published"] | None = None
    units: Literal["head", "raw"] = "raw"
    select: Literal["best", "posterior_mean"] = "best"
    startup: Literal["random", "qmc"] = "random"


class Final(FrozenSection):
    """The retraining under `seeds` fresh seeds, and the rule for the phase lengths of complete runs.

    `seeds` is a multiple of the protocol's number of searches: each search has as many replicates as another. `lengths`
    is what becomes of hyper-parameters in units of the initial embedding length in a complete run: `scaled` with the
    initial length of its head of K·D dimensions, or `raw`, as in the fold runs.
    """

    seeds: Annotated[int, Field(ge=2, le=10_000)]
    complete: Literal["appendix_d", "per_replicate"]
    lengths: Literal["scaled", "raw"] = "scaled"


class IntervalRule(FrozenSection):
    """How an interval is estimated, its level, and how many runners-up of a search are scored, at most."""

    options = frozenset({"runners_up"})

    method: Annotated[str, OneOf(tuple(ESTIMATORS))]
    level: Annotated[float, Field(gt=0.5, le=0.9999)]  # nearer to 1, the simulations of the report have no end
    runners_up: Annotated[int, Field(ge=0, le=MOST - 1)] = 0


class Override(FrozenSection):
    """What differs on one dataset: keys of the protocol itself, of its recipe, or the shared knobs of its search."""

    split: SplitRule | None = None
    trunk: TrunkChoice | None = None
    image_size: Pixels | None = None
    resize: Pixels | None = None
    embedder_init: Literal["fan_in_uniform", "kaiming_fan_out"] | None = None
    batches: Batches | None = None
    phases: Annotated[tuple[Phase, ...], Field(min_length=1, max_length=2)] | None = None
    shared: Space | None = None
    scores: Scores | None = None


class Protocol(FrozenSection):
    """How to measure. One file of `protocols/`; it holds everything that can change a number.

    `evaluations` are measured beside those of every study, each named with its options.

    `first_evaluation` says whether iteration 0 may be the selected checkpoint: `ignored`, it may not, and the patience
    counts from the first evaluation after it; `selectable`, it may, and the patience counts from it. Either way a
    trial's value is the best of the evaluations after it.
    `on` holds what differs on a dataset, by the dataset's name on the menu. `assumed` names the keys that a published
    protocol does not report.
    """

    options = frozenset({"evaluations"})

    protocol: Name
    summary: str
    seed: Seed
    split: SplitRule
    folds: FoldRule
    recipe: Recipe
    embedding_dim: Dims
    batches: Batches
    epoch: Count | Literal["pass"]
    phases: Annotated[tuple[Phase, ...], Field(min_length=1, max_length=2)]
    first_evaluation: Literal["ignored", "selectable"] = "ignored"
    search: Search
    final: Final
    categories: Annotated[tuple[Category, ...], Field(min_length=1)]
    interval: IntervalRule
    scores: Scores | None = None
    evaluations: tuple[Text, ...] = ()
    on: Mapping[Name, Override] = {}
    assumed: tuple[str, ...] = ()

    @property
    def completes(self) -> bool:
        """Whether there are complete runs."""
        return Category.COMPLETE in self.categories

    @property
    def scores_folds(self) -> bool:
        """Whether the fold runs of the replicates are scored; otherwise they only give the complete runs' lengths."""
        return any(category is not Category.COMPLETE for category in self.categories)

    def of(self, dataset: str) -> Protocol:
        """This protocol on one dataset, given by its name on the menu."""
        if not self.on:
            return self
        other = self.on.get(dataset, Override())
        given = {name: value for name in Override.model_fields if (value := getattr(other, name)) is not None}
        recipe = {name: given.pop(name) for name in Recipe.model_fields if name in given}
        if "shared" in given:
            given["search"] = self.search.model_copy(update={"shared": given.pop("shared")})
        return self.model_copy(update={**given, "recipe": self.recipe.model_copy(update=recipe), "on": {}})

    @property
    def metrics(self) -> tuple[str, ...]:
        """The scores that a record of a score holds, in the order of the tables."""
        return (*METRICS, *(self.scores.metrics if self.scores else ()))

    def space_of(self, choice: LossChoice, dataset: str) -> Space:
        """All that a search draws: shared knobs and the loss's own, those of a second phase where there is one."""
        every = {**self.search.shared, **choice.spaces.get(dataset, choice.space)}
        two = len(self.phases) > 1
        return {name: bounds for name, bounds in every.items() if two or not name.startswith(FOLLOWUP)}


class LossChoice(FrozenSection):
    """One loss of a study, with what the menu or the study's author gives for it.

    `spaces` are those of single datasets, where the protocol's spaces differ by dataset; `published` the knobs of slot
    0 where the search begins with a published setting, for embeddings of `published_length` where ranges are in units
    of the initial embedding length and that of the setting is known.
    """

    label: Name
    address: str
    distance: Literal["cosine", "euclidean"]
    family: Literal["pairs", "proxies"]
    space: Space
    spaces: Mapping[Name, Space] = {}
    published: Mapping[str, Fixed] | None = None
    published_length: float | None = None


class DatasetChoice(FrozenSection):
    """One dataset of a study: a name from the menu; for a folder of images its path, and what is left out."""

    options = frozenset({"exclude"})

    name: Name
    address: str
    root: str | None
    exclude: tuple[Text, ...] = ()


class Primary(FrozenSection):
    """Where verdicts are given: one category and one metric, named before anything runs."""

    category: Category
    metric: Annotated[str, OneOf(PRIMARY)]


class Study(FrozenSection):
    """What is compared, under which protocol. One file of `studies/`.

    `smallest_difference` is the smallest difference of interest, in points (hundredths) of the metric. `same` names the
    losses that are one function under several names: their spread is the noise of the protocol itself. `sources` are
    in no file: they say what the classes that are named by address are on this machine. `compare` is a claim only where
    all pairs are compared. `override` has what replaces values in the protocol's file. `sweep` adds runs, and is no
    part of any plan. With `default_rows` the published setting of each loss is retrained and scored as well.
    `pair_lists` says where lists of pairs are, which evaluations name with the digest of their content. `foundations`
    are frozen models whose scores are rows of reference; their evaluations are among those of the protocol.
    """

    options = frozenset({"sweep", "default_rows", "pair_lists", "foundations"})

    study: Name
    question: str
    protocol: Protocol
    override: Mapping[str, Any] = {}
    datasets: Annotated[tuple[DatasetChoice, ...], Field(min_length=1)]
    losses: Annotated[tuple[LossChoice, ...], Field(min_length=1)]
    baseline: Name
    primary: Primary
    smallest_difference: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
    same: tuple[Name, ...] = ()
    compare: Literal["baseline", "all_pairs"] = "baseline"
    sweep: Sweep | None = None
    default_rows: bool = False
    pair_lists: Mapping[Name, PairFiles] = {}
    foundations: Mapping[Name, FoundationTrunk] = {}
    sources: Mapping[str, str] = {}

    @property
    def protocol_name(self) -> str:
        """The protocol's name, with the values that the study replaces: `sketches28 with final.seeds: 10`."""
        values = (f"{key}: {json.dumps(value)}" for key, value in self.override.items())
        return self.protocol.protocol + (f" with {', '.join(values)}" if self.override else "")

    def loss(self, label: str) -> LossChoice:
        """The loss of that label."""
        return next(choice for choice in self.losses if choice.label == label)

    def protocol_on(self, dataset: str) -> Protocol:
        """The protocol on the dataset of that name."""
        return self.protocol.of(self._address_of(dataset))

    def sources_on(self, dataset: str, choice: LossChoice | None) -> dict[str, str]:
        """The sources that a training uses: those of the dataset and its trunk, and of its loss if there is one."""
        losses = parts(choice.address) if choice else ()
        used = {self._address_of(dataset), self.protocol_on(dataset).recipe.trunk.name, *losses}
        return {address: source for address, source in self.sources.items() if address in used}

    def _address_of(self, dataset: str) -> str:
        return next(choice.address for choice in self.datasets if choice.name == dataset)
