"""Input conventions of public networks: channel order, range, mean and standard deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from realitycheck.errors import InputError


@dataclass(frozen=True, slots=True)
class Convention:
    """The input convention of a set of weights.

    Args:
        side: image size in pixels at which the network was trained; not enforced.
        order: order of the channels.
        top: largest value of a pixel; `mean` and `std` are in the same unit.
        mean: mean of each channel, in that order.
        std: standard deviation of each channel, in that order.
    """

    side: int
    order: Literal["RGB", "BGR"]
    top: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


IMAGENET = Convention(side=224, order="RGB", top=1.0, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""Convention of torchvision's classifiers."""


class Normalise(nn.Module):
    """Normalise images in [0, 1] by a convention. A grey channel is repeated three times.

    Args:
        convention: convention of the network.
        in_channels: channels of an image, 1 (grey) or 3 (RGB).

    Raises:
        InputError: if `in_channels` is neither 1 nor 3.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, convention: Convention, *, in_channels: int) -> None:
        super().__init__()
        if in_channels not in (1, 3):
            says = f"{in_channels} is out of range: this trunk takes 1 (grey) or 3 (RGB) channels. Use another trunk."
            raise InputError.one("the trunk", "image-channels", says, where="in_channels")
        self.reverse = convention.order == "BGR"
        for name, values in (("mean", convention.mean), ("std", convention.std)):
            scaled = torch.tensor(values, dtype=torch.float64).div(convention.top).float().reshape(3, 1, 1)
            self.register_buffer(name, scaled, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 3, H, W) normalised images of (B, 1 or 3, H, W) images in [0, 1]."""
        colours = images.expand(-1, 3, -1, -1)
        ordered = colours.flip(1) if self.reverse else colours
        return (ordered - self.mean) / self.std
