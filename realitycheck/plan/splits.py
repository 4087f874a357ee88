"""Which classes train, validate and test: disjoint halves, and folds of the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from realitycheck.errors import InputError
from realitycheck.plan.seeds import derive


@dataclass(frozen=True, slots=True)
class Split:
    """Trainval and test classes, disjoint, as indices into the sorted class names."""

    trainval: tuple[int, ...]
    test: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """One partition of the trainval classes: those that are trained on, and those that validate."""

    index: int
    train: tuple[int, ...]
    val: tuple[int, ...]


Halves = tuple[tuple[int, ...], tuple[int, ...]]
"""Trainval and test classes, as a dataset's makers cut them."""


def split_classes(
    classes: int, *, order: Literal["sorted", "shuffled", "official"], seed: int, official: Halves | None = None
) -> Split:
    """Cut classes in halves; the first half is trainval (Musgrave et al., 2020, section 4).

    Args:
        classes: their number. If it is odd, the test half gets one more.
        order: `sorted` cuts the classes as they are; `shuffled` orders them by a hash of seed and class first;
            `official` takes the halves of the dataset's makers.
        seed: used by `shuffled` alone.
        official: used by `official` alone; None where the dataset has no halves of its own.

    Raises:
        InputError: a half has fewer than 2 classes, or there are no official halves.

    Example:
        >>> from realitycheck.plan.splits import split_classes
        >>> split_classes(5, order="sorted", seed=0)
        Split(trainval=(0, 1), test=(2, 3, 4))
    """
    if order == "official" and official is None:
        says = "`official` is not allowed here: this dataset has no split of its own. Use `sorted` or `shuffled`."
        raise InputError.one("the dataset", "split-official-missing", says, where="split.order")
    ranked = _ordered(range(classes), name="split", shuffle=order, seed=seed)
    halves = official if order == "official" and official else (ranked[: classes // 2], ranked[classes // 2 :])
    if min(map(len, halves)) < 2:
        says = f"{classes} is out of range: must be at least 4, two in each half. Add classes."
        raise InputError.one("the dataset", "classes-few", says, where="classes")
    return Split(trainval=tuple(halves[0]), test=tuple(halves[1]))


def make_folds(
    classes: Sequence[int],
    *,
    count: int,
    kind: Literal["blocks", "shuffled", "mlrc", "hold_out"],
    seed: int,
    share: float,
) -> tuple[Fold, ...]:
    """Cut classes into folds: those that are trained on and those that validate.

    Args:
        classes: the trainval classes.
        count: K, at least 2 and at most as many as there are classes; 1 for `hold_out`.
        kind: contiguous `blocks` in the order given, or `shuffled` by a hash of seed and class: sizes differ by at most
            one, and every class validates once. `mlrc`: the rotating windows of Musgrave et al. (2020), to the class:
            all folds are of one size, and up to K − 1 classes never validate. `hold_out`: the first classes train and
            the last validate, as for Table I of DeMoor and Prevost (2024).
        seed: used by `shuffled` alone.
        share: of the classes that train, rounded down; used by `hold_out` alone.

    Raises:
        InputError: there are too few folds, or more than classes.

    Example:
        >>> from realitycheck.plan.splits import make_folds
        >>> for fold in make_folds(range(4), count=2, kind="blocks", seed=0, share=0.5):
        ...     print(fold)
        Fold(index=0, train=(2, 3), val=(0, 1))
        Fold(index=1, train=(0, 1), val=(2, 3))
    """
    least = 1 if kind == "hold_out" else 2
    if not least <= count <= len(classes):
        must = f"it must be between {least} and {len(classes)}, the number of classes"
        says = f"{count} is out of range: {must}."
        raise InputError.one("the protocol", "fold-count", says, where="folds.count")
    ranked = _ordered(classes, name="folds", shuffle=kind, seed=seed)
    if kind == "hold_out":
        cut = int(round(len(ranked) * share, 9))  # 0.29 · 100 is 28.999… in binary
        return (Fold(index=0, train=tuple(ranked[:cut]), val=tuple(ranked[cut:])),)
    return _windows(ranked, count) if kind == "mlrc" else _blocks(ranked, count)


def _blocks(ranked: Sequence[int], count: int) -> tuple[Fold, ...]:
    cuts = [len(ranked) * index // count for index in range(count + 1)]
    blocks = [tuple(ranked[start:end]) for start, end in pairwise(cuts)]
    return tuple(
        Fold(index=index, train=tuple(c for other in blocks if other is not val for c in other), val=val)
        for index, val in enumerate(blocks)
    )


def _windows(ranked: Sequence[int], count: int) -> tuple[Fold, ...]:
    """A window begins at the fold's share of the classes: first those that train, then those that validate, cyclic."""
    size = len(ranked)
    held_out = size // count
    folds = []
    for index in range(count):
        start = size * index // count
        turned = [ranked[(start + place) % size] for place in range(size)]
        folds.append(Fold(index=index, train=tuple(turned[: size - held_out]), val=tuple(turned[size - held_out :])))
    return tuple(folds)


def _ordered(classes: Sequence[int], *, name: str, shuffle: str, seed: int) -> list[int]:
    if shuffle != "shuffled":
        return list(classes)
    return sorted(classes, key=lambda index: derive(seed, name, index))
