"""Ranges that cannot act: whatever is drawn from them, a loss sends the same gradient, none, or one that is not finite.

A loss is built at both ends of a range and called on small batches of embeddings as long as those of the protocol's
untrained model: unrelated ones, classes that have begun to separate, and classes that are hard to tell apart. What
changes the value of a loss alone does not count: it moves no weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from realitycheck.catalog import build_loss, resolve_loss
from realitycheck.check.head_lengths import length_powers
from realitycheck.protocol.knobs import FOLLOWUP, SCALE, SHARED, own_knobs, phase_knobs
from realitycheck.protocol.model import LossChoice, Protocol
from realitycheck.protocol.space import (
    Bounds,
    Choice,
    IntUniform,
    LogIntUniform,
    LogUniform,
    Range,
    Space,
    Uniform,
    middle,
)
from realitycheck.protocol.units import LengthUnit
from realitycheck.runs import Knobs

if TYPE_CHECKING:
    from torch import Tensor

CLASSES, PER_CLASS, DIMS = 4, 4, 16
"""Of the batches."""

BATCHES = ((0.0, 0.0), (0.0, 1.0), (0.0, 3.0), (2.0, 0.5))
"""What an embedding has of a direction that all share, and of its class's own, for each part of noise."""

UNEVEN = 0.2
"""How far the length of an embedding is from the initial one, at most."""

ANY_LENGTH = 8.0
"""Of embeddings, where only images tell it. Ranges in units of it are the same for every length."""

DRAWS = 16
"""Of settings at random."""

FIX = "Change the range. With `search: {units: head}` lengths follow the head, and are multiples of its initial length."

Interval = Uniform | LogUniform | IntUniform | LogIntUniform

Gradient = tuple["Tensor", ...]
"""Of a batch's embeddings, and of each of the loss's parameters."""


def range_problems(
    choice: LossChoice, protocol: Protocol, *, dataset: str, length: float | None
) -> list[tuple[str, str]]:
    """Pairs of a hyper-parameter and a sentence, for each range of a loss that cannot act, or at whose ends it fails.

    Of a length, half a range that cannot act counts, too. Rates, and hyper-parameters that a loss declares to act
    later, are left out; so is a loss with raw lengths where the initial embedding length is not known.

    Args:
        choice: the loss.
        protocol: how it would be trained on the dataset.
        dataset: whose space is meant, where they differ.
        length: the initial embedding length, or None where it is not known without the images.
    """
    space, powers = protocol.space_of(choice, dataset), length_powers(protocol, choice, dataset)
    units = protocol.search.units
    if powers and length is None and units == "raw":
        return []
    later = {name for kind in resolve_loss(choice.address) for name in getattr(kind, "acts_later", ())}
    ranges = {name: bounds for name, bounds in space.items() if isinstance(bounds, Bounds) and _acts(name, later)}
    probe = _Probe(choice.address, space, LengthUnit(length or ANY_LENGTH, powers), units=units)
    with _one_thread():
        sentences = {name: probe.problem(name, bounds) for name, bounds in ranges.items()}
    return [(name, says) for name, says in sentences.items() if says]


@contextmanager
def _one_thread() -> Iterator[None]:
    """More only wait for one another on batches this small."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _acts(name: str, later: set[str]) -> bool:
    """Whether a hyper-parameter is the loss's own, and acts on the first step."""
    own = name.removeprefix(FOLLOWUP)
    return name not in SHARED and own not in later and own.removesuffix(SCALE) not in later


