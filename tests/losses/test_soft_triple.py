"""SoftTriple: oracles, loops, points of the plane, and equal centres."""

import math

import pytest
import torch
from member_contracts import ProxyContract
from plane import arrows
from proxy_cases import (
    LABELS,
    SIZES,
    ProxiesOnTheCircle,
    agree,
    agree_with_library,
    agree_with_loops,
    cloud,
    cosine,
    library,
    with_proxies,
)
from pytorch_metric_learning import losses as pml
from pytorch_metric_learning.regularizers import SparseCentersRegularizer

from realitycheck.losses.members.cosface import CosFace
from realitycheck.losses.members.soft_triple import SoftTriple

CENTERS = {"centers": 3, "scale": 12.0, "gamma": 0.2, "margin": 0.05, "regularizer": 0.3}


class TestSoftTripleContract(ProxyContract):
    def make(self):
        return SoftTriple(**CENTERS, **self.sizes())


PML = [
    *(
        (
            SoftTriple(centers=k, scale=12.0, gamma=g, margin=0.05, regularizer=0.0, **SIZES),
            pml.SoftTripleLoss(6, 8, centers_per_class=k, la=12.0, gamma=g, margin=0.05),
            "fc",
        )
        for k, g in [(1, 0.1), (2, 0.1), (5, 50.0)]
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "name"), PML)
def test_agrees_with_pytorch_metric_learning(ours, theirs, name):
    agree_with_library(ours, theirs, name)


@pytest.mark.parametrize("centers", [2, 5])
def test_soft_triple_with_regularizer_agrees_with_pytorch_metric_learning(centers):
    """There 1e-7 is added to squared distances."""
    ours = SoftTriple(**(CENTERS | {"centers": centers}), **SIZES)
    theirs = pml.SoftTripleLoss(
        6,
        8,
        centers_per_class=centers,
        la=12.0,
        gamma=0.2,
        margin=0.05,
        weight_regularizer=SparseCentersRegularizer(6, centers),
        weight_reg_weight=0.3,
    )
    ours = with_proxies(ours, cloud(1, rows=6 * centers))
    agree(ours, library(theirs, "fc", transposed=True), rtol=1e-5, atol=1e-6)


def soft_triple(centers, scale, gamma, margin, regularizer):
    def loss(points, proxies):
        total, apart = 0.0, []
        for point, label in zip(points, LABELS.tolist(), strict=True):
            logits = []
            for c in range(6):
                s = [cosine(point, proxy) for proxy in proxies[c * centers : (c + 1) * centers]]
                weight = [torch.exp(value / gamma) for value in s]
                relaxed = sum(w * value for w, value in zip(weight, s, strict=True)) / sum(weight)
                logits.append(scale * (relaxed - (margin if c == label else 0)))
            total = total - torch.log(torch.exp(logits[label]) / sum(torch.exp(value) for value in logits))
        for j, one in enumerate(proxies):
            for k, two in enumerate(proxies[:j]):
                if j // centers == k // centers:
                    apart.append((one / one.norm() - two / two.norm()).norm())
        return total / len(points) + regularizer * sum(apart) / (6 * centers * (centers - 1))

    return loss


LOOPS = [
    (SoftTriple(**CENTERS, **SIZES), soft_triple(**CENTERS)),
]


@pytest.mark.parametrize(("ours", "loop"), LOOPS)
def test_agrees_with_loops(ours, loop):
    agree_with_loops(ours, loop)


class TestSoftTripleOnTheCircle(ProxiesOnTheCircle):
    def test_soft_triple(self):
        """Centres at 0° and 120°, and at 90° and 30°, two of each class; both of the second are 30° away."""
        loss = SoftTriple(centers=2, scale=5.0, gamma=0.5, margin=0.1, regularizer=0.3, num_classes=2, embedding_dim=2)
        loss = with_proxies(loss, arrows(0, 120, 90, 30, lengths=(3.0, 0.2, 9.0, 0.01)))
        value = loss(arrows(60, lengths=(7.0,)), torch.tensor([1])).item()
        entropy = math.log(1 + math.exp(5 * (self.FAR - self.NEAR + 0.1)))
        apart = 2 * math.sin(math.radians(60)) + 2 * math.sin(math.radians(30))
        assert value == pytest.approx(entropy + 0.3 * apart / 4)


def test_soft_triple_of_equal_centres_is_cosface():
    """And centres at one place are at distance 0."""
    one = cloud(1, rows=6)
    ours = with_proxies(SoftTriple(**CENTERS, **SIZES), one.repeat_interleave(3, dim=0))
    theirs = with_proxies(CosFace(margin=0.05, scale=12.0, **SIZES), one)
    value = ours(cloud(0), LABELS)
    torch.testing.assert_close(value, theirs(cloud(0), LABELS))
    value.backward()
    assert ours.proxies.grad.isfinite().all()
