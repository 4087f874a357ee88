"""No loss and no trunk has an operation that torch refuses on a GPU under deterministic algorithms."""

from __future__ import annotations

import pytest
import torch
from kernel_names import KernelNames
from loss_trainers import NAMES, trainer_of
from torch.nn import functional

from realitycheck.catalog import build_trunk
from realitycheck.protocol.recipe import TrunkChoice

TRUNKS = [
    ({"name": "convnet", "channels": 4}, 64),
    ({"name": "bn_inception"}, 64),
    ({"name": "resnet50"}, 64),
    ({"name": "efficientnet_lite0"}, 64),
    ({"name": "timm", "model": "resnet18"}, 64),
    ({"name": "timm", "model": "test_vit"}, 160),
    ({"name": "timm_class_token", "model": "test_vit"}, 160),
    ({"name": "timm_class_token", "model": "test_vit"}, 96),  # not its own size
]


@pytest.mark.parametrize("name", NAMES)
def test_losses(name):
    trainer = trainer_of(name)
    sums, vectors = torch.zeros(2, dtype=torch.float64), trainer._class_vectors()
    with KernelNames() as names:
        for trainer.iteration in range(2):
            trainer.take_step(sums, vectors)
    assert names.found == set()


@pytest.mark.parametrize(("choice", "side"), TRUNKS)
def test_trunks(choice, side):
    if "model" in choice:
        pytest.importorskip("timm")
    trunk = build_trunk(TrunkChoice(**choice), in_channels=3)
    with KernelNames() as names:
        maps = trunk(torch.rand(2, 3, side, side))
        (maps.mean((2, 3)) + maps.amax((2, 3))).sum().backward()
    assert names.found == set()


@pytest.mark.parametrize(
    ("work", "name"),
    [
        (lambda x: functional.interpolate(x, size=(3, 3), mode="bicubic", antialias=True), "_upsample_bicubic2d_aa"),
        (lambda x: functional.interpolate(x, size=(3, 3), mode="bilinear"), "upsample_bilinear2d"),
        (lambda x: functional.adaptive_avg_pool2d(x, 2), "_adaptive_avg_pool2d"),
        (lambda x: functional.pad(x, (1, 1, 1, 1), mode="reflect"), "reflection_pad2d"),
    ],
)
def test_backward_passes_are_seen(work, name):
    with KernelNames() as names:
        work(torch.rand(1, 1, 4, 4, requires_grad=True)).sum().backward()
    assert names.found == {f"aten::{name}_backward"}


def test_values_are_seen():
    with KernelNames() as names:
        torch.rand(4, 4).median(dim=1)
    assert names.found == {"aten::median"}
