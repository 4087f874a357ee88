"""Whether the images of a dataset can carry out a protocol: batches filled, folds cut, queries answered."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from realitycheck.errors import Problem
from realitycheck.protocol.model import Batch, Protocol

FAMILIES = ("pairs", "proxies")


def data_problems(
    protocol: Protocol,
    trainval_counts: Sequence[int],
    test_counts: Sequence[int],
    fold_classes: Sequence[Sequence[int]],
    *,
    families: Collection[str] = FAMILIES,
) -> list[Problem]:
    """Where the data are too small for the protocol; without lines, for no file is wrong by itself.

    Args:
        protocol: what the data have to carry.
        trainval_counts: images of each trainval class.
        test_counts: images of each test class.
        fold_classes: per fold, the positions in `trainval_counts` of the classes that validate.
        families: families of the losses that will be trained; each has its own batch shape.
    """
    problems = [*_classes(protocol, trainval_counts, test_counts)]
    for family in families:
        batch = protocol.batches.pairs if family == "pairs" else protocol.batches.proxies
        problems += _batch(family, batch, trainval_counts, fold_classes)
    return problems


def _classes(protocol: Protocol, trainval: Sequence[int], test: Sequence[int]) -> Iterator[Problem]:
    if protocol.folds.count > len(trainval):
        says = f"must not exceed the trainval classes, {len(trainval)}; got {protocol.folds.count}. Lower it."
        yield Problem(0, "folds.count", says)
    lonely = sum(count < 2 for count in trainval)
    if lonely:
        says = f"must have at least 2 images each; got {lonely} with fewer. Remove or fill these classes."
        yield Problem(0, "trainval classes", says)
    if not any(count >= 2 for count in test):
        says = f"must hold a class with 2 images, or no query has an answer; got {len(test)} without. Add some."
        yield Problem(0, "test classes", says)


def _batch(
    family: str, batch: Batch, trainval: Sequence[int], fold_classes: Sequence[Sequence[int]]
) -> Iterator[Problem]:
    training = min((len(trainval) - len(set(fold)) for fold in fold_classes), default=len(trainval))
    if batch.classes > training:
        says = f"must not exceed the training classes of a fold, {training}; got {batch.classes}. Lower it."
        yield Problem(0, f"batches.{family}.classes", says)
    smallest = min(trainval, default=0)
    if batch.per_class > smallest:
        says = f"must not exceed the smallest class's images, {smallest}; got {batch.per_class}. Lower it."
        yield Problem(0, f"batches.{family}.per_class", says)
