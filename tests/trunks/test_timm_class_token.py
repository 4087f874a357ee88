"""Class tokens of timm's vision transformers: their values, image sizes, and the models that have none."""

import pytest
import torch

from realitycheck.errors import InputError
from realitycheck.trunks.timm_class_token import TimmClassToken


@pytest.fixture(scope="module")
def timm():
    return pytest.importorskip("timm")


def test_the_feature_is_the_pooled_output_of_timms_own_model(timm):
    """`test_vit` pools to its class token; its head is left out by `pre_logits`."""
    theirs = timm.create_model("test_vit", pretrained=False).eval()
    ours = TimmClassToken(model="test_vit", in_channels=3).eval()
    ours.load(theirs.state_dict())
    images = torch.rand(2, 3, 160, 160)
    normal = (images - ours.prepare.mean) / ours.prepare.std
    with torch.no_grad():
        wanted = theirs.forward_head(theirs.forward_features(normal), pre_logits=True)
        features = ours(images)
    assert features.shape == (2, ours.output_dim, 1, 1) == (2, 64, 1, 1)
    assert torch.allclose(features[:, :, 0, 0], wanted, atol=1e-6)
    tokens = theirs.forward_features(normal)
    assert not torch.allclose(features[:, :, 0, 0], tokens[:, 1:].mean(1), atol=1e-3)


@pytest.mark.parametrize("in_channels", [1, 3])
def test_other_sides_are_multiples_of_the_patch(timm, in_channels):
    trunk = TimmClassToken(model="test_vit", in_channels=in_channels).eval()
    with torch.no_grad():
        assert trunk(torch.rand(1, in_channels, 32, 64)).shape == (1, 64, 1, 1)
    with pytest.raises(InputError) as caught:
        trunk(torch.rand(1, in_channels, 40, 64))
    assert [problem.code for problem in caught.value.problems] == ["image-size"]


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("test_vit2", "class-token-missing"),  # it normalises behind the mean of its patches
        ("test_vit3", "class-token-missing"),  # it pools by attention
        ("resnet18", "model-unbuildable"),
        ("no_such_vit", "model-unknown"),
    ],
)
def test_models_without_a_class_token_are_refused(timm, model, code):
    with pytest.raises(InputError) as caught:
        TimmClassToken(model=model, in_channels=3)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_the_file_of_dinov2s_authors_fits(timm):
    """Its tensors have timm's names, and the token of masked patches beside them."""
    theirs = timm.create_model("test_vit", pretrained=False)
    file = theirs.state_dict() | {"mask_token": torch.zeros(1, 64)}
    ours = TimmClassToken(model="test_vit", in_channels=3)
    ours.load(file)
    assert torch.equal(ours.net.cls_token, theirs.cls_token)
