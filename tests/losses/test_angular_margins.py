"""CosFace and ArcFace: oracles, loops, points of the plane, and angles past 180°."""

import math

import pytest
import torch
from member_contracts import ProxyContract
from proxy_cases import SIZES, ProxiesOnTheCircle, agree_with_library, agree_with_loops, by_cosine, with_proxies
from pytorch_metric_learning import losses as pml

from realitycheck.losses.members.arcface import ArcFace
from realitycheck.losses.members.arcface_periodic import ArcFacePeriodic
from realitycheck.losses.members.cosface import CosFace


class TestCosFaceContract(ProxyContract):
    def make(self):
        return CosFace(margin=0.35, scale=64.0, **self.sizes())


class TestArcFaceContract(ProxyContract):
    def make(self):
        return ArcFace(margin=28.6, scale=64.0, **self.sizes())


class TestArcFacePeriodicContract(ProxyContract):
    def make(self):
        return ArcFacePeriodic(margin=28.6, scale=64.0, **self.sizes())


PML = [
    *(
        (CosFace(margin=m, scale=s, **SIZES), pml.CosFaceLoss(6, 8, margin=m, scale=s), "W")
        for m, s in [(0.0, 1.0), (0.35, 64.0), (0.9, 7.0)]
    ),
    *(
        (ArcFace(margin=m, scale=s, **SIZES), pml.ArcFaceLoss(6, 8, margin=m, scale=s), "W")
        for m, s in [(0.0, 1.0), (28.6, 64.0), (70.0, 7.0), (90.0, 30.0)]
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "name"), PML)
def test_agrees_with_pytorch_metric_learning(ours, theirs, name):
    agree_with_library(ours, theirs, name)


def arcface(margin, scale):
    def logit(s, own):
        theta, m = torch.arccos(s), math.radians(margin)
        widened = torch.cos(theta + m) if theta + m < math.pi else s - m * math.sin(m)
        return scale * (widened if own else s)

    return by_cosine(logit)


LOOPS = [
    (CosFace(margin=0.35, scale=64.0, **SIZES), by_cosine(lambda s, own: 64.0 * (s - 0.35 if own else s))),
    (ArcFace(margin=28.6, scale=20.0, **SIZES), arcface(28.6, 20.0)),
    (ArcFace(margin=80.0, scale=20.0, **SIZES), arcface(80.0, 20.0)),
    (
        ArcFacePeriodic(margin=80.0, scale=20.0, **SIZES),
        by_cosine(lambda s, own: 20.0 * (torch.cos(torch.arccos(s) + math.radians(80.0)) if own else s)),
    ),
]


@pytest.mark.parametrize(("ours", "loop"), LOOPS)
def test_agrees_with_loops(ours, loop):
    agree_with_loops(ours, loop)


class TestArcFacePastPi:
    """Own angles of 175°, 160° and 60° with a margin of 30°: the first two pass 180°."""

    def batch(self):
        angles = [math.radians(angle) for angle in (175, 160, 60)]
        points = torch.tensor([[math.cos(a), math.sin(a)] for a in angles], dtype=torch.float64)
        return points.requires_grad_(), torch.zeros(3, dtype=torch.int64)

    def make(self, margin):
        loss = ArcFace(margin=margin, scale=3.0, num_classes=2, embedding_dim=2)
        return with_proxies(loss, torch.tensor([[2.0, 0.0], [0.0, 0.5]]))

    def test_by_hand(self):
        m = math.radians(30)
        own = [math.cos(math.radians(angle)) - m * math.sin(m) for angle in (175, 160)] + [0.0]
        other = [math.cos(math.radians(angle)) for angle in (85, 70, 30)]
        expected = sum(math.log(1 + math.exp(3 * (b - a))) for a, b in zip(own, other, strict=True)) / 3
        assert self.make(30.0)(*self.batch()).item() == pytest.approx(expected)

    def test_agrees_with_pytorch_metric_learning(self):
        theirs = pml.ArcFaceLoss(2, 2, margin=30.0, scale=3.0).double()
        with torch.no_grad():
            theirs.W.copy_(torch.tensor([[2.0, 0.0], [0.0, 0.5]]))
        (one, labels), (two, _) = self.batch(), self.batch()
        ours = self.make(30.0)
        value, expected = ours(one, labels), theirs(two, labels)
        torch.testing.assert_close(value, expected)
        value.backward()
        expected.backward()
        torch.testing.assert_close(one.grad, two.grad)
        torch.testing.assert_close(ours.proxies.grad, theirs.W.grad.T)

    def test_the_logit_falls_with_the_angle_on_both_sides(self):
        degrees = torch.linspace(0, 180, 721, dtype=torch.float64)
        points = torch.stack([degrees.deg2rad().cos(), degrees.deg2rad().sin()], dim=1)
        loss = with_proxies(
            ArcFace(margin=30.0, scale=1.0, num_classes=2, embedding_dim=2), torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
        )
        values = torch.stack([loss(point[None], torch.tensor([0])) for point in points])
        assert (values.diff() > 0).all()


class TestAngularMarginsOnTheCircle(ProxiesOnTheCircle):
    def test_cosface(self):
        expected = math.log(1 + math.exp(5 * (self.FAR - self.NEAR + 0.3)))
        assert self.value(CosFace, margin=0.3, scale=5.0) == pytest.approx(expected)

    def test_arcface(self):
        """An angle of 30°, widened by 15° to 45°."""
        expected = math.log(1 + math.exp(5 * (self.FAR - math.sqrt(1 / 2))))
        assert self.value(ArcFace, margin=15.0, scale=5.0) == pytest.approx(expected)
