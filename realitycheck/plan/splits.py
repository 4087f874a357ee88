"""Which classes train, validate and test: disjoint halves, and folds of the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from realitycheck.errors import InputError, Problem
from realitycheck.plan.seeds import derive


@dataclass(frozen=True, slots=True)
class Split:
    """Trainval and test classes, disjoint, as indices into the sorted class names."""

    trainval: tuple[int, ...]
    test: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """One partition of the trainval classes: those that train, and those that validate."""

    index: int
    train: tuple[int, ...]
    val: tuple[int, ...]


def split_classes(classes: int, *, order: Literal["sorted", "shuffled"], seed: int) -> Split:
    """Cut classes in halves; the first half is trainval (Musgrave et al., 2020, section 4).

    Args:
        classes: how many there are. Of an odd number, the test half gets one more.
        order: `sorted` cuts the classes as they are; `shuffled` orders them by a hash of seed and class first.
        seed: used by `shuffled` alone.

    Raises:
        InputError: there are fewer than 2 classes in a half.
    """
    if classes < 4:
        raise InputError(
            "the dataset", [Problem(0, "classes", f"at least 4 must be there, two a half; got {classes}.")]
        )
    ranked = _ordered(range(classes), name="split", shuffle=order, seed=seed)
    return Split(trainval=tuple(ranked[: classes // 2]), test=tuple(ranked[classes // 2 :]))


def make_folds(
    classes: Sequence[int], *, count: int, kind: Literal["blocks", "shuffled"], seed: int
) -> tuple[Fold, ...]:
    """Cut classes into folds whose sizes differ by at most one; every class validates once.

    Args:
        classes: the trainval classes.
        count: K, at least 2 and at most as many as there are classes.
        kind: contiguous `blocks` in the order given, or `shuffled` by a hash of seed and class.
        seed: used by `shuffled` alone.

    Raises:
        InputError: there are fewer classes than folds.
    """
    if not 2 <= count <= len(classes):
        says = f"must lie between 2 and the number of classes, {len(classes)}; got {count}. Lower it."
        raise InputError("the protocol", [Problem(0, "folds.count", says)])
    ranked = _ordered(classes, name="folds", shuffle=kind, seed=seed)
    cuts = [len(ranked) * index // count for index in range(count + 1)]
    blocks = [tuple(ranked[start:end]) for start, end in pairwise(cuts)]
    return tuple(
        Fold(index=index, train=tuple(c for other in blocks if other is not val for c in other), val=val)
        for index, val in enumerate(blocks)
    )


def _ordered(classes: Sequence[int], *, name: str, shuffle: str, seed: int) -> list[int]:
    if shuffle != "shuffled":
        return list(classes)
    return sorted(classes, key=lambda each: derive(seed, name, each))
