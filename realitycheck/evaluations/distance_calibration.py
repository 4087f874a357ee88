"""`calibration:<pairs>-<seed>`: how far one threshold on distances serves all classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from realitycheck.evaluations.clean import Clean
from realitycheck.evaluations.menu import COMMON, OWN, PLACES, SPREAD, pairs_and_seed
from realitycheck.metrics.class_thresholds import ClassPairs, class_thresholds
from realitycheck.metrics.drawn_pairs import class_pairs, compared, distances_of
from realitycheck.plan.seeds import derive


class DistanceCalibration(Clean):
    """The best threshold of every test class with a query, beside that of all classes together.

    The options are the number of pairs of each kind that a class has at most, and the seed by which they are drawn: two
    images of the class, or one of them and an image of another class. `metrics.class_thresholds` has the definitions.
    """

    def measured(self, embeddings: Tensor, labels: Tensor, *, distance: str) -> Mapping[str, float]:
        """The spread of the places, the mean accuracies at own and common thresholds, and quantiles of the places."""
        number, seed = pairs_and_seed(self.options)
        kinds, draws, classes = labels.cpu().numpy(), derive(seed, "calibration", "pairs"), []
        # Once, since each class would convert all: 70 ms for 60,502 points of 128 dims, and SOP has 11,316 classes.
        points = compared(embeddings, distance=distance)
        for label in np.flatnonzero(np.bincount(kinds) > 1).tolist():
            pairs = class_pairs(kinds, label=label, pairs=number, seed=draws)
            classes.append(ClassPairs(distances_of(points, pairs, distance=distance), pairs.same))
        best = class_thresholds(classes)
        places = np.quantile(best.places, list(PLACES))
        return {
            SPREAD: best.spread,
            OWN: float(best.own.mean()),
            COMMON: best.common,
            **dict(zip(PLACES.values(), places.tolist(), strict=True)),
        }
