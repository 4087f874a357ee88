"""EfficientNet-Lite0: inverted residuals without squeeze-and-excitation, fast enough for a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from realitycheck.trunks.base import Trunk
from realitycheck.trunks.convention import Convention, Normalise

CONVENTION = Convention(side=224, order="RGB", top=255.0, mean=(127.0,) * 3, std=(128.0,) * 3)
"""`mean_rgb` and `stddev_rgb` of the Lite models in the source below."""

STAGES = (
    # expansion, width, depth, kernel, stride of the first block
    (1, 16, 1, 3, 1),
    (6, 24, 2, 3, 2),
    (6, 40, 2, 5, 2),
    (6, 80, 3, 3, 2),
    (6, 112, 3, 5, 1),
    (6, 192, 4, 5, 2),
    (6, 320, 1, 3, 1),
)
STEM, LAST = 32, 1280

NAMES = {
    "_conv_stem": "stem.conv",
    "_bn0": "stem.norm",
    "_conv_head": "last.conv",
    "_bn1": "last.norm",
}
BLOCK_NAMES = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}
"""Names in the public PyTorch file → names here; its blocks are `_blocks.<number>.<name>`."""


class ConvNorm(nn.Module):
    """Convolution, BatchNorm and, optionally, ReLU6, with TensorFlow's padding "same".

    The output has ceil(side / stride) pixels; an odd pixel of padding is added at the right and the bottom.
    BatchNorm's eps is 1e-3 and its momentum 0.99 in TensorFlow's definition, as in the source.
    """

    def __init__(self, *, width: int, out: int, kernel: int, stride: int, groups: int, relu: bool) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(width, out, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out, eps=1e-3, momentum=0.01)
        self.act: nn.Module = nn.ReLU6(inplace=True) if relu else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """Return (B, out, ceil(h / stride), ceil(w / stride)) of (B, width, h, w)."""
        if self.stride > 1:
            maps = nn.functional.pad(maps, [*self._margins(maps.shape[3]), *self._margins(maps.shape[2])])
        normed: Tensor = self.act(self.norm(self.conv(maps)))
        return normed

    def _margins(self, side: int) -> tuple[int, int]:
        """Return the padding before and after a side."""
        total = max((-(-side // self.stride) - 1) * self.stride + self.kernel - side, 0)
        return total // 2, total - total // 2


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution and projection, with a residual connection if the shape is unchanged."""

    def __init__(self, *, width: int, out: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        inner = width * expansion
        self.residual = stride == 1 and width == out
        self.expand: nn.Module = nn.Identity()
        if expansion > 1:
            self.expand = ConvNorm(width=width, out=inner, kernel=1, stride=1, groups=1, relu=True)
        self.depthwise = ConvNorm(width=inner, out=inner, kernel=kernel, stride=stride, groups=inner, relu=True)
        self.project = ConvNorm(width=inner, out=out, kernel=1, stride=1, groups=1, relu=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (B, out, ceil(h / stride), ceil(w / stride)) of (B, width, h, w)."""
        projected: Tensor = self.project(self.depthwise(self.expand(maps)))
        return maps + projected if self.residual else projected


class EfficientNetLite0(Trunk):
    """EfficientNet-Lite0 without its classifier (Tan and Le, 2019; the Lite models were released in 2020).

    Source: github.com/tensorflow/tpu, models/official/efficientnet/lite, here without stochastic depth.
    Grey images are repeated to three channels. The memory format is channels last, 1.6 times as fast on one core,
    measured at 128 pixels with a batch of 32.

    Args:
        in_channels: channels of an image, 1 or 3.
    """

    head: ClassVar[tuple[str, ...]] = ("_fc.",)

    def __init__(self, *, in_channels: int) -> None:
        super().__init__()
        self.output_dim = LAST
        self.prepare = Normalise(CONVENTION, in_channels=in_channels)
        self.stem = ConvNorm(width=3, out=STEM, kernel=3, stride=2, groups=1, relu=True)
        self.blocks = nn.Sequential(*_blocks())
        self.last = ConvNorm(width=STAGES[-1][1], out=LAST, kernel=1, stride=1, groups=1, relu=True)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 1280, ⌈H/32⌉, ⌈W/32⌉) maps of (B, C, H, W) images in [0, 1]."""
        pixels = self.prepare(images).contiguous(memory_format=torch.channels_last)
        maps: Tensor = self.last(self.blocks(self.stem(pixels)))
        return maps

    def renamed(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `Trunk.renamed`."""
        return {_name(key): tensor for key, tensor in tensors.items()}


def _blocks() -> list[InvertedResidual]:
    blocks, width = [], STEM
    for expansion, out, depth, kernel, first_stride in STAGES:
        for index in range(depth):
            stride = first_stride if index == 0 else 1
            blocks.append(InvertedResidual(width=width, out=out, expansion=expansion, kernel=kernel, stride=stride))
            width = out
    return blocks


def _name(key: str) -> str:
    parts = key.split(".")
    if parts[0] == "_blocks" and len(parts) > 3:
        return ".".join(["blocks", parts[1], BLOCK_NAMES.get(parts[2], parts[2]), *parts[3:]])
    return ".".join([NAMES.get(parts[0], parts[0]), *parts[1:]])
