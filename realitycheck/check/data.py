"""Whether the images of a dataset can carry out a protocol: batches filled, folds cut, queries answered."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from realitycheck.errors import Problem
from realitycheck.protocol.model import Batch, Protocol

FAMILIES = ("pairs", "proxies")

NAMED = 3
"""Classes that a problem names; of the others it gives the number."""

Sizes = Sequence[tuple[str, int]]
"""Name and number of images of each class of a half, in the order of its labels."""


def data_problems(
    protocol: Protocol,
    trainval: Sizes,
    test: Sizes,
    fold_classes: Sequence[Sequence[int]],
    *,
    families: Collection[str] = FAMILIES,
) -> list[Problem]:
    """Where the data are too small for the protocol; without lines, for no file is wrong by itself.

    Args:
        protocol: what the data have to carry.
        trainval: the trainval classes.
        test: the test classes.
        fold_classes: per fold, the positions in `trainval` of the classes that validate.
        families: families of the losses that will be trained; each has its own batch shape.
    """
    problems = [*_classes(protocol, trainval, test)]
    for family in families:
        batch = protocol.batches.pairs if family == "pairs" else protocol.batches.proxies
        problems += _batch(family, batch, trainval, fold_classes)
    return problems


def _classes(protocol: Protocol, trainval: Sizes, test: Sizes) -> Iterator[Problem]:
    if protocol.folds.count > len(trainval):
        says = f"must not exceed the trainval classes, {len(trainval)}; got {protocol.folds.count}. Lower it."
        yield Problem(0, "folds.count", says)
    if any(count < 2 for _, count in trainval):
        says = f"must have at least 2 images each; got {_smaller(trainval, 2)}. Remove or fill these classes."
        yield Problem(0, "trainval classes", says)
    if not any(count >= 2 for _, count in test):
        says = f"must hold a class with 2 images, or no query has an answer; got {_smaller(test, 2)}. Add some."
        yield Problem(0, "test classes", says)


def _batch(family: str, batch: Batch, trainval: Sizes, fold_classes: Sequence[Sequence[int]]) -> Iterator[Problem]:
    training = min((len(trainval) - len(set(fold)) for fold in fold_classes), default=len(trainval))
    if batch.classes > training:
        says = f"must not exceed the training classes of a fold, {training}; got {batch.classes}. Lower it."
        yield Problem(0, f"batches.{family}.classes", says)
    smallest = min((count for _, count in trainval), default=0)
    if batch.per_class > smallest:
        says = f"must not exceed the smallest class's images, {smallest}; got {batch.per_class}. "
        says += f"Lower it, or remove or fill the classes with fewer: {_smaller(trainval, batch.per_class)}."
        yield Problem(0, f"batches.{family}.per_class", says)


def _smaller(sizes: Sizes, least: int) -> str:
    """The classes of fewer than `least` images: the first by name with their counts, and how many more."""
    small = sorted((name, count) for name, count in sizes if count < least)
    told = ", ".join(f"{name} ({count})" for name, count in small[:NAMED])
    rest = len(small) - NAMED
    return f"{told} and {rest} more" if rest > 0 else told or "none"
