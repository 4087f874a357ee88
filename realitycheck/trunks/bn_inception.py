"""BN-Inception, the trunk of Musgrave, Belongie and Lim (ECCV 2020)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from realitycheck.errors import InputError, Problem
from realitycheck.trunks.base import Trunk
from realitycheck.trunks.convention import Convention, Normalise

CONVENTION = Convention(side=224, order="BGR", top=255.0, mean=(104.0, 117.0, 128.0), std=(1.0, 1.0, 1.0))
"""Of the public weights, which come from Caffe. The original trains and scores at 227 pixels."""

OUTPUT = 1024


class Widths(NamedTuple):
    """Output channels of one inception module; 0 where it has no such convolution."""

    one: int
    three_reduce: int
    three: int
    double_reduce: int
    double: int
    project: int


MODULES = {
    "3a": Widths(64, 64, 64, 64, 96, 32),
    "3b": Widths(64, 64, 96, 64, 96, 64),
    "3c": Widths(0, 128, 160, 64, 96, 0),
    "4a": Widths(224, 64, 96, 96, 128, 128),
    "4b": Widths(192, 96, 128, 96, 128, 128),
    "4c": Widths(160, 128, 160, 128, 160, 128),
    "4d": Widths(96, 128, 192, 160, 192, 128),
    "4e": Widths(0, 128, 192, 192, 256, 0),
    "5a": Widths(352, 192, 320, 160, 224, 128),
    "5b": Widths(352, 192, 320, 192, 224, 128),
}
"""As the public weights have them. A module without a 1x1 convolution halves the side."""

PATHS = (
    ("1x1",),
    ("3x3_reduce", "3x3"),
    ("double_3x3_reduce", "double_3x3_1", "double_3x3_2"),
    ("pool", "pool_proj"),
)
"""The four ways through a module, in the order in which their outputs are stacked."""


class Unit(nn.Module):
    """Convolution with a bias, BatchNorm, ReLU."""

    def __init__(self, width: int, out: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, out, kernel, stride, kernel // 2)
        self.norm = nn.BatchNorm2d(out)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, out, ⌈h / stride⌉, ⌈w / stride⌉) of (B, width, h, w)."""
        normed: Tensor = self.norm(self.conv(maps))
        return normed.relu_()


class Inception(nn.ModuleDict):
    """Up to four ways through, stacked. Its layers have the names of the public weights.

    Args:
        width: channels of the input.
        widths: of its convolutions.
        largest: whether the fourth way pools by maximum, as it does where the side is halved and at the end.
    """

    def __init__(self, width: int, widths: Widths, *, largest: bool) -> None:
        stride = 1 if widths.one else 2
        layers: dict[str, nn.Module] = {
            "3x3_reduce": Unit(width, widths.three_reduce, 1),
            "3x3": Unit(widths.three_reduce, widths.three, 3, stride=stride),
            "double_3x3_reduce": Unit(width, widths.double_reduce, 1),
            "double_3x3_1": Unit(widths.double_reduce, widths.double, 3),
            "double_3x3_2": Unit(widths.double, widths.double, 3, stride=stride),
            "pool": _largest(stride) if largest else nn.AvgPool2d(3, stride=1, padding=1, ceil_mode=True),
        }
        if widths.one:
            layers |= {"1x1": Unit(width, widths.one, 1), "pool_proj": Unit(width, widths.project, 1)}
        super().__init__(layers)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, sum of the ways' channels, h', w') of (B, width, h, w)."""
        return torch.cat([self._through(path, maps) for path in PATHS if path[0] in self], dim=1)

    def _through(self, path: tuple[str, ...], maps: Tensor) -> Tensor:
        for name in path:
            if name in self:
                maps = self[name](maps)
        return maps


class BNInception(Trunk):
    """BN-Inception without its classifier, for the public weights of Cadene's `pretrainedmodels`.

    Sources: Ioffe and Szegedy, Batch Normalization, 2015; github.com/Cadene/pretrained-models.pytorch for the
    names, widths and pools that the weights need. Pools round up (ceil_mode), as Caffe's do, and convolutions
    down, so that only some sides fit. Grey images are repeated to three channels. Channels lie last in memory:
    1.9 times as fast on one core, measured at 128 and at 224 pixels.

    Args:
        in_channels: of an image, 1 or 3.

    Raises:
        InputError: a side of the images is not within 32k - 1 to 32k + 6 pixels, such as 64, 128, 224 or 227.
    """

    head: ClassVar[tuple[str, ...]] = ("last_linear.",)

    def __init__(self, *, in_channels: int) -> None:
        super().__init__()
        self.output_dim = OUTPUT
        self.prepare = Normalise(CONVENTION, in_channels=in_channels)
        self.conv1_7x7_s2 = Unit(3, 64, 7, stride=2)
        self.conv2_3x3_reduce = Unit(64, 64, 1)
        self.conv2_3x3 = Unit(64, 192, 3)
        self.pool = _largest(2)
        self.inception = nn.Sequential(OrderedDict(_modules(192)))
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 1024, h, w) of (B, C, H, W) images in [0, 1]; h is the whole number nearest to H / 32."""
        pixels = self.prepare(images).contiguous(memory_format=torch.channels_last)
        early = self.pool(self.conv1_7x7_s2(pixels))
        early = self.pool(self.conv2_3x3(self.conv2_3x3_reduce(early)))
        if early.shape[2] % 4 or early.shape[3] % 4:
            raise _unfit(images)
        maps: Tensor = self.inception(early)
        return maps

    def renamed(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Under our names. The oldest file has BatchNorm tensors of shape (1, C); here they are (C,)."""
        return {_name(key): _flat(tensor) for key, tensor in tensors.items()}


def _unfit(images: Tensor) -> InputError:
    sides = f"{images.shape[2]} x {images.shape[3]}"
    says = f"must have sides of 32k - 1 to 32k + 6 pixels; got {sides}. Take for example 128, 224 or 227."
    return InputError("trunk bn_inception", [Problem(0, "images", says)])


def _modules(width: int) -> dict[str, nn.Module]:
    modules: dict[str, nn.Module] = {}
    for name, widths in MODULES.items():
        modules[name] = Inception(width, widths, largest=name in ("3c", "4e", "5b"))
        ways = widths.one + widths.three + widths.double
        width = ways + (widths.project if widths.one else width)
    return modules


def _largest(stride: int) -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=stride, padding=1 if stride == 1 else 0, ceil_mode=True)


def _name(key: str) -> str:
    """`inception_3a_3x3_bn.weight` → `inception.3a.3x3.norm.weight`; without `_bn` it is of the convolution."""
    layer, _, kind = key.rpartition(".")
    part = "norm" if layer.endswith("_bn") else "conv"
    layer = layer.removesuffix("_bn")
    if layer.startswith("inception_"):
        layer = layer.replace("_", ".", 2)
    return f"{layer}.{part}.{kind}"


def _flat(tensor: Tensor) -> Tensor:
    return tensor.flatten() if tensor.ndim == 2 and tensor.shape[0] == 1 else tensor
