"""Pairs of items drawn by a seed: of one class, or of two.

Draws are the raw numbers of NumPy's Philox generator, which are the same in every release of NumPy and on all machines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.errors import InputError
from realitycheck.metrics.pair_counts import possible_pairs

Indices = NDArray[np.int64]

BLOCK = 1 << 16
"""Pairs whose distances are computed at once."""

FEW = 4
"""Where no more than this many times the wanted pairs exist, all of them are listed and put in a random order."""


@dataclass(frozen=True, slots=True)
class DrawnPairs:
    """Pairs of different items, each once.

    Args:
        first: (P,) lower index of each pair.
        second: (P,) the other one.
        same: (P,) whether both are of one class.
    """

    first: Indices
    second: Indices
    same: NDArray[np.bool_]


def draw_pairs(labels: NDArray[np.integer], *, pairs: int, seed: int) -> DrawnPairs:
    """Draw as many pairs of one class as of two, without repetition: same and different ones in turn.

    Args:
        labels: (N,) the class of each item.
        pairs: how many of each kind.
        seed: in [0, 2^63); it decides all draws.

    Raises:
        InputError: there are fewer pairs of one kind.
    """
    same, different = possible_pairs(np.unique(labels, return_counts=True)[1].tolist())
    if pairs > min(same, different):
        says = f"{pairs} pairs of each kind are out of range: there are {same} of one class and {different} of two."
        raise InputError.one("pairs", "pairs-range", says, where="pairs")
    first, second = np.zeros(2 * pairs, np.int64), np.zeros(2 * pairs, np.int64)
    for kind, drawn in enumerate((_same(labels, same, pairs, seed), _different(labels, different, pairs, seed))):
        first[kind::2], second[kind::2] = drawn
    return DrawnPairs(first, second, np.arange(2 * pairs) % 2 == 0)


def class_pairs(labels: NDArray[np.integer], *, label: int, pairs: int, seed: int) -> DrawnPairs:
    """Pairs of one class: those of two of its items, and those of one of them and another item.

    Args:
        labels: (N,) the class of each item.
        label: the class; it has two or more items.
        pairs: how many of each kind at most; all where there are fewer.
        seed: in [0, 2^63); it decides all draws.
    """
    own, others = np.flatnonzero(labels == label), np.flatnonzero(labels != label)
    inside = len(own) * (len(own) - 1) // 2
    chosen = _chosen(inside, min(pairs, inside), _generator(seed, 2 * label))
    low, high = _triangle(chosen)
    outside = len(own) * len(others)
    crossed = _chosen(outside, min(pairs, outside), _generator(seed, 2 * label + 1))
    here, there = own[crossed // len(others)], others[crossed % len(others)]
    first = np.concatenate([own[low], np.minimum(here, there)])
    second = np.concatenate([own[high], np.maximum(here, there)])
    return DrawnPairs(first, second, np.arange(len(first)) < len(chosen))


def pair_distances(embeddings: Tensor, pairs: DrawnPairs, *, distance: str) -> NDArray[np.float64]:
    """(P,) distances of pairs of (N, D) embeddings: one minus the cosine, or the Euclidean distance."""
    return distances_of(compared(embeddings, distance=distance), pairs, distance=distance)


def compared(embeddings: Tensor, *, distance: str) -> Tensor:
    """(N, D) points as `distances_of` compares them: in float64 on the CPU, normalised for the cosine."""
    points = embeddings.detach().cpu().to(torch.float64)
    return torch.nn.functional.normalize(points, dim=1) if distance == "cosine" else points


def distances_of(points: Tensor, pairs: DrawnPairs, *, distance: str) -> NDArray[np.float64]:
    """`pair_distances` of points that `compared` made, for many calls on the same ones."""
    values = []
    for start in range(0, len(pairs.first), BLOCK):
        part = slice(start, start + BLOCK)
        one, other = (points[torch.from_numpy(side[part])] for side in (pairs.first, pairs.second))
        squares = (one - other).square().sum(dim=1)
        values.append(squares / 2 if distance == "cosine" else squares.sqrt())
    return torch.cat(values).numpy()


def _same(labels: NDArray[np.integer], total: int, pairs: int, seed: int) -> tuple[Indices, Indices]:
    """Pairs of one class, all of them equally likely."""
    order = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    ends = np.cumsum(sizes * (sizes - 1) // 2)
    chosen = _chosen(total, pairs, _generator(seed, 0))
    kind = np.searchsorted(ends, chosen, side="right")
    low, high = _triangle(chosen - np.concatenate([[0], ends[:-1]])[kind])
    return order[starts[kind] + low], order[starts[kind] + high]


def _different(labels: NDArray[np.integer], total: int, pairs: int, seed: int) -> tuple[Indices, Indices]:
    """Pairs of two classes, all of them equally likely; drawn among all pairs, without those of one class."""
    every, draw = len(labels) * (len(labels) - 1) // 2, _generator(seed, 1)

    def allowed(numbers: Indices) -> Indices:
        low, high = _triangle(numbers)
        kept: Indices = numbers[labels[low] != labels[high]]
        return kept

    if total <= FEW * pairs:
        known = allowed(np.arange(every))
        return _triangle(known[_chosen(len(known), pairs, draw)])
    return _triangle(_collected(lambda: allowed(_below(draw, every, 2 * pairs)), pairs))


def _chosen(total: int, wanted: int, draw: np.random.Philox) -> Indices:
    """Different numbers below `total`, in random order."""
    if total <= FEW * wanted or total <= BLOCK:
        return np.argsort(draw.random_raw(total), kind="stable")[:wanted]
    return _collected(lambda: _below(draw, total, 2 * wanted), wanted)


def _collected(more: Callable[[], Indices], wanted: int) -> Indices:
    """The first different numbers of a sequence that comes in parts."""
    numbers = np.zeros(0, np.int64)
    while len(numbers) < wanted:
        numbers = np.concatenate([numbers, more()])
        numbers = numbers[np.sort(np.unique(numbers, return_index=True)[1])]
    return numbers[:wanted]


def _below(draw: np.random.Philox, total: int, count: int) -> Indices:
    """Numbers below `total`, which is far below 2^64."""
    return (draw.random_raw(count) % np.uint64(total)).astype(np.int64)


def _generator(seed: int, stream: int) -> np.random.Philox:
    return np.random.Philox(key=[seed, stream])


def _triangle(numbers: Indices) -> tuple[Indices, Indices]:
    """Number → pair (low, high) in the order (0, 1), (0, 2), (1, 2), (0, 3), …"""
    high = ((1 + np.sqrt(1 + 8 * numbers.astype(np.float64))) / 2).astype(np.int64)
    high -= high * (high - 1) // 2 > numbers  # a square root is rounded
    high += high * (high + 1) // 2 <= numbers
    return numbers - high * (high - 1) // 2, high
