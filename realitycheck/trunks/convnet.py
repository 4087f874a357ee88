"""A small convolutional network for small drawings, trainable on one core."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from realitycheck.trunks.base import Trunk

MEAN, STD = 0.15, 0.36
"""Share of ink in the embedded sketches, and the standard deviation that follows from it."""


class ConvNet(Trunk):
    """Three convolutions with kernels of 5, 3 and 5 pixels; the last layer covers almost the whole drawing.

    The pool by 4 precedes BatchNorm and ReLU, which saves 15/16 of their work. The memory format is channels last,
    about 1.5 times as fast on one core, measured with 16 channels and a batch of 32.

    Args:
        channels: channels of the first layer; the feature map has eight times as many.
        in_channels: channels of an image.
    """

    def __init__(self, *, channels: int, in_channels: int) -> None:
        super().__init__()
        self.output_dim = 8 * channels
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, channels, 5, padding=2, bias=False),
            nn.MaxPool2d(4),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(2 * channels, self.output_dim, 5, bias=False),
            nn.BatchNorm2d(self.output_dim),
            nn.ReLU(inplace=True),
        ).to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 8·channels, h, w) maps of (B, C, H, W) images in [0, 1] with sides of at least 20 pixels."""
        normalised = (images - MEAN) / STD
        maps: Tensor = self.layers(normalised.contiguous(memory_format=torch.channels_last))
        return maps
