"""The interface of a trunk."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from realitycheck.errors import InputError, Problem, first_few


class Trunk(nn.Module):
    """Base class of a network from images to feature maps. Pooling, LayerNorm and embedder belong to the recipe.

    The constructor takes the keyword argument `in_channels` and, if it declares them, `channels` (a width) and `model`
    (the name of an architecture). A trunk receives images in [0, 1] and normalises them itself.
    """

    output_dim: int
    """F, the channels of the feature map."""

    head: ClassVar[tuple[str, ...]] = ()
    """Prefixes of the classifier's keys in public weights; `load` ignores these keys."""

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Return (B, F, h, w) feature maps of (B, C, H, W) images in [0, 1]."""

    def renamed(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Rename the tensors of a public file, without the classifier, to the keys of this trunk's `state_dict`."""
        return dict(tensors)

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Load every weight and statistic; none keeps its initial value.

        Args:
            tensors: tensors with the names of the public file, or of this trunk's own `state_dict`. BatchNorm's
                `num_batches_tracked`, which is not used, can be absent, as in files older than torch 0.4.1.

        Raises:
            InputError: if tensors are missing, unknown or of another shape.
        """
        body = {key: tensor for key, tensor in tensors.items() if not key.startswith(self.head)}
        own = self.state_dict()
        loaded = dict(body) if body.keys() <= own.keys() else self.renamed(body)
        counts = {key: own[key] for key in own.keys() - loaded.keys() if key.endswith(".num_batches_tracked")}
        loaded = {**counts, **loaded}
        if problems := _differences(loaded, own):
            raise InputError(f"the weights of {type(self).__name__}", problems)
        self.load_state_dict(loaded, strict=True)


def _differences(loaded: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> list[Problem]:
    """Return one problem each for missing tensors, unknown tensors, and tensors of another shape."""
    shapes = [
        f"{key} {tuple(loaded[key].shape)} instead of {tuple(own[key].shape)}"
        for key in own
        if key in loaded and loaded[key].shape != own[key].shape
    ]
    differences = {
        ("tensor-missing", "missing tensors"): [key for key in own if key not in loaded],
        ("tensor-unknown", "unknown tensors"): [key for key in loaded if key not in own],
        ("tensor-shape", "tensors with another shape"): shapes,
    }
    fix = "Use a file that was saved from this architecture."
    return [
        Problem(0, "", f"{kind}: {first_few(names)}. {fix}", code)
        for (code, kind), names in differences.items()
        if names
    ]