class _Probe:
    """One loss under one protocol: its gradients at chosen hyper-parameters.

    Args:
        address: of the loss.
        space: of all its hyper-parameters.
        unit: of the lengths among them, and how long embeddings are.
        units: of the ranges, `head` or `raw`.
    """

    def __init__(self, address: str, space: Space, unit: LengthUnit, *, units: str) -> None:
        self.address = address
        self.unit = unit
        self.units = units
        self.settings = _settings(space)

    def problem(self, name: str, bounds: Interval) -> str | None:
        """What is wrong with the range of one hyper-parameter."""
        try:
            return self._inert(name, bounds)
        except Exception as error:  # a loss by address may raise anything
            return f"the loss fails within the range: {type(error).__name__}: {error}. Narrow the range."

    def _inert(self, name: str, bounds: Interval) -> str | None:
        low, high = bounds.bounds
        length = f" {self.unit.length:.3g}" if self.units == "raw" else ""
        where = f"with embeddings of the initial length{length}"
        for end in (low, high):
            if not all(map(_finite, islice(self._everywhere(name, end), len(BATCHES)))):
                return f"at {end:g} a gradient is not finite, {where}. {FIX}"
            if not any(gradient is not None and gradient[0].any() for gradient in self._everywhere(name, end)):
                return f"at {end:g} no gradient reaches an embedding, {where}. {FIX}"
        center = middle(bounds)
        halves = [(center, high), (low, center)] if name in self.unit.powers else []
        for one, other in [(low, high), *halves]:
            if self._alike(name, one, other):
                return f"no effect from {one:g} to {other:g}: the gradient is the same at both, {where}. {FIX}"
        return None

    def _alike(self, name: str, one: float | int | str, other: float | int | str) -> bool:
        pairs = zip(self._everywhere(name, one), self._everywhere(name, other), strict=True)
        return all(_same(first, second) for first, second in pairs)

    def _everywhere(self, name: str, value: float | int | str) -> Iterator[Gradient | None]:
        """The gradients at one value: of all batches with the others in the middle, then of one for each other setting.

        They are computed as they are asked for: mostly the first ones answer the question. None where a loss raises
        away from the middle, for which another hyper-parameter may be the reason.
        """
        phase = "followup" if name.startswith(FOLLOWUP) else "normal"
        settings = [self.settings[0]] * len(BATCHES) + self.settings[1:]
        for place, setting in enumerate(settings):
            knobs: Knobs = {**setting, name: value}
            own = own_knobs(phase_knobs(self.unit.raw(knobs) if self.units == "head" else knobs, phase))
            try:
                yield self._gradient(own, *BATCHES[place % len(BATCHES)])
            except Exception:  # a loss by address may raise anything
                if place == 0:
                    raise
                yield None

    def _gradient(self, knobs: Knobs, common: float, own: float) -> Gradient:
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            loss = build_loss(self.address, num_classes=CLASSES, embedding_dim=DIMS, seed=0, knobs=knobs)
            embeddings, labels = _batch(self.unit.length, common, own)
            beside = {need.value: torch.randn(len(labels), DIMS) for need in sorted(getattr(loss, "needs", ()))}
            loss(embeddings, labels, **beside).backward()
        leaves = [embeddings, *(parameter for parameter in loss.parameters() if parameter.requires_grad)]
        return tuple(torch.zeros(()) if leaf.grad is None else leaf.grad for leaf in leaves)


def _batch(length: float, common: float, own: float) -> tuple[Tensor, Tensor]:
    """Embeddings (B, D) that need a gradient, and labels (B,)."""
    import torch
    from torch.nn import functional

    labels = torch.arange(CLASSES).repeat_interleave(PER_CLASS)
    noise = torch.randn(len(labels), DIMS)
    points = common * torch.randn(1, DIMS) + own * torch.randn(CLASSES, DIMS)[labels] + noise
    lengths = length * (1 + UNEVEN * (2 * torch.rand(len(labels), 1) - 1))
    return (lengths * functional.normalize(points, dim=1)).requires_grad_(), labels


def _settings(space: Space) -> list[dict[str, float | int | str]]:
    """All hyper-parameters in the middle of their ranges, then at lower ends, at upper ends, and drawn at random.

    One may act under few settings of the others alone, as a slope that a margin decides of.
    """
    draw = Random(0)
    settings = [{name: middle(bounds) for name, bounds in space.items()}]
    settings += [{name: _at(bounds, share) for name, bounds in space.items()} for share in (0.0, 1.0)]
    return settings + [{name: _at(bounds, draw.random()) for name, bounds in space.items()} for _ in range(DRAWS)]


def _at(bounds: Range, share: float) -> float | int | str:
    """The value at a share of a range, on its scale; a fixed value itself."""
    if isinstance(bounds, Choice):
        return bounds.choice[min(int(share * len(bounds.choice)), len(bounds.choice) - 1)]
    if not isinstance(bounds, Bounds):
        return bounds
    low, high = bounds.bounds
    log = isinstance(bounds, LogUniform | LogIntUniform)
    value = low * (high / low) ** share if log else low + (high - low) * share
    return round(value) if isinstance(bounds, IntUniform | LogIntUniform) else min(max(value, low), high)


def _finite(gradient: Gradient | None) -> bool:
    return gradient is None or all(bool(leaf.isfinite().all()) for leaf in gradient)


def _same(one: Gradient | None, other: Gradient | None) -> bool:
    import torch

    if one is None or other is None:
        return one is other
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
