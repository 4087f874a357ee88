"""Warped-Softmax: its slopes, its zones, its jump, and the softmax that it bends."""

import math

import pytest
import torch
from member_contracts import ProxyContract

from realitycheck.losses.members.euclidean_softmax import EuclideanSoftmax
from realitycheck.losses.members.warped_softmax import WarpedSoftmax

SIZES = {"num_classes": 6, "embedding_dim": 8}
LABELS = torch.tensor([3, 0, 0, 1, 4, 2, 2, 3, 1, 0, 4, 4])
WARP = {"temperature": 0.7, "point": 4.0, "inner_slope": 0.6, "outer_slope": 1.5, "handicap": 1.4}
PUBLISHED = [
    {"temperature": 4.525, "point": 28.40, "inner_slope": 0.93, "outer_slope": 1.15, "handicap": 1.30},
    {"temperature": 5.0, "point": 30.15, "inner_slope": 0.80, "outer_slope": 1.15, "handicap": 1.50},
    {"temperature": 1.0, "point": 23.25, "inner_slope": 0.50, "outer_slope": 1.55, "handicap": 1.50},
]
"""The authors' settings for CUB-200 and Cars-196, the last one of a second phase."""


class TestWarpedSoftmaxContract(ProxyContract):
    """Distances of the test batch are about √16, on both sides of the point."""

    length_matters = True

    def make(self):
        return WarpedSoftmax(**WARP, **self.sizes())


