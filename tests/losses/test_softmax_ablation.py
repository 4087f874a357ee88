"""Softmax over functions of distances: the losses that two names give, values by hand, and slopes."""

import math

import pytest
import torch
from member_contracts import ProxyContract
from proxy_cases import LABELS, SIZES, cloud

from realitycheck.losses.members.euclidean_softmax import EuclideanSoftmax
from realitycheck.losses.members.softmax_ablation import CURVES, NAMES, SoftmaxAblation
from realitycheck.losses.members.warped_softmax import WarpedSoftmax

WARP = {"temperature": 0.7, "point": 4.0, "inner_slope": 0.6, "outer_slope": 1.5, "handicap": 1.4}


def make(own, other, *, scale=4.0, sizes=None, **changed):
    return SoftmaxAblation(own=own, other=other, scale=scale, **(WARP | changed), **(sizes or SIZES))


class TestSoftmaxAblationContract(ProxyContract):
    length_matters = True

    def make(self):
        return make("warp", "identity", sizes=self.sizes())


class TestTwoCurvesContract(ProxyContract):
    length_matters = True

    def make(self):
        return make("root", "log", sizes=self.sizes())


def with_proxies(loss, proxies):
    loss = loss.double()
    with torch.no_grad():
        loss.proxies.copy_(torch.as_tensor(proxies, dtype=torch.float64))
    return loss


def outcome(loss, points):
    leaf = points.clone().requires_grad_()
    value = loss(leaf, LABELS)
    value.backward()
    return value.detach(), leaf.grad, loss.proxies.grad


SAME = [
    ("identity", "identity", EuclideanSoftmax(temperature=0.7, **SIZES)),
    ("warp", "identity", WarpedSoftmax(**WARP, **SIZES)),
    ("inner_warp", "identity", WarpedSoftmax(**(WARP | {"outer_slope": 1.0}), **SIZES)),
    ("outer_warp", "identity", WarpedSoftmax(**(WARP | {"inner_slope": 1.0}), **SIZES)),
]


@pytest.mark.parametrize(("own", "other", "loss"), SAME)
def test_known_losses_bit_for_bit(own, other, loss):
    points, proxies = cloud(0), cloud(1)[:6]
    inside = [bool((point - proxies[label]).norm() < 4) for point, label in zip(points, LABELS, strict=True)]
    assert any(inside) and not all(inside)
    ours = outcome(with_proxies(make(own, other), proxies), points)
    theirs = outcome(with_proxies(loss, proxies), points)
    assert all(torch.equal(one, two) for one, two in zip(ours, theirs, strict=True))


def by_hand(name, d, s):
    """The functions in plain numbers; at distance 5 within a point of attraction of 6, and at 13 outside."""
    inside = d < 6.0
    return {
        "identity": d,
        "square": d * d / s,
        "root": math.sqrt(d * s),
        "log": s * math.log(1 + d / s),
        "exp": s * math.exp(d / s),
        "sigmoid": s / (1 + math.exp(-d / s)),
        "tanh": s * (math.exp(2 * d / s) - 1) / (math.exp(2 * d / s) + 1),
        "warp": 0.6 * d + 1.4 * 0.4 * d if inside else 1.5 * d - 6 * 0.5,
        "inner_warp": 0.6 * d + 1.4 * 0.4 * d if inside else d,
        "outer_warp": d if inside else 1.5 * d - 6 * 0.5,
    }[name]


@pytest.mark.parametrize("own", NAMES)
@pytest.mark.parametrize("other", ["identity", "square", "log", "warp"])
def test_values_by_hand(own, other):
    """Points (3, 4) and (5, 12): 5 and 13 from the own proxy, √52 and √160 from the only other one at (9, 0)."""
    sizes = {"num_classes": 2, "embedding_dim": 2}
    loss = with_proxies(make(own, other, scale=8.0, point=6.0, sizes=sizes), [[0.0, 0.0], [9.0, 0.0]])
    points = torch.tensor([[3.0, 4.0], [5.0, 12.0]], dtype=torch.float64)
    pairs = ((5.0, math.sqrt(52)), (13.0, math.sqrt(160)))
    terms = [math.log(1 + math.exp(0.7 * (by_hand(own, d, 8.0) - by_hand(other, e, 8.0)))) for d, e in pairs]
    assert loss(points, torch.tensor([0, 0])).item() == pytest.approx(sum(terms) / 2, rel=1e-12)


@pytest.mark.parametrize(("own", "other"), [("identity", "square"), *((name, "identity") for name in CURVES)])
def test_gradients_are_differences_of_values(own, other):
    """By `gradcheck`; the warps have a part without a gradient, and are tested with Warped-Softmax."""
    loss = with_proxies(make(own, other), cloud(1)[:6])
    points = cloud(0)[:3].requires_grad_()
    assert torch.autograd.gradcheck(lambda leaf: loss(leaf, LABELS[:3]), (points,))


def test_an_unknown_function_is_refused():
    with pytest.raises(ValueError, match="cube"):
        make("cube", "identity")
