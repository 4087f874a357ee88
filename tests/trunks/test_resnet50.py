"""ResNet-50 against torchvision's own."""

import pytest
import torch
from torchvision.models import resnet50
from torchvision.models._utils import IntermediateLayerGetter

from realitycheck.errors import InputError
from realitycheck.trunks.resnet50 import ResNet50


def test_equal_to_torchvision():
    torch.manual_seed(0)
    theirs = resnet50(weights=None).eval()
    ours = ResNet50(in_channels=3).eval()
    ours.load(theirs.state_dict())
    images = torch.rand(2, 3, 96, 64)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normal = (images - mean.reshape(3, 1, 1)) / std.reshape(3, 1, 1)
    with torch.no_grad():
        maps = ours(images)
        expected = IntermediateLayerGetter(theirs, {"layer4": "maps"})(normal)["maps"]
    assert maps.shape == (2, ours.output_dim, 3, 2)
    assert torch.allclose(maps, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def test_grey():
    trunk = ResNet50(in_channels=1).eval()
    with torch.no_grad():
        assert trunk(torch.rand(1, 1, 64, 64)).shape == (1, 2048, 2, 2)


def test_weights_of_another_network():
    with pytest.raises(InputError, match="the weights of ResNet50 has 2 problems"):
        ResNet50(in_channels=3).load({"features.0.weight": torch.ones(1)})
