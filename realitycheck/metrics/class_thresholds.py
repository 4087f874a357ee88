"""How far one threshold on distances serves all classes: the best threshold of each, beside that of all together.

The accuracy of a threshold on a class is the mean of its accuracy on the same and on the different pairs of the class.
Its place is the mean over classes of the share of pairs that it accepts, same and different ones with equal weight: a
number in [0, 1] that is equal for distances in any unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realitycheck.metrics.pair_thresholds import balanced_accuracy, pair_curve

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClassPairs:
    """The pairs of one class: (P,) distances, and (P,) whether both items are of the class."""

    distances: Floats
    same: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ClassThresholds:
    """The best thresholds of C classes.

    Args:
        thresholds: (C,) the best one of each class, ties to the lowest.
        places: (C,) their places.
        own: (C,) the accuracy on each class at its own threshold.
        common: the highest mean accuracy over classes at one threshold for all.
    """

    thresholds: Floats
    places: Floats
    own: Floats
    common: float

    @property
    def spread(self) -> float:
        """The interquartile range of the places: 0 where one threshold is the best for all classes."""
        low, high = np.quantile(self.places, [0.25, 0.75])
        return float(high - low)


def class_thresholds(classes: Sequence[ClassPairs]) -> ClassThresholds:
    """Find the best threshold of each class and of all together."""
    curves = [pair_curve(pairs.distances, pairs.same) for pairs in classes]
    rates = [balanced_accuracy(curve) for curve in curves]
    best = [int(np.argmax(rate)) for rate in rates]
    thresholds = np.array([curve.thresholds[place] for curve, place in zip(curves, best, strict=True)])
    own = np.array([rate[place] for rate, place in zip(rates, best, strict=True)])
    distances, weights, same = _pooled(classes)
    accepted = np.concatenate([[0.0], np.cumsum(weights)])
    places = accepted[np.searchsorted(distances, thresholds, side="right")]
    ends = np.append(np.flatnonzero(np.diff(distances)) + 1, len(distances))  # equal distances are accepted together
    gains = np.concatenate([[0.0], np.cumsum(np.where(same, weights, -weights))[ends - 1]])
    return ClassThresholds(thresholds, np.clip(places, 0, 1), own, float(min(1.0, 0.5 + gains.max())))


def _pooled(classes: Sequence[ClassPairs]) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """The pairs of all classes by distance, each with its share in the mean over classes and kinds."""
    distances = np.concatenate([pairs.distances for pairs in classes])
    same = np.concatenate([pairs.same for pairs in classes])
    shares = [np.where(pairs.same, 1 / pairs.same.sum(), 1 / (~pairs.same).sum()) for pairs in classes]
    order = np.argsort(distances, kind="stable")
    return distances[order], (np.concatenate(shares) / (2 * len(classes)))[order], same[order]
