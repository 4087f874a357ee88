"""The key `foundations` of a study: frozen models whose features are rows of reference."""

from __future__ import annotations

from collections.abc import Mapping

from realitycheck.canonical import digest
from realitycheck.evaluations.menu import FOUNDATION
from realitycheck.protocol.base import FrozenSection, Name, Pixels
from realitycheck.protocol.recipe import Augment, Fit, Recipe, TrunkChoice


class FoundationTrunk(FrozenSection):
    """A trunk with public weights that never trains, and the images that it sees.

    `image_size` is the side of the square, and `fit` what becomes of an image that is no square, as in a recipe.
    """

    options = frozenset({"fit"})

    trunk: TrunkChoice
    image_size: Pixels
    fit: Fit = "crop"

    def named(self, label: str) -> str:
        """The evaluation of its features: label and a digest of everything that can change them, but for the source."""
        weights = self.trunk.weights.sha256 if self.trunk.weights else None
        body = self.model_dump(mode="json", exclude={"trunk": {"weights", "frozen"}})
        return f"{FOUNDATION}:{label}-{digest([body, weights])[:16]}"

    def recipe(self, recipe: Recipe) -> Recipe:
        """The study's recipe with this trunk: its features are averages over their maps, of images as they are."""
        trunk = self.trunk.model_copy(update={"frozen": True})
        augment = Augment(shift=0, flip=0.0)
        own = {"trunk": trunk, "image_size": self.image_size, "resize": None, "fit": self.fit}
        return recipe.model_copy(update={**own, "pooling": "avg", "batch_norm": "frozen", "augment": augment})


def foundation_evaluations(foundations: Mapping[Name, FoundationTrunk]) -> tuple[str, ...]:
    """The evaluations of the features of every foundation of a study, in its order."""
    return tuple(one.named(label) for label, one in foundations.items())
