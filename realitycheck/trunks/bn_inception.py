"""BN-Inception, the trunk of Musgrave, Belongie and Lim (ECCV 2020)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from realitycheck.errors import InputError
from realitycheck.trunks.base import Trunk
from realitycheck.trunks.convention import Convention, Normalise

CONVENTION = Convention(side=224, order="BGR", top=255.0, mean=(104.0, 117.0, 128.0), std=(1.0, 1.0, 1.0))
"""Convention of the public weights, which come from Caffe. Musgrave et al. train and test at 227 pixels."""

OUTPUT = 1024


class Widths(NamedTuple):
    """Output channels of the convolutions of one inception module; 0 if a convolution is absent."""

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
"""Widths of the public weights. A module without a 1x1 convolution has stride 2."""

PATHS = (
    ("1x1",),
    ("3x3_reduce", "3x3"),
    ("double_3x3_reduce", "double_3x3_1", "double_3x3_2"),
    ("pool", "pool_proj"),
)
"""The four branches of a module, in the order in which their outputs are concatenated."""


class Unit(nn.Module):
    """Convolution with bias, BatchNorm and ReLU."""

    def __init__(self, width: int, out: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, out, kernel, stride, kernel // 2)
        self.norm = nn.BatchNorm2d(out)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (B, out, ⌈h / stride⌉, ⌈w / stride⌉) of (B, width, h, w)."""
        normed: Tensor = self.norm(self.conv(maps))
        return normed.relu_()


class Inception(nn.ModuleDict):
    """Inception module with up to four branches. Its layers have the names of the public weights.

    Args:
        width: channels of the input.
        widths: output channels of its convolutions.
        max_pool: whether the fourth branch pools by maximum, as in modules of stride 2 and in the last one.
    """

    def __init__(self, width: int, widths: Widths, *, max_pool: bool) -> None:
        stride = 1 if widths.one else 2
        layers: dict[str, nn.Module] = {
            "3x3_reduce": Unit(width, widths.three_reduce, 1),
            "3x3": Unit(widths.three_reduce, widths.three, 3, stride=stride),
            "double_3x3_reduce": Unit(width, widths.double_reduce, 1),
            "double_3x3_1": Unit(widths.double_reduce, widths.double, 3),
            "double_3x3_2": Unit(widths.double, widths.double, 3, stride=stride),
            "pool": _max_pool(stride) if max_pool else nn.AvgPool2d(3, stride=1, padding=1, ceil_mode=True),
        }
        if widths.one:
            layers |= {"1x1": Unit(width, widths.one, 1), "pool_proj": Unit(width, widths.project, 1)}
        super().__init__(layers)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (B, sum of the branches' channels, h', w') of (B, width, h, w)."""
        return torch.cat([self._branch(path, maps) for path in PATHS if path[0] in self], dim=1)

    def _branch(self, path: tuple[str, ...], maps: Tensor) -> Tensor:
        for name in path:
            if name in self:
                maps = self[name](maps)
        return maps


class BNInception(Trunk):
    """BN-Inception without its classifier, for the public weights of Cadene's `pretrainedmodels`.

    Sources: Ioffe and Szegedy, Batch Normalization, 2015; github.com/Cadene/pretrained-models.pytorch for the
    names, widths and pools of the weights. Pools round up (`ceil_mode`), as in Caffe, and convolutions round down, so
    that only some image sizes fit. Grey images are repeated to three channels. The memory format is channels last,
    which is 1.9 times as fast on one core, measured at 128 and at 224 pixels.

    Args:
        in_channels: channels of an image, 1 or 3.

    Raises:
        InputError: if a side of the images is not within 32k - 1 to 32k + 6 pixels, such as 64, 128, 224 or 227.
    """

    head: ClassVar[tuple[str, ...]] = ("last_linear.",)

    def __init__(self, *, in_channels: int) -> None:
        super().__init__()
        self.output_dim = OUTPUT
        self.prepare = Normalise(CONVENTION, in_channels=in_channels)
        self.conv1_7x7_s2 = Unit(3, 64, 7, stride=2)
        self.conv2_3x3_reduce = Unit(64, 64, 1)
        self.conv2_3x3 = Unit(64, 192, 3)
        self.pool = _max_pool(2)
        self.inception = nn.Sequential(OrderedDict(_modules(192)))
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 1024, h, w) maps of (B, C, H, W) images in [0, 1]; h is the integer nearest to H / 32."""
        pixels = self.prepare(images).contiguous(memory_format=torch.channels_last)
        early = self.pool(self.conv1_7x7_s2(pixels))
        early = self.pool(self.conv2_3x3(self.conv2_3x3_reduce(early)))
        if early.shape[2] % 4 or early.shape[3] % 4:
            raise _wrong_size(images)
        maps: Tensor = self.inception(early)
        return maps

    def renamed(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `Trunk.renamed`. The oldest file has BatchNorm tensors of shape (1, C), which become (C,)."""
        return {_name(key): _flat(tensor) for key, tensor in tensors.items()}


def _wrong_size(images: Tensor) -> InputError:
    size = f"{images.shape[2]} × {images.shape[3]}"
    says = f"{size} is out of range: each side must be from 32k - 1 to 32k + 6 pixels, k integer. Use 128, 224 or 227."
    return InputError.one("trunk bn_inception", "image-size", says, where="images")


def _modules(width: int) -> dict[str, nn.Module]:
    modules: dict[str, nn.Module] = {}
    for name, widths in MODULES.items():
        modules[name] = Inception(width, widths, max_pool=name in ("3c", "4e", "5b"))
        convolved = widths.one + widths.three + widths.double
        width = convolved + (widths.project if widths.one else width)
    return modules


def _max_pool(stride: int) -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=stride, padding=1 if stride == 1 else 0, ceil_mode=True)


def _name(key: str) -> str:
    """Rename `inception_3a_3x3_bn.weight` to `inception.3a.3x3.norm.weight`; keys without `_bn` are convolutions."""
    layer, _, kind = key.rpartition(".")
    part = "norm" if layer.endswith("_bn") else "conv"
    layer = layer.removesuffix("_bn")
    if layer.startswith("inception_"):
        layer = layer.replace("_", ".", 2)
    return f"{layer}.{part}.{kind}"


def _flat(tensor: Tensor) -> Tensor:
    return tensor.flatten() if tensor.ndim == 2 and tensor.shape[0] == 1 else tensor
