"""Circle loss on class vectors: loops, points of the plane, and the margin softmax below it."""

import math

import pytest
import torch
from member_contracts import ProxyContract
from proxy_cases import LABELS, SIZES, ProxiesOnTheCircle, agree, agree_with_loops, by_cosine, cloud, with_proxies
from torch.func import functional_call

from realitycheck.losses.members.circle_class import CircleClass
from realitycheck.losses.members.cosface import CosFace
from realitycheck.losses.members.cosine_cross_entropy import CosineCrossEntropy


class TestCircleClassContract(ProxyContract):
    def make(self):
        return CircleClass(margin=0.25, gamma=64.0, **self.sizes())


def circle(margin, gamma):
    def logit(s, own):
        weight = max(1 + margin - s.item(), 0) if own else max(s.item() + margin, 0)
        return gamma * weight * (s - (1 - margin if own else margin))

    return by_cosine(logit)


LOOPS = [
    (CircleClass(margin=0.25, gamma=128.0, **SIZES), circle(0.25, 128.0)),
    (CircleClass(margin=0.0, gamma=30.0, **SIZES), circle(0.0, 30.0)),
    (CircleClass(margin=0.8, gamma=30.0, **SIZES), circle(0.8, 30.0)),
]


@pytest.mark.parametrize(("ours", "loop"), LOOPS)
def test_agrees_with_loops(ours, loop):
    agree_with_loops(ours, loop)


class TestCircleClassOnTheCircle(ProxiesOnTheCircle):
    def test_circle_class(self):
        own = (1.2 - self.NEAR) * (self.NEAR - 0.8)
        other = (self.FAR + 0.2) * (self.FAR - 0.2)
        assert self.value(CircleClass, margin=0.2, gamma=5.0) == pytest.approx(
            math.log(1 + math.exp(5 * (other - own)))
        )


def library_like(loss):
    return lambda points, proxies: functional_call(loss, {"proxies": proxies}, (points, LABELS), strict=False)


class Unweighted(CircleClass):
    def weights(self, similarity, own):
        return torch.ones_like(similarity)


@pytest.mark.parametrize("margin", [0.0, 0.25, 0.5])
def test_circle_without_weights_is_cosface(margin):
    """Its two thresholds, 1 - m and m, are 1 - 2m apart; m = ½ gives the cosine cross entropy."""
    proxies = cloud(1, rows=6)
    ours = with_proxies(Unweighted(margin=margin, gamma=9.0, **SIZES), proxies)
    theirs = with_proxies(CosFace(margin=1 - 2 * margin, scale=9.0, **SIZES), proxies)
    agree(ours, library_like(theirs))
    if margin == 0.5:
        agree(ours, library_like(with_proxies(CosineCrossEntropy(scale=9.0, **SIZES), proxies)))
