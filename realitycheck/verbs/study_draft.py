"""The text of a new study: a YAML file with the facts and the reasons beside the values."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from realitycheck.plan.fitting import Fitting
from realitycheck.protocol.model import Protocol

LOSSES = ("contrastive", "multi_similarity", "normalized_softmax")
"""One of each kind: pairs, all pairs of a batch with weights, and class vectors."""

SHUFFLED = (
    "The first half of the classes by name trains. Where names that follow each other are alike, such as `symbol_a` "
    "and `symbol_b`, halve them at random instead: `split: {order: shuffled, seed: 0}`."
)

COST = "# Cost: `realitycheck plan` has not measured it."


@dataclass(frozen=True, slots=True)
class SearchChoice:
    """How many searches and seeds each loss gets, and what its verdicts then include."""

    title: str
    searches: int
    trials: int
    seeds: int
    method: str


DESIGNS: Mapping[str, SearchChoice] = {
    "1x50": SearchChoice("as published: one search of 50, ten seeds", 1, 50, 10, "student_t"),
    "2x25": SearchChoice(
        "verdicts that include search luck: two searches of 25, five seeds each", 2, 25, 10, "searches_calibrated"
    ),
    "2x50": SearchChoice(
        "verdicts that include search luck: two searches of 50, five seeds each", 2, 50, 10, "searches_calibrated"
    ),
}
"""What `init --searches` takes; the second costs as many trainings as the first."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a new study is written from.

    Args:
        name: of the study, and of its dataset.
        dataset: its name on the menu of datasets.
        root: of its images, as the study writes it; None where they ship with the package.
        facts: sentences on the images.
        protocol: the protocol.
        named: its name.
        reason: why it was chosen.
        design: a key of `DESIGNS`.
        fitting: what the classes can fill.
        official: whether the dataset has a split of its own.
        arithmetic: the class of arithmetic of this machine, where it differs from the protocol's; else None.
        version: of this package.
    """

    name: str
    dataset: str
    root: str | None
    facts: Sequence[str]
    protocol: Protocol
    named: str
    reason: str
    design: str
    fitting: Fitting
    official: bool
    arithmetic: str | None
    version: str

    def text(self) -> str:
        """The study's file."""
        return "\n".join([*self._head(), *self._overrides(), *self._rest()]) + "\n"

    def _head(self) -> Iterator[str]:
        yield f"# Written by `realitycheck init`, version {self.version}. `realitycheck check` lists what does not fit."
        yield "# docs/studies.md explains every key of this file, and docs/protocols.md those below `override`."
        yield f"study: {self.name}"
        # Not in the head of the file, which a report prints as the study's description.
        for fact in self.facts:
            yield from comment(fact)
        yield COST
        yield f"question: Which of these losses retrieves images of unseen classes of {self.name} best?"
        yield from comment(f"{_capital(self.reason)}. `realitycheck catalog protocols` lists all.")
        yield f"protocol: {self.named}"

    def _overrides(self) -> Iterator[str]:
        design, fit = DESIGNS[self.design], self.fitting
        values = {
            "search.searches": design.searches,
            "search.trials": design.trials,
            "final.seeds": design.seeds,
            "interval.method": design.method,
        }
        others = "; ".join(f"{name}, {other.title}" for name, other in DESIGNS.items() if name != self.design)
        lines = comment(f"{_capital(design.title)}. Other choices of `init --searches`: {others}.", indent="  ")
        lines += [f"  {name}: {value}" for name, value in values.items() if value != _at(self.protocol, name)]
        lines += _set("split", {"order": "official", "seed": 0}, "the split of the dataset", wanted=self._splits)
        if not self.official and self.protocol.split.order == "sorted":
            lines += comment(SHUFFLED, indent="  ")
        fewer = f"every fold validates on two classes or more; the protocol has {self.protocol.folds.count}"
        lines += _set("folds.count", fit.folds.count, fewer, wanted=fit.folds != self.protocol.folds)
        fewest = f"a fold trains on {fit.fewest} classes, and the smallest class has {fit.smallest} images"
        shapes = {name: _plain(getattr(fit.batches, name)) for name in ("pairs", "proxies")}
        lines += _set("batches", shapes, fewest, wanted=fit.batches != self.protocol.batches)
        lines += _set("recipe.arithmetic", self.arithmetic, "what this machine computes", wanted=bool(self.arithmetic))
        if any(not line.lstrip().startswith("#") for line in lines):
            yield "override:"
            yield from lines
        else:
            yield from (line.lstrip() for line in lines)

    @property
    def _splits(self) -> bool:
        return self.official and self.protocol.split.order != "official"

    def _rest(self) -> Iterator[str]:
        options: dict[str, str] = {} if self.dataset == self.name else {"dataset": self.dataset}
        options |= {} if self.root is None else {"root": self.root}
        yield "datasets:"
        yield f"  {self.name}: {_flow(options)}"
        yield "losses:    # `realitycheck catalog losses` lists all; each costs as much as another"
        yield from (f"  {loss}: {{}}" for loss in LOSSES)
        yield f"baseline: {LOSSES[0]}    # every other loss is compared with it"
        yield "primary: {category: complete, metric: map_at_r}"
        yield "smallest_difference: 0.5    # points of MAP@R: what is less does not matter to you"


def comment(text: str, *, indent: str = "") -> list[str]:
    """The lines of a comment."""
    return textwrap.wrap(text, width=100, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


def _set(name: str, value: Any, why: str, *, wanted: bool) -> list[str]:
    return [*comment(f"{_capital(why)}.", indent="  "), f"  {name}: {_flow(value)}"] if wanted else []


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _plain(batch: Any) -> dict[str, Any]:
    return {key: value for key, value in batch.model_dump(mode="json").items() if value is not False}


def _at(protocol: Protocol, name: str) -> Any:
    value: Any = protocol
    for key in name.split("."):
        value = getattr(value, key)
    return value
