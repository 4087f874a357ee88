"""What every trunk is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from realitycheck.errors import InputError, Problem

SHOWN = 3
"""Keys that an error names; it counts the others."""


class Trunk(nn.Module):
    """A network from images to feature maps. Pooling, LayerNorm and embedder belong to the recipe.

    A trunk is built with the keyword argument `in_channels` (of an image), and with `channels` (its width) and
    `model` (the name of an architecture) where it asks for them. It knows its own input convention: it receives
    numbers in [0, 1] and normalises them itself.
    """

    output_dim: int
    """F, the channels of the feature map."""

    head: ClassVar[tuple[str, ...]] = ()
    """How the keys of the classifier begin in public weights; `load` drops them."""

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """(B, F, h, w) feature maps of (B, C, H, W) images in [0, 1]."""

    def renamed(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors of a public file, without the head, under the names that this trunk gives them."""
        return dict(tensors)

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take every weight and statistic from the tensors of a file; none keeps its initial value.

        The names are those of the public file, or of this trunk's own `state_dict`.
        BatchNorm's count of batches may be absent, as in files older than torch 0.4.1: nothing here reads it.

        Raises:
            InputError: keys are missing, unknown or of another shape.
        """
        body = {key: tensor for key, tensor in tensors.items() if not key.startswith(self.head)}
        own = self.state_dict()
        given = dict(body) if body.keys() <= own.keys() else self.renamed(body)
        counts = {key: own[key] for key in own.keys() - given.keys() if key.endswith(".num_batches_tracked")}
        given = {**counts, **given}
        if problems := _differences(given, own):
            raise InputError(f"the weights of {type(self).__name__}", problems)
        self.load_state_dict(given, strict=True)


def _differences(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> list[Problem]:
    """One problem each for what is missing, what is unknown, and what has another shape."""
    shapes = [
        f"{key} {tuple(given[key].shape)} in place of {tuple(own[key].shape)}"
        for key in own
        if key in given and given[key].shape != own[key].shape
    ]
    found = {
        "must hold every tensor of the trunk; got none for": [key for key in own if key not in given],
        "must hold nothing else; got": [key for key in given if key not in own],
        "must have the trunk's shapes; got": shapes,
    }
    return [Problem(0, "", _sentence(says, names)) for says, names in found.items() if names]


def _sentence(says: str, names: list[str]) -> str:
    rest = len(names) - SHOWN
    more = f" and {rest} more" if rest > 0 else ""
    return f"{says} {', '.join(names[:SHOWN])}{more}. Give a file that was saved from this architecture."
