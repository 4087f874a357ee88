"""What softmax and proxy losses begin with, and that no scale of theirs overflows."""

import math

import pytest
import torch
from proxy_cases import LABELS, SIZES, cloud

from realitycheck.losses.members.arcface import ArcFace
from realitycheck.losses.members.circle_class import CircleClass
from realitycheck.losses.members.cosface import CosFace
from realitycheck.losses.members.cosine_cross_entropy import CosineCrossEntropy
from realitycheck.losses.members.cross_entropy import CrossEntropy
from realitycheck.losses.members.euclidean_softmax import EuclideanSoftmax
from realitycheck.losses.members.proxy_anchor import ProxyAnchor
from realitycheck.losses.members.proxy_nca import ProxyNCA
from realitycheck.losses.members.proxy_nca_pp import ProxyNCAPlusPlus
from realitycheck.losses.members.soft_triple import SoftTriple
from realitycheck.losses.members.warped_softmax import WarpedSoftmax

MANY = {"num_classes": 200, "embedding_dim": 50}
WARP = {"temperature": 0.7, "point": 6.0, "inner_slope": 0.6, "outer_slope": 1.5, "handicap": 1.4}
CENTERS = {"centers": 3, "scale": 12.0, "gamma": 0.2, "margin": 0.05, "regularizer": 0.3}


class TestFirstProxies:
    """What the authors' code draws: entries' standard deviation, or the bound of a uniform distribution."""

    @pytest.mark.parametrize(
        ("cls", "knobs", "deviation"),
        [
            (ProxyNCA, {"scale": 1.0}, 1 / 8),
            (ProxyNCAPlusPlus, {"scale": 1.0}, 1 / 8),
            (ProxyAnchor, {"margin": 0.1, "alpha": 32.0}, math.sqrt(2 / 200)),
            (ArcFace, {"margin": 28.6, "scale": 64.0}, 0.01),
            (EuclideanSoftmax, {"temperature": 1.0}, math.sqrt(2 / 200)),
            (WarpedSoftmax, WARP, math.sqrt(2 / 200)),
        ],
    )
    def test_normal(self, cls, knobs, deviation):
        entries = cls(**knobs, **MANY).proxies
        assert entries.std().item() == pytest.approx(deviation, rel=0.05)
        assert entries.abs().max() > 3 * deviation

    @pytest.mark.parametrize(
        ("cls", "knobs", "bound"),
        [
            (CrossEntropy, {"smoothing": 0.1}, 1 / math.sqrt(50)),
            (CosFace, {"margin": 0.35, "scale": 64.0}, math.sqrt(6 / 250)),
            (CircleClass, {"margin": 0.25, "gamma": 256.0}, 1 / math.sqrt(50)),
            (SoftTriple, CENTERS, 1 / math.sqrt(600)),
        ],
    )
    def test_uniform(self, cls, knobs, bound):
        entries = cls(**knobs, **MANY).proxies
        assert entries.abs().max().item() == pytest.approx(bound, rel=0.01)
        assert entries.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)

    def test_unit(self):
        lengths = CosineCrossEntropy(scale=64.0, **MANY).proxies.norm(dim=1)
        torch.testing.assert_close(lengths, torch.ones(200))


def test_large_scales_stay_finite():
    """Float32 holds e^88; scales are searched up to 500."""
    points = cloud(0).float()
    for loss in (
        CosFace(margin=1.0, scale=500.0, **SIZES),
        ArcFace(margin=90.0, scale=500.0, **SIZES),
        CosineCrossEntropy(scale=500.0, **SIZES),
        ProxyNCA(scale=250.0, **SIZES),
        ProxyNCAPlusPlus(scale=250.0, **SIZES),
        ProxyAnchor(margin=0.5, alpha=500.0, **SIZES),
        CircleClass(margin=1.0, gamma=1000.0, **SIZES),
        SoftTriple(centers=2, scale=500.0, gamma=0.001, margin=1.0, regularizer=1.0, **SIZES),
    ):
        leaf = points.clone().requires_grad_()
        value = loss(leaf, LABELS)
        value.backward()
        assert value.isfinite() and leaf.grad.isfinite().all() and loss.proxies.grad.isfinite().all()
