"""Positions by products of matrices: torch's values and gradients, timm's features, and no trace in the model."""

from __future__ import annotations

import copy
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from host_reads import HostReads
from kernel_names import KernelNames
from loss_trainers import CLASSES, recipe_with, trainer_of
from recorded_graph import RecordedGraphs
from torch.nn import functional

from realitycheck.protocol.recipe import TrunkChoice
from realitycheck.stores.base import Facts
from realitycheck.stores.pixels import SquareStore
from realitycheck.training.captured_steps import CapturedSteps, _tensors
from realitycheck.training.checkpoint import weights_digest
from realitycheck.training.module_attributes import attributes_tree
from realitycheck.training.value_trees import seal
from realitycheck.trunks.position_grids import interpolation, resized
from realitycheck.trunks.timm_class_token import TimmClassToken
from realitycheck.trunks.timm_model import TimmModel

CLOSE = {"rtol": 0, "atol": 1e-5}
"""For values up to 5. torch computes its weights in float32: it is up to 1.1e-6 of the largest value off float64."""


@pytest.fixture(scope="module")
def timm():
    return pytest.importorskip("timm")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((37, 37), (16, 16)),
        ((14, 14), (16, 20)),
        ((10, 10), (2, 4)),
        ((16, 16), (37, 24)),
        ((7, 5), (1, 1)),
        ((3, 3), (3, 3)),
    ],
)
def test_values_and_gradients_are_torchs(old, new):
    grids = torch.randn(1, 24, *old, generator=torch.Generator().manual_seed(0), requires_grad=True)
    theirs = functional.interpolate(grids, size=new, mode="bicubic", antialias=True)
    ours = resized(grids, new)
    torch.testing.assert_close(ours, theirs, **CLOSE)
    upstream = torch.randn(ours.shape, generator=torch.Generator().manual_seed(1))
    gradients = [torch.autograd.grad(values, grids, upstream)[0] for values in (ours, theirs)]
    torch.testing.assert_close(*gradients, **CLOSE)
    exact = functional.interpolate(grids.detach().double(), size=new, mode="bicubic", antialias=True)
    torch.testing.assert_close(ours, exact.float(), rtol=1e-6, atol=1e-7)


def test_autocast_does_not_reach_it():
    grids = torch.randn(1, 8, 10, 10)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = resized(grids, (4, 6))
    assert torch.equal(cast, resized(grids, (4, 6)))


def test_a_first_call_without_gradients_leaves_weights_that_have_them():
    grids = torch.randn(1, 2, 9, 9)
    with torch.inference_mode():
        resized(grids, (5, 11))
    resized(grids.requires_grad_(), (5, 11)).sum().backward()
    assert grids.grad is not None


OPTIONS = [
    ("test_vit", {}),
    ("test_vit", {"reg_tokens": 3}),
    ("test_vit", {"reg_tokens": 2, "no_embed_class": True}),
    ("test_vit", {"class_token": False, "global_pool": "avg"}),
    ("deit_tiny_distilled_patch16_224", {"dynamic_img_size": True}),
]


@pytest.mark.parametrize(("model", "options"), OPTIONS)
def test_features_and_gradients_are_timms(timm, model, options):
    net = timm.create_model(model, pretrained=False, num_classes=0, **options).eval()
    images = torch.rand(2, 3, 96, 128)
    theirs = net.forward_features(images)
    weights = torch.randn(theirs.shape)
    (before,) = torch.autograd.grad((theirs * weights).sum(), net.pos_embed)
    with interpolation(net, (96, 128)), KernelNames() as names:
        ours = net.forward_features(images)
        (after,) = torch.autograd.grad((ours * weights).sum(), net.pos_embed)
    assert names.found == set()
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=2e-5)
    assert (after - before).abs().max() < 1e-4 * before.abs().max()


@pytest.mark.parametrize("options", [{}, {"reg_tokens": 3}, {"class_token": False, "global_pool": "avg"}])
def test_a_grid_that_fits_is_left_alone(timm, options):
    net = timm.create_model("test_vit", pretrained=False, num_classes=0, **options)
    assert isinstance(interpolation(net, (160, 160)), nullcontext)
    assert not isinstance(interpolation(net, (160, 144)), nullcontext)


