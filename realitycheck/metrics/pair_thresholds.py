"""Pairs of items, called same or different by one threshold on their distance.

A pair is accepted as one of the same class where its distance is at most the threshold. TAR, the true accept rate, is
the share of accepted pairs among the same ones; FAR, the false accept rate, their share among the different ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realitycheck.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairCurve:
    """What every threshold accepts.

    Args:
        thresholds: (T,) below the first distance, then between every two neighbouring ones, then the last; ascending.
        far: (T,) share of accepted pairs among the different ones; from 0 to 1.
        tar: (T,) share of accepted pairs among the same ones; from 0 to 1.
    """

    thresholds: Floats
    far: Floats
    tar: Floats


def pair_curve(distances: NDArray[np.floating[Any]], same: NDArray[np.bool_]) -> PairCurve:
    """The curve of (P,) distances between the items of pairs, (P,) of them of one class.

    Pairs of equal distance are accepted together, so that their order changes nothing.

    Raises:
        InputError: the shapes differ, a distance is not finite, or all pairs are of one kind.
    """
    _check(distances, same)
    known, place = np.unique(distances.astype(np.float64), return_inverse=True)
    accepted = [np.cumsum(np.bincount(place[kind], minlength=len(known))) for kind in (~same, same)]
    far, tar = (np.concatenate([[0.0], counts / counts[-1]]) for counts in accepted)
    between = known[:-1] + (known[1:] - known[:-1]) / 2
    return PairCurve(np.concatenate([[-np.inf], between, known[-1:]]), far, tar)


def _check(distances: NDArray[np.floating[Any]], same: NDArray[np.bool_]) -> None:
    if distances.ndim != 1 or distances.shape != same.shape:
        says = f"expected one flag per distance {distances.shape}, got {same.shape}."
        raise InputError.one("pairs", "pairs-shape", says, where="same")
    if not np.isfinite(distances).all():
        raise InputError.one("pairs", "pairs-not-finite", "a distance is not finite; remove it.", where="distances")
    if same.all() or not same.any():
        says = "all pairs are of one kind; add pairs of the other kind."
        raise InputError.one("pairs", "pairs-of-one-kind", says, where="same")


def cross_validated_accuracy(
    distances: NDArray[np.floating[Any]], same: NDArray[np.bool_], folds: NDArray[np.integer[Any]]
) -> float:
    """The mean accuracy over folds of pairs, each at the best threshold of all other folds.

    Args:
        distances: (P,) distances.
        same: (P,) whether a pair is of one class.
        folds: (P,) the fold of each pair; LFW has ten.

    The best threshold has the highest accuracy, ties to the lowest. It is in the middle between the two distances
    around it. Source: View 2 of Huang et al. (2007), "Labeled Faces in the Wild", section 4.

    Raises:
        InputError: as `pair_curve`, for the pairs of all folds but one.
    """
    rates = []
    for fold in np.unique(folds):
        inside = folds == fold
        threshold = best_threshold(distances[~inside], same[~inside])
        rates.append(float(((distances[inside] <= threshold) == same[inside]).mean()))
    return float(np.mean(rates))


def best_threshold(distances: NDArray[np.floating[Any]], same: NDArray[np.bool_]) -> float:
    """The threshold of the highest accuracy, ties to the lowest."""
    curve, share = pair_curve(distances, same), float(same.mean())
    return float(curve.thresholds[int(np.argmax(_rounded(share * curve.tar + (1 - share) * (1 - curve.far))))])


def balanced_accuracy(curve: PairCurve) -> Floats:
    """(T,) the mean of the accuracy on same and on different pairs at every threshold."""
    return _rounded((curve.tar + 1 - curve.far) / 2)


def _rounded(rates: Floats) -> Floats:
    """Without the last digits, by which equal rates differ."""
    return np.round(rates, 12)


def equal_error_rate(curve: PairCurve) -> float:
    """The error rate at which as large a share of different pairs is accepted as of same ones is refused.

    Between two points of the curve it is interpolated.
    """
    gaps = curve.far - (1 - curve.tar)
    after = int(np.argmax(gaps >= 0))
    before = after - 1
    step = -gaps[before] / (gaps[after] - gaps[before])
    return float(curve.far[before] + step * (curve.far[after] - curve.far[before]))


def tar_at_far(curve: PairCurve, fars: Sequence[float]) -> list[float]:
    """The highest TAR of a threshold whose FAR is at most that asked for; nothing is interpolated."""
    places = [int(np.searchsorted(curve.far, far, side="right")) - 1 for far in fars]
    return [float(curve.tar[place]) for place in places]
