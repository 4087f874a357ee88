"""What every trunk is."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn


class Trunk(nn.Module):
    """A network from images to feature maps. Pooling, LayerNorm and embedder belong to the recipe.

    A trunk is built with the keyword arguments `channels` (its width) and `in_channels` (of an image), and
    knows its own input convention: it receives numbers in [0, 1] and normalises them itself.
    """

    output_dim: int
    """F, the channels of the feature map."""

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """(B, F, h, w) feature maps of (B, C, H, W) images in [0, 1]."""
