"""Models of timm: maps, grids of tokens, pooled outputs, and strict loading."""

import sys

import pytest
import torch

from realitycheck.errors import InputError
from realitycheck.trunks.timm_model import TimmModel


@pytest.fixture
def timm():
    return pytest.importorskip("timm")


@pytest.mark.parametrize(
    ("model", "side", "shape"),
    [
        ("resnet18", 64, (512, 2, 2)),
        ("vit_tiny_patch16_224", 224, (192, 14, 14)),
        ("deit_tiny_distilled_patch16_224", 224, (192, 14, 14)),
        ("swin_tiny_patch4_window7_224", 224, (768, 7, 7)),
        ("eva02_tiny_patch14_224", 224, (192, 1, 1)),  # it normalises behind its pooling
    ],
)
@pytest.mark.parametrize("in_channels", [1, 3])
def test_shape(timm, model, side, shape, in_channels):
    trunk = TimmModel(model=model, in_channels=in_channels).eval()
    with torch.no_grad():
        assert trunk(torch.rand(1, in_channels, side, side)).shape == (1, *shape)
    assert trunk.output_dim == shape[0]


def test_maps_are_those_of_timm(timm):
    theirs = timm.create_model("resnet18", pretrained=False).eval()
    ours = TimmModel(model="resnet18", in_channels=3).eval()
    ours.load(theirs.state_dict())
    images = torch.rand(2, 3, 64, 64)
    normal = (images - ours.prepare.mean) / ours.prepare.std
    with torch.no_grad():
        assert torch.allclose(ours(images), theirs.forward_features(normal), atol=1e-6)


def test_the_grid_is_in_the_order_of_the_image(timm):
    """The average of the grid is the average of the patch tokens; row 0 holds the first of them."""
    trunk = TimmModel(model="vit_tiny_patch16_224", in_channels=3).eval()
    images = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        tokens = trunk.net.forward_features(trunk.prepare(images))
        maps = trunk(images)
    assert torch.equal(maps[0, :, 0, 5], tokens[0, 1 + 5])
    assert torch.equal(maps[0, :, 3, 0], tokens[0, 1 + 3 * 14])


def test_a_fixed_size(timm):
    with pytest.raises(InputError, match=r"128 × 128 .*224 × 224.*\[image-size\]"):
        TimmModel(model="vit_tiny_patch16_224", in_channels=3)(torch.rand(1, 3, 128, 128))


@pytest.mark.parametrize("model", ["resnet19", "hf-hub:timm/resnet18.a1_in1k", "resnet18.no_such_weights"])
def test_unknown_models(timm, model):
    with pytest.raises(InputError) as caught:
        TimmModel(model=model, in_channels=3)
    code = "model-unbuildable" if "." in model and ":" not in model else "model-unknown"
    assert [problem.code for problem in caught.value.problems] == [code]


def test_without_timm(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(InputError, match=r"pip install timm \[timm-missing\]"):
        TimmModel(model="resnet18", in_channels=3)
