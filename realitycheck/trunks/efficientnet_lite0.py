"""EfficientNet-Lite0: inverted bottlenecks without squeeze-and-excitation, cheap enough for a CPU."""

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
"""Names of the public PyTorch file → ours; its blocks are `_blocks.<number>.<name>`."""


class ConvNorm(nn.Module):
    """Convolution, BatchNorm, and ReLU6 where it is wanted, with the padding "same" of TensorFlow.

    Padding leaves ceil(side / stride) pixels, and gives the odd pixel to the right and the bottom.
    BatchNorm's eps and momentum are the source's: 1e-3, and 0.99 in TensorFlow's sense.
    """

    def __init__(self, *, width: int, out: int, kernel: int, stride: int, groups: int, relu: bool) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv2d(width, out, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(out, eps=1e-3, momentum=0.01)
        self.act: nn.Module = nn.ReLU6(inplace=True) if relu else nn.Identity()

    def forward(self, maps: Tensor) -> Tensor:
        """(B, out, ceil(h / stride), ceil(w / stride)) of (B, width, h, w)."""
        if self.stride > 1:
            maps = nn.functional.pad(maps, [*self._margins(maps.shape[3]), *self._margins(maps.shape[2])])
        normed: Tensor = self.act(self.norm(self.conv(maps)))
        return normed

    def _margins(self, side: int) -> tuple[int, int]:
        """Zeros before and after a side."""
        total = max((-(-side // self.stride) - 1) * self.stride + self.kernel - side, 0)
        return total // 2, total - total // 2


class Block(nn.Module):
    """Widen, filter each channel alone, narrow again; around it a bypass where the shape stays the same."""

    def __init__(self, *, width: int, out: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        inner = width * expansion
        self.bypass = stride == 1 and width == out
        self.expand: nn.Module = nn.Identity()
        if expansion > 1:
            self.expand = ConvNorm(width=width, out=inner, kernel=1, stride=1, groups=1, relu=True)
        self.depthwise = ConvNorm(width=inner, out=inner, kernel=kernel, stride=stride, groups=inner, relu=True)
        self.project = ConvNorm(width=inner, out=out, kernel=1, stride=1, groups=1, relu=False)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, out, ceil(h / stride), ceil(w / stride)) of (B, width, h, w)."""
        filtered: Tensor = self.project(self.depthwise(self.expand(maps)))
        return maps + filtered if self.bypass else filtered


class EfficientNetLite0(Trunk):
    """EfficientNet-Lite0 without its classifier (Tan and Le 2019; the Lite models are a release of 2020).

    Source: github.com/tensorflow/tpu, models/official/efficientnet/lite. It has no stochastic depth here.
    Grey images are repeated to three channels. Channels lie last in memory: 1.6 times as fast on one core,
    measured at 128 pixels with a batch of 32.

    Args:
        in_channels: of an image, 1 or 3.
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
        """(B, 1280, ⌈H/32⌉, ⌈W/32⌉) of (B, C, H, W) images in [0, 1]."""
        pixels = self.prepare(images).contiguous(memory_format=torch.channels_last)
        maps: Tensor = self.last(self.blocks(self.stem(pixels)))
        return maps

    def renamed(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Under our names."""
        return {_name(key): tensor for key, tensor in tensors.items()}


def _blocks() -> list[Block]:
    blocks, width = [], STEM
    for expansion, out, depth, kernel, first in STAGES:
        for place in range(depth):
            stride = first if place == 0 else 1
            blocks.append(Block(width=width, out=out, expansion=expansion, kernel=kernel, stride=stride))
            width = out
    return blocks


def _name(key: str) -> str:
    parts = key.split(".")
    if parts[0] == "_blocks" and len(parts) > 3:
        return ".".join(["blocks", parts[1], BLOCK_NAMES.get(parts[2], parts[2]), *parts[3:]])
    return ".".join([NAMES.get(parts[0], parts[0]), *parts[1:]])
