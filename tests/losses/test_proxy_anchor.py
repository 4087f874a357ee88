"""Proxy-Anchor: an oracle, loops, and points of the plane."""

import math

import pytest
import torch
from member_contracts import ProxyContract
from proxy_cases import LABELS, SIZES, ProxiesOnTheCircle, agree_with_library, agree_with_loops, cosine
from pytorch_metric_learning import losses as pml

from realitycheck.losses.members.proxy_anchor import ProxyAnchor


class TestProxyAnchorContract(ProxyContract):
    def make(self):
        return ProxyAnchor(margin=0.1, alpha=32.0, **self.sizes())


PML = [
    *(
        (ProxyAnchor(margin=m, alpha=a, **SIZES), pml.ProxyAnchorLoss(6, 8, margin=m, alpha=a), "proxies")
        for m, a in [(0.0, 1.0), (0.1, 32.0), (0.5, 128.0)]
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "name"), PML)
def test_agrees_with_pytorch_metric_learning(ours, theirs, name):
    agree_with_library(ours, theirs, name)


def mean(terms):
    terms = list(terms)
    return sum(terms) / len(terms)


def proxy_anchor(margin, alpha):
    def loss(points, proxies):
        pull, push = [], []
        for c, proxy in enumerate(proxies):
            s = [cosine(point, proxy) for point in points]
            mine = [torch.exp(-alpha * (s[i] - margin)) for i in range(len(s)) if LABELS[i] == c]
            pull += [torch.log(1 + sum(mine))] if mine else []
            push += [torch.log(1 + sum(torch.exp(alpha * (s[i] + margin)) for i in range(len(s)) if LABELS[i] != c))]
        assert len(pull) == 5 and len(push) == 6
        return mean(pull) + mean(push)

    return loss


LOOPS = [
    (ProxyAnchor(margin=0.1, alpha=32.0, **SIZES), proxy_anchor(0.1, 32.0)),
]


@pytest.mark.parametrize(("ours", "loop"), LOOPS)
def test_agrees_with_loops(ours, loop):
    agree_with_loops(ours, loop)


class TestProxyAnchorOnTheCircle(ProxiesOnTheCircle):
    def test_proxy_anchor(self):
        """The first proxy has no positive and one negative, the second one positive and no negative."""
        pull = math.log(1 + math.exp(-5 * (self.NEAR - 0.1)))
        push = math.log(1 + math.exp(5 * (self.FAR + 0.1)))
        assert self.value(ProxyAnchor, margin=0.1, alpha=5.0) == pytest.approx(pull + push / 2)
