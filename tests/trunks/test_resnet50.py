"""ResNet-50 against torchvision's own, and on photographs where a file of weights is installed."""

from pathlib import Path

import pytest
import torch
from keras_resnet50 import keras_tensors, like_keras
from photos import ranked
from torchvision.models import resnet50
from torchvision.models._utils import IntermediateLayerGetter

from realitycheck.errors import InputError
from realitycheck.trunks.menu import MENU
from realitycheck.trunks.resnet50 import ResNet50
from realitycheck.trunks.weights import locate, read


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


PHOTOS = pytest.mark.parametrize(
    ("photo", "classes", "ranks"),
    [
        ("chelsea", {281, 282, 285}, 1),  # tabby, tiger cat, Egyptian cat
        ("coffee", {504, 967}, 1),  # coffee mug, espresso
        ("rocket", {540, 657}, 1),  # the drilling platform under it, missile
    ],
)


@PHOTOS
@pytest.mark.parametrize("version", ["imagenet1k_v1", "imagenet1k_v2"])
def test_photographs(version, photo, classes, ranks):
    """With the file where torchvision's own download leaves it."""
    known = MENU["resnet50"].weights[version]
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(known.source).name
    if not path.is_file():
        pytest.skip(f"{path.name} is not installed")
    weights = read(locate(path.name, sha256=known.sha256, folder=path.parent))
    trunk = ResNet50(in_channels=3)
    trunk.load(weights)
    assert classes & set(ranked(trunk, photo, weights["fc.weight"], weights["fc.bias"])[:ranks])


@PHOTOS
def test_photographs_by_weights_of_keras(photo, classes, ranks):
    """They belong to the network with the stride elsewhere: all but that, epsilon and convention is ours."""
    weights = keras_tensors()
    trunk = ResNet50(in_channels=3)
    trunk.load(weights)
    like_keras(trunk)
    assert classes & set(ranked(trunk, photo, weights["fc.weight"], weights["fc.bias"])[:ranks])
