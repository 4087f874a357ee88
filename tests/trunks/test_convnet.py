"""The small convolutional net: shapes, equal starts, and that it learns."""

import pytest
import torch

from realitycheck.trunks.convnet import ConvNet


@pytest.mark.parametrize(("channels", "in_channels", "side"), [(4, 1, 28), (8, 3, 28), (4, 3, 64)])
def test_shape(channels, in_channels, side):
    trunk = ConvNet(channels=channels, in_channels=in_channels)
    maps = trunk(torch.rand(2, in_channels, side, side))
    assert maps.shape[:2] == (2, trunk.output_dim)
    assert maps.ndim == 4
    assert torch.isfinite(maps).all()


def test_equal_seeds_give_equal_nets():
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        made.append(ConvNet(channels=4, in_channels=1).state_dict())
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])


def test_gradients_reach_every_weight():
    trunk = ConvNet(channels=4, in_channels=1)
    trunk(torch.rand(8, 1, 28, 28)).square().mean().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in trunk.parameters())


def test_learns_the_slant():
    """Two classes of noisy diagonal strokes, which no single pixel distinguishes."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    labels = torch.arange(32) % 2
    images = torch.stack([torch.roll(torch.eye(28), int(k), 1) for k in torch.randint(28, (32,))])
    images = torch.where(labels[:, None, None].bool(), images, images.flip(2))[:, None]
    trunk, head = ConvNet(channels=4, in_channels=1), torch.nn.Linear(32, 2)
    optimizer = torch.optim.Adam([*trunk.parameters(), *head.parameters()], lr=1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(head(trunk(images).amax((2, 3))), labels)
        loss.backward()
        optimizer.step()
    assert (head(trunk(images).amax((2, 3))).argmax(1) == labels).float().mean() > 0.95
