"""`listed_pairs:<list>-<digest>`: the pairs of a published list, such as that of LFW, called same or different."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from realitycheck.errors import RunError
from realitycheck.evaluations.clean import Clean
from realitycheck.evaluations.pair_verification import FOLDS, verified
from realitycheck.metrics.drawn_pairs import DrawnPairs
from realitycheck.stores.base import Store


class ListedPairVerification(Clean):
    """Pairs of images of another place, called same or different by one threshold on the distance of embeddings.

    The store at the place of the test half holds the images of the list, two for each pair. Accuracy is that of
    `cross_validated_accuracy` over ten folds of consecutive pairs, which are the ten sets of LFW. The images are
    embedded once, without their mirror images. Retrieval scores of the record find the other image of a pair; they
    are in no table.
    """

    by_class = False

    def require(self, store: Store, *, test: str) -> None:
        """Check that a store holds the images of this very list.

        Raises:
            RunError: it holds other images.
        """
        if store.facts.pairs != self.options:
            held = store.facts.pairs or "no list of pairs"
            raise RunError(f"the store holds {held}, not the pairs of {self.options}; `run` the study again.")

    def measured(self, embeddings: Tensor, labels: Tensor, *, distance: str) -> Mapping[str, float]:
        """Accuracy, equal error rate, and TAR at each FAR of the ROC."""
        known = labels.cpu().numpy()
        first = np.arange(0, len(known), 2)
        pairs = DrawnPairs(first, first + 1, known[first] == known[first + 1])
        return verified(embeddings, pairs, np.arange(len(first)) * FOLDS // len(first), distance=distance)
