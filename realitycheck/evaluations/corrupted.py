"""`corrupted:<kind>-<severity>`: the embedding of corrupted images."""

from __future__ import annotations

from realitycheck.errors import RunError
from realitycheck.evaluations.clean import Clean
from realitycheck.stores.base import Store
from realitycheck.stores.corruptions.corrupted_store import CorruptedStore
from realitycheck.stores.features import FeatureStore


class Corrupted(Clean):
    """The embedding of corrupted images; training images, which give the scale of a model, stay clean.

    The options are kind and severity. Behind a frozen trunk, the store at the place of the test half holds the features
    of the corrupted images.
    """

    def seen(self, test: Store) -> Store:
        """The test half with every image corrupted.

        Raises:
            RunError: the features are those of other images.
        """
        if not isinstance(test, FeatureStore):
            return CorruptedStore(test.facts, test, self.options)
        if test.corruption != self.options:
            held = test.corruption or "images as they are"
            raise RunError(f"the test half holds features of {held}, not of {self.options}; `run` the study again.")
        return test