@pytest.mark.parametrize("model", ["resnet18", "swin_tiny_patch4_window7_224"])
def test_models_without_positions_are_left_alone(timm, model):
    assert isinstance(interpolation(timm.create_model(model, pretrained=False), (64, 64)), nullcontext)


@pytest.mark.parametrize("trunk", [TimmClassToken, TimmModel])
def test_the_own_size_has_timms_bits(timm, trunk):
    ours = trunk(model="test_vit", in_channels=3).eval()
    images = torch.rand(2, 3, 160, 160)
    tokens = ours.net.forward_features(ours.prepare(images))
    wanted = tokens[:, 0, :, None, None] if trunk is TimmClassToken else tokens[:, 1:].mT.reshape(2, 64, 10, 10)
    assert torch.equal(ours(images), wanted)


@pytest.mark.parametrize("model", ["hiera_small_abswin_256", "naflexvit_base_patch16_gap"])
def test_grids_of_another_size_than_the_models_own(timm, model):
    """These interpolate at every size. On `meta`, since they are large."""
    if not timm.is_model(model):
        pytest.skip("this timm has no such model")
    with torch.device("meta"):
        net = timm.create_model(model, pretrained=False, num_classes=0)
        side = net.pretrained_cfg["input_size"][-1]
        images = torch.empty(1, 3, side, side)
    with interpolation(net, (side, side)), KernelNames() as names:
        net.forward_features(images).sum().backward()
    assert names.found == set()


def trainer_of_tokens(loss):
    """A trainer of class tokens of images of 32 pixels, for positions of 160."""
    labels = np.repeat(np.arange(CLASSES), 8)
    pixels = np.random.default_rng(0).integers(0, 256, (len(labels), 1, 32, 32), dtype=np.uint8)
    store = SquareStore(Facts(labels, tuple(map(str, range(CLASSES))), ""), pixels)
    trunk = TrunkChoice(name="timm_class_token", model="test_vit")
    return trainer_of(loss, recipe=recipe_with(image_size=32, trunk=trunk), store=store)


@pytest.mark.parametrize("loss", ["proxy_anchor", "moco"])
def test_a_replayed_run_is_the_eager_run(timm, loss):
    """`moco` has a copy of the model beside it."""
    eager, replayed = trainer_of_tokens(loss), trainer_of_tokens(loss)
    capture = RecordedGraphs(lambda: [*_tensors(replayed).values(), replayed.replays._values])
    replayed.replays = CapturedSteps(capture, ())
    ends = []
    for trainer in (eager, replayed):
        before = trainer.model.trunk.net.pos_embed.clone()
        means = [trainer.advance(count) for count in (5, 2)]
        assert not torch.equal(trainer.model.trunk.net.pos_embed, before)
        ends.append((means, weights_digest(_tensors(trainer))))
    assert ends[0] == ends[1]
    assert replayed.replays.outcome == "CUDA graph"


def test_a_step_reads_no_value(timm):
    trainer, sums = trainer_of_tokens("proxy_anchor"), torch.zeros(2, dtype=torch.float64)
    for trainer.iteration in range(3):
        trainer.feed.batch(trainer.iteration, view="batch")
        with HostReads() as reads:
            trainer.take_step(sums, None)
        assert reads.found == []


def test_a_forward_pass_leaves_nothing_in_the_model(timm):
    """So a copy, a checkpoint and an exported file are those of timm's own model."""
    trunk = TimmClassToken(model="test_vit", in_channels=1).eval()
    held, names = seal(attributes_tree({"trunk": trunk})), list(trunk.state_dict())
    images = torch.rand(1, 1, 32, 64)
    features = trunk(images)
    assert seal(attributes_tree({"trunk": trunk})) == held
    assert list(trunk.state_dict()) == names
    assert torch.equal(copy.deepcopy(trunk)(images), features)
