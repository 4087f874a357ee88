"""ProxyNCA and ProxyNCA++: oracles, loops, points of the plane, and how the two are kin."""

import math

import pytest
import torch
from member_contracts import ProxyContract
from proxy_cases import (
    LABELS,
    SIZES,
    ProxiesOnTheCircle,
    agree_with_library,
    agree_with_loops,
    by_cosine,
    cloud,
    with_proxies,
)
from pytorch_metric_learning import losses as pml
from torch.nn import functional

from realitycheck.losses.members.proxy_nca import ProxyNCA
from realitycheck.losses.members.proxy_nca_pp import ProxyNCAPlusPlus


class TestProxyNCAContract(ProxyContract):
    def make(self):
        return ProxyNCA(scale=3.0, **self.sizes())


class TestProxyNCAPlusPlusContract(ProxyContract):
    def make(self):
        return ProxyNCAPlusPlus(scale=9.0, **self.sizes())


PML = [
    *(
        (ProxyNCAPlusPlus(scale=a, **SIZES), pml.ProxyNCALoss(6, 8, softmax_scale=a), "proxies")
        for a in (0.5, 9.0, 40.0)
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "name"), PML)
def test_agrees_with_pytorch_metric_learning(ours, theirs, name):
    agree_with_library(ours, theirs, name)


def proxy_nca(scale):
    def loss(points, proxies):
        total = 0.0
        for point, label in zip(points, LABELS.tolist(), strict=True):
            near = [
                torch.exp(-scale * (point / point.norm() - proxy / proxy.norm()).square().sum()) for proxy in proxies
            ]
            total = total - torch.log(near[label] / sum(value for c, value in enumerate(near) if c != label))
        return total / len(points)

    return loss


LOOPS = [
    (ProxyNCAPlusPlus(scale=9.0, **SIZES), by_cosine(lambda s, own: -9.0 * (2 - 2 * s))),
    (ProxyNCA(scale=1.0, **SIZES), proxy_nca(1.0)),
    (ProxyNCA(scale=9.0, **SIZES), proxy_nca(9.0)),
]


@pytest.mark.parametrize(("ours", "loop"), LOOPS)
def test_agrees_with_loops(ours, loop):
    agree_with_loops(ours, loop)


class TestProxyNCAOnTheCircle(ProxiesOnTheCircle):
    def test_proxy_nca(self):
        """Squared chords of 30° and 60°; nearer to its own, so that the value is negative."""
        near, far = (2 * math.sin(math.radians(15))) ** 2, 1.0
        assert self.value(ProxyNCA, scale=4.0) == pytest.approx(4 * (near - far))
        assert self.value(ProxyNCA, scale=4.0) < 0
        assert self.value(ProxyNCA, label=0, scale=4.0) == pytest.approx(4 * (far - near))

    def test_proxy_nca_pp(self):
        near, far = (2 * math.sin(math.radians(15))) ** 2, 1.0
        assert self.value(ProxyNCAPlusPlus, scale=4.0) == pytest.approx(math.log(1 + math.exp(4 * (near - far))))


def test_proxy_nca_pp_of_one_item_is_a_softplus_of_proxy_nca():
    """-log(a / (a + b)) = log(1 + b/a)."""
    proxies = cloud(1, rows=6)
    classic = with_proxies(ProxyNCA(scale=3.0, **SIZES), proxies)
    plus = with_proxies(ProxyNCAPlusPlus(scale=3.0, **SIZES), proxies)
    for point, label in zip(cloud(0), LABELS, strict=True):
        one = classic(point[None], label[None])
        torch.testing.assert_close(plus(point[None], label[None]), functional.softplus(one))
