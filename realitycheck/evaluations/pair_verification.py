"""`verification:<pairs>-<seed>`: are two images of one class? Accuracy, TAR at FAR, EER and the ROC."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.evaluations.clean import Clean
from realitycheck.evaluations.menu import ACCURACY, EER, ROC, pairs_and_seed
from realitycheck.metrics.drawn_pairs import DrawnPairs, draw_pairs, pair_distances
from realitycheck.metrics.pair_thresholds import cross_validated_accuracy, equal_error_rate, pair_curve, tar_at_far
from realitycheck.plan.seeds import derive

FOLDS = 10
"""Of pairs, as LFW has."""


class PairVerification(Clean):
    """Pairs of test images, called same or different by one threshold on the distance of their clean embeddings.

    The options are the number of pairs of each kind, and the seed by which they are drawn. They are the same for every
    model: seed, labels and number decide them. Accuracy is that of `cross_validated_accuracy` over ten folds, as LFW
    defines it; pairs are dealt to folds in turn, so that each fold has as many of either kind. Classes may recur in
    several folds, as those of drawn pairs do.
    """

    def measured(self, embeddings: Tensor, labels: Tensor, *, distance: str) -> Mapping[str, float]:
        """Accuracy, equal error rate, and TAR at each FAR of the ROC."""
        number, seed = pairs_and_seed(self.options)
        pairs = draw_pairs(labels.cpu().numpy(), pairs=number, seed=derive(seed, "verification", "pairs"))
        return verified(embeddings, pairs, np.arange(len(pairs.same)) // 2 % FOLDS, distance=distance)


def verified(embeddings: Tensor, pairs: DrawnPairs, folds: NDArray[np.int64], *, distance: str) -> dict[str, float]:
    """Accuracy, equal error rate and TAR at each FAR of the ROC, by name.

    Args:
        embeddings: (N, D).
        pairs: P pairs of them.
        folds: (P,) the fold of each pair, for the accuracy.
        distance: `cosine` or `euclidean`.
    """
    distances = pair_distances(embeddings, pairs, distance=distance)
    curve = pair_curve(distances, pairs.same)
    rates = zip(ROC.values(), tar_at_far(curve, list(ROC)), strict=True)
    accuracy = cross_validated_accuracy(distances, pairs.same, folds)
    return {ACCURACY: accuracy, EER: equal_error_rate(curve), **dict(rates)}
