"""Folds and batch shapes that the classes of a new dataset can fill, as near to those of a protocol as they allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realitycheck.plan.splits import make_folds
from realitycheck.protocol.model import Batch, Batches, Protocol
from realitycheck.protocol.split_keys import FoldRule


@dataclass(frozen=True, slots=True)
class Fitting:
    """What fits a dataset.

    Args:
        folds: how the trainval classes are cut.
        batches: the shape of each family of losses.
        fewest: the classes of the smallest training part of a fold.
        smallest: the images of the smallest trainval class.
    """

    folds: FoldRule
    batches: Batches
    fewest: int
    smallest: int


def fitted(protocol: Protocol, sizes: Sequence[int]) -> Fitting:
    """Keep the folds and batch shapes of a protocol where the classes can fill them, and find others where not.

    A fold validates on two classes or more, since among the images of a single class every neighbour is a hit. A batch
    keeps its number of images as far as possible, and losses that compare images get two or more of a class.

    Args:
        protocol: the protocol on the dataset.
        sizes: images of each trainval class, four classes or more.

    Example:
        >>> from realitycheck.protocol.read import read_protocol
        >>> from realitycheck.shipped import shipped_file
        >>> quick = read_protocol(shipped_file("protocols/quick.yaml")).value
        >>> shape = fitted(quick, [5] * 12).batches.proxies  # 32 × 1 in the protocol
        >>> shape.classes, shape.per_class
        (9, 3)
    """
    folds = _folds(protocol.folds, len(sizes))
    cut = make_folds(range(len(sizes)), count=folds.count, kind=folds.kind, seed=folds.seed, share=folds.share)
    fewest, smallest = min(len(fold.train) for fold in cut), min(sizes)
    pairs = _shape(protocol.batches.pairs, classes=fewest, images=smallest, least=2)
    proxies = _shape(protocol.batches.proxies, classes=fewest, images=smallest, least=1)
    return Fitting(folds, Batches(pairs=pairs, proxies=proxies), fewest, smallest)


def _folds(rule: FoldRule, classes: int) -> FoldRule:
    if rule.kind == "hold_out" or classes >= 2 * rule.count:
        return rule
    return rule.model_copy(update={"count": max(2, classes // 2)})


def _shape(batch: Batch, *, classes: int, images: int, least: int) -> Batch:
    """A batch of as many images, of no more classes, and of no more images of a class."""
    if batch.classes <= classes and (batch.stream or batch.repeats or batch.per_class <= images):
        return batch
    total = batch.classes * batch.per_class
    per_class = max(least, min(images, max(batch.per_class, total // classes)))
    return batch.model_copy(update={"classes": min(classes, max(1, total // per_class)), "per_class": per_class})
