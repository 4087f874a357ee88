"""BN-Inception against hand, and against the implementation that its public weights were made for."""

import warnings

import pytest
import torch

from realitycheck.errors import InputError
from realitycheck.trunks.bn_inception import BNInception

STEM = ["conv1_7x7_s2", "conv2_3x3_reduce", "conv2_3x3"]
UNITS = ["1x1", "3x3_reduce", "3x3", "double_3x3_reduce", "double_3x3_1", "double_3x3_2", "pool_proj"]
HALVING = ("3c", "4e")


def public_layers():
    """Names of the 69 convolutions in the public file."""
    named = list(STEM)
    for module in ("3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
        units = [unit for unit in UNITS if module not in HALVING or unit not in ("1x1", "pool_proj")]
        named += [f"inception_{module}_{unit}" for unit in units]
    return named


def public_keys():
    norms = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    for layer in public_layers():
        yield from (f"{layer}.weight", f"{layer}.bias")
        yield from (f"{layer}_bn.{kind}" for kind in norms)


def test_size():
    """11,295,240 parameters are published with a classifier of 1024 * 1000 + 1000."""
    trunk = BNInception(in_channels=3)
    assert sum(weight.numel() for weight in trunk.parameters()) == 11_295_240 - 1_025_000


def test_names_of_the_public_file():
    trunk = BNInception(in_channels=3)
    assert len(public_layers()) == 69
    assert set(trunk.renamed(dict.fromkeys(public_keys(), torch.ones(())))) == set(trunk.state_dict())


@pytest.mark.parametrize(("in_channels", "side", "maps"), [(3, 227, 7), (1, 224, 7), (3, 128, 4), (3, 64, 2)])
def test_shape(in_channels, side, maps):
    """227 pixels: 114 after the first convolution, 57 and 28 after the pools, 14 after 3c, 7 after 4e."""
    trunk = BNInception(in_channels=in_channels).eval()
    with torch.no_grad():
        assert trunk(torch.rand(1, in_channels, side, side)).shape == (1, trunk.output_dim, maps, maps)


@pytest.mark.parametrize("sides", [(220, 227), (227, 231), (30, 64)])
def test_sides_at_which_the_branches_disagree(sides):
    with pytest.raises(InputError, match=rf"{sides[0]} × {sides[1]} .*\[image-size\]"):
        BNInception(in_channels=3)(torch.rand(1, 3, *sides))


def test_tensors_of_the_oldest_file():
    """BatchNorm's tensors had the shape (1, C), and there was no count of batches."""
    first, second = BNInception(in_channels=3), BNInception(in_channels=3)
    own = first.state_dict()
    names = dict(zip(first.renamed(dict.fromkeys(public_keys(), torch.ones(()))), public_keys(), strict=True))
    old = {names[key]: own[key][None] if ".norm." in key else own[key] for key in own if "num_batches" not in key}
    second.load({**old, "last_linear.weight": torch.ones(1000, 1024), "last_linear.bias": torch.ones(1000)})
    assert all(torch.equal(tensor, own[key]) for key, tensor in second.state_dict().items())


def original():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package is of 2018
        module = pytest.importorskip("pretrainedmodels.models.bninception")
    return module.BNInception()


@pytest.mark.parametrize("sides", [(227, 227), (224, 256), (64, 128)])
def test_equal_to_the_original(sides):
    torch.manual_seed(0)
    theirs = original().eval()
    for layer in theirs.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
            for tensor in (layer.bias.data, layer.running_mean):
                tensor.normal_()
            layer.running_var.uniform_(0.5, 2)
    ours = BNInception(in_channels=3).eval()
    ours.load(theirs.state_dict())
    images = torch.rand(2, 3, *sides)
    caffe = images.flip(1) * 255 - torch.tensor([104.0, 117.0, 128.0]).reshape(3, 1, 1)
    with torch.no_grad():
        assert torch.allclose(ours(images), theirs.features(caffe), rtol=1e-5, atol=1e-5)
