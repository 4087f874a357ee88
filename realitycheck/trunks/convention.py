"""How a public network wants its images: channel order, range, mean and standard deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from realitycheck.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class Convention:
    """The input convention that belongs to a set of weights.

    Args:
        side: pixels of a side at which the network was trained; a hint, not a demand.
        order: of the three channels.
        top: the largest value of a pixel, in whose units mean and std are.
        mean: of the three channels, in that order.
        std: of the three channels, in that order.
    """

    side: int
    order: Literal["RGB", "BGR"]
    top: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


IMAGENET = Convention(side=224, order="RGB", top=1.0, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""Of torchvision's classifiers."""


class Normalise(nn.Module):
    """Images in [0, 1] become what the network was trained on. A grey channel is repeated three times.

    Args:
        convention: of the network.
        in_channels: of an image, 1 (grey) or 3 (RGB).

    Raises:
        InputError: images have another number of channels.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, convention: Convention, *, in_channels: int) -> None:
        super().__init__()
        if in_channels not in (1, 3):
            says = f"must be 1 (grey) or 3 (RGB) for a public trunk; got {in_channels}. Take another trunk."
            raise InputError("the trunk", [Problem(0, "in_channels", says)])
        self.reverse = convention.order == "BGR"
        for name, values in (("mean", convention.mean), ("std", convention.std)):
            scaled = torch.tensor(values, dtype=torch.float64).div(convention.top).float().reshape(3, 1, 1)
            self.register_buffer(name, scaled, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W), normalised, of (B, 1 or 3, H, W) images in [0, 1]."""
        colours = images.expand(-1, 3, -1, -1)
        ordered = colours.flip(1) if self.reverse else colours
        return (ordered - self.mean) / self.std