def cloud(seed, rows):
    return torch.randn(rows, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def with_proxies(loss, proxies):
    loss = loss.double()
    with torch.no_grad():
        loss.proxies.copy_(torch.as_tensor(proxies, dtype=torch.float64))
    return loss


def outcome(loss, points, labels=LABELS):
    """The value, and the gradients by embeddings and by proxies."""
    leaf = points.clone().requires_grad_()
    loss.zero_grad()
    value = loss(leaf, labels)
    value.backward()
    return value.detach(), leaf.grad, loss.proxies.grad


def same(one, two):
    for ours, theirs in zip(one, two, strict=True):
        torch.testing.assert_close(ours, theirs)


def distance(points, proxies, i, c):
    return (points[i] - proxies[c]).norm()


class TestAgainstLoops:
    """Item by item, with distances by differences; stop-gradients as in the paper's text."""

    @pytest.mark.parametrize("changed", [{}, {"handicap": 1.0}, {"inner_slope": 0.0}, {"point": 1e-3}, {"point": 50.0}])
    def test_agrees(self, changed):
        knobs = WARP | changed
        t, w, k1, k2, m = knobs.values()
        points, proxies = cloud(0, 12), cloud(1, 6)
        loss = with_proxies(WarpedSoftmax(**knobs, **SIZES), proxies)
        one, two = points.clone().requires_grad_(), proxies.clone().requires_grad_()
        total, inside = 0.0, 0
        for i, label in enumerate(LABELS.tolist()):
            d = distance(one, two, i, label)
            inside += bool(d < w)
            f = k1 * d + m * (1 - k1) * d.item() if d < w else k2 * d + w * (1 - k2)
            others = [torch.exp(t * (f - distance(one, two, i, c))) for c in range(6) if c != label]
            total = total + torch.log(1 + sum(others)) / 12
        total.backward()
        assert {50.0: 12, 1e-3: 0}.get(w, inside) == inside and (w != 4.0 or 0 < inside < 12)
        same(outcome(loss, points), (total.detach(), one.grad, two.grad))


class TestWithoutWarp:
    """k₁ = k₂ = 1: the handicap is 0, and both zones are the plain distance."""

    @pytest.mark.parametrize("point", [1e-3, 3.0, 4.0, 95.0])
    @pytest.mark.parametrize("handicap", [1.0, 1.35, 5.5])
    def test_is_euclidean_softmax(self, point, handicap):
        knobs = {"temperature": 1.3, "point": point, "inner_slope": 1.0, "outer_slope": 1.0, "handicap": handicap}
        ours = with_proxies(WarpedSoftmax(**knobs, **SIZES), cloud(1, 6))
        plain = with_proxies(EuclideanSoftmax(temperature=1.3, **SIZES), cloud(1, 6))
        same(outcome(ours, cloud(0, 12)), outcome(plain, cloud(0, 12)))


def test_a_handicap_of_1_leaves_the_value_inside_as_it_is():
    """Only the gradient is weakened, to k₁ of itself by the own proxy."""
    knobs = WARP | {"handicap": 1.0, "point": 50.0, "temperature": 1.3}
    ours = with_proxies(WarpedSoftmax(**knobs, **SIZES), cloud(1, 6))
    plain = with_proxies(EuclideanSoftmax(temperature=1.3, **SIZES), cloud(1, 6))
    for i, label in enumerate(LABELS.tolist()):
        point = cloud(0, 12)[i : i + 1]
        one = outcome(ours, point, LABELS[i : i + 1])
        two = outcome(plain, point, LABELS[i : i + 1])
        torch.testing.assert_close(one[0], two[0])
        torch.testing.assert_close(one[2][label], 0.6 * two[2][label])


def on_a_line(knobs, x, other):
    """One item of the first class at x; its proxy at 0, that of the only other class at `other`."""
    loss = with_proxies(WarpedSoftmax(**knobs, num_classes=2, embedding_dim=1), [[0.0], [other]])
    return outcome(loss, torch.tensor([[x]], dtype=torch.float64), torch.tensor([0]))


def warped(d, knobs):
    w, k1, k2, m = knobs["point"], knobs["inner_slope"], knobs["outer_slope"], knobs["handicap"]
    return k1 * d + m * (1 - k1) * d if d < w else k2 * d + w * (1 - k2)


@pytest.mark.parametrize("knobs", [WARP, *PUBLISHED])
class TestOnALine:
    """Along the line away from the other proxy both distances grow alike, so that the slope is T (1 - p) (k - 1)."""

    def test_the_gradient_changes_sign_at_the_point(self, knobs):
        """Below it descent goes outward, from it on inward: not a bit earlier or later."""
        w = knobs["point"]
        below, above = math.nextafter(w, 0), math.nextafter(w, math.inf)
        for x in (0.01 * w, 0.5 * w, 0.999 * w, below):
            assert on_a_line(knobs, x, other=-0.1)[1].item() < 0
        for x in (w, above, 1.001 * w, 3 * w):
            assert on_a_line(knobs, x, other=-0.1)[1].item() > 0

    def test_without_warp_it_would_not(self, knobs):
        """The plain loss rests everywhere on this line."""
        for x in (0.5 * knobs["point"], 3 * knobs["point"]):
            plain = knobs | {"inner_slope": 1.0, "outer_slope": 1.0}
            assert on_a_line(plain, x, other=-0.1)[1].item() == pytest.approx(0, abs=1e-9)

    @pytest.mark.parametrize("part", [0.2, 0.9, 1.0, 1.1, 2.5])
    def test_slopes(self, knobs, part):
        """T (1 - p) k by the own distance, k₁ inside and k₂ outside; Δ has no part in it."""
        x = part * knobs["point"]
        other = x + warped(x, knobs) + 0.2 / knobs["temperature"]  # so that p is not near 0 or 1
        k = knobs["inner_slope"] if part < 1 else knobs["outer_slope"]
        one_less_p = 1 / (1 + math.exp(0.2))
        value, _, slopes = on_a_line(knobs, x, other=other)
        assert value.item() == pytest.approx(math.log(1 + math.exp(-0.2)))
        # Moved to the right, the own proxy comes nearer and the other goes away.
        assert slopes[0].item() == pytest.approx(-knobs["temperature"] * one_less_p * k)
        assert slopes[1].item() == pytest.approx(-knobs["temperature"] * one_less_p)

    def test_gradient_ratio_at_equal_probabilities(self, knobs):
        pull = []
        for x in (0.7 * knobs["point"], 1.7 * knobs["point"]):
            pull.append(on_a_line(knobs, x, other=x + warped(x, knobs) - 0.5)[2][0].item())
        assert pull[0] / pull[1] == pytest.approx(knobs["inner_slope"] / knobs["outer_slope"])

    def test_the_jump(self, knobs):
        """f falls by (m - 1)(1 - k₁) w at the point of attraction."""
        w, t = knobs["point"], knobs["temperature"]
        other = 2 * w
        below, at = (
            on_a_line(knobs, x, other=other)[0].expm1().log().item() / t + abs(other - x)
            for x in (math.nextafter(w, 0), w)
        )
        assert below - at == pytest.approx((knobs["handicap"] - 1) * (1 - knobs["inner_slope"]) * w, rel=1e-6)


def test_by_hand():
    """Points (3, 4) and (5, 12): 5 (inside 6) and 13 from the own proxy, √52 and √160 from the other one at (9, 0)."""
    knobs = WARP | {"point": 6.0}
    loss = with_proxies(WarpedSoftmax(**knobs, num_classes=2, embedding_dim=2), [[0.0, 0.0], [9.0, 0.0]])
    points = torch.tensor([[3.0, 4.0], [5.0, 12.0]], dtype=torch.float64)
    inside = 0.6 * 5 + 1.4 * 0.4 * 5
    outside = 1.5 * 13 - 6 * 0.5
    others = math.sqrt(36 + 16), math.sqrt(16 + 144)
    expected = (
        math.log(1 + math.exp(0.7 * (inside - others[0]))) + math.log(1 + math.exp(0.7 * (outside - others[1])))
    ) / 2
    assert loss(points, torch.tensor([0, 0])).item() == pytest.approx(expected)


def test_a_second_phase_lowers_the_point():
    assert WarpedSoftmax.lower_in_followup == ("point",)
    assert WarpedSoftmax.keeps_init == ("proxies",)
