"""Large-margin softmax, SphereFace and SphereFace-R: angles that are widened by a factor."""

import math

import pytest
import torch
from member_contracts import VectorContract
from plane import arrows
from proxy_cases import SIZES, with_proxies
from pytorch_metric_learning import losses as pml
from torch.nn import functional
from vector_cases import LABELS, agree, angle, cloud, naive, psi

from realitycheck.losses.members.large_margin_softmax import LargeMarginSoftmax, widened
from realitycheck.losses.members.normalized_softmax import NormalizedSoftmax
from realitycheck.losses.members.sphereface import SphereFace
from realitycheck.losses.members.sphereface_r import SphereFaceR


class TestLargeMarginSoftmaxContract(VectorContract):
    family = "proxies"

    def make(self):
        return LargeMarginSoftmax(margin=3, lambda_min=1.0, **self.sizes())


class TestSphereFaceContract(VectorContract):
    family = "proxies"

    def make(self):
        return SphereFace(margin=4, lambda_min=5.0, **self.sizes())


class TestSphereFaceRContract(VectorContract):
    family = "proxies"

    def make(self):
        return SphereFaceR(margin=1.7, scale=30.0, **self.sizes())


def settled(loss):
    """The loss long after its annealing: λ is below 2e-15."""
    loss.steps.fill_(2**62)
    return loss


class TestLargeMargins:
    MARGINS = (1, 2, 3, 4)

    @pytest.mark.parametrize("margin", MARGINS)
    @pytest.mark.parametrize(
        ("ours", "theirs"), [(LargeMarginSoftmax, "LargeMarginSoftmax"), (SphereFace, "SphereFace")]
    )
    @pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")
    def test_agree_with_pytorch_metric_learning_after_annealing(self, ours, theirs, margin):
        loss = settled(ours(margin=margin, lambda_min=0.0, **SIZES).double())
        other = getattr(pml, f"{theirs}Loss")(num_classes=6, embedding_size=8, margin=margin).double()
        with torch.no_grad():
            other.W.copy_(loss.proxies.T)
        agree(loss, other)
        torch.testing.assert_close(loss.proxies.grad, other.W.grad.T, rtol=1e-7, atol=1e-9)

    @pytest.mark.parametrize("cls", [LargeMarginSoftmax, SphereFace])
    def test_by_loops_while_annealing(self, cls):
        """The third step: λ = 1000 / 1.36, or 800 where that is the least."""
        for least, weight in ((0.0, 1000 / 1.36), (800.0, 800.0)):
            loss = cls(margin=3, lambda_min=least, **SIZES).double()
            loss.steps.fill_(2)

            def scale(point, vector, cls=cls):
                return point.norm() * (vector.norm() if cls is LargeMarginSoftmax else 1)

            def own(point, vector, weight=weight, scale=scale):
                theta = angle(point, vector)
                return scale(point, vector) * (weight * theta.cos() + psi(theta, 3)) / (1 + weight)

            def other(point, vector, scale=scale):
                return scale(point, vector) * angle(point, vector).cos()

            vectors = loss.proxies.detach()
            agree(loss, lambda points, labels, v=vectors, o=own, f=other: naive(points, v, o, f))

    def test_margin_one_is_plain_softmax(self):
        loss = LargeMarginSoftmax(margin=1, lambda_min=0.0, **SIZES).double()
        agree(loss, lambda points, labels: functional.cross_entropy(points @ loss.proxies.T, labels))

    def test_margin_one_of_sphereface_is_softmax_of_unit_vectors(self):
        loss = SphereFace(margin=1, lambda_min=0.0, **SIZES).double()
        unit = functional.normalize(loss.proxies.detach(), dim=1)
        agree(loss, lambda points, labels: functional.cross_entropy(points @ unit.T, labels))

    def test_annealing_counts_training_steps_only(self):
        loss = SphereFace(margin=2, lambda_min=5.0, **SIZES)
        points = cloud(0).float()
        for _ in range(3):
            loss(points, LABELS)
        loss.eval()(points, LABELS)
        assert loss.steps.item() == 3

    @pytest.mark.parametrize("margin", (*MARGINS, 5))
    def test_psi_falls_from_1_without_a_jump(self, margin):
        theta = torch.linspace(0, math.pi, 2001, dtype=torch.float64)
        values = widened(theta.cos(), margin)
        expected = torch.stack([psi(angle, margin) for angle in theta])
        torch.testing.assert_close(values, expected)
        assert (values.diff() <= 1e-12).all()
        assert values[-1].item() == pytest.approx(1 - 2 * margin)

    def test_sphereface_on_the_circle(self):
        """Lengths 3 and 2; own angles 60° (2θ = 120°) and 150° (2θ = 300°, one turn on); first step, λ = 1000/1.12."""
        loss = with_proxies(
            SphereFace(margin=2, lambda_min=5.0, num_classes=2, embedding_dim=2), arrows(0, 90, lengths=(5.0, 0.1))
        )
        value = loss(arrows(60, 240, lengths=(3.0, 2.0)), torch.tensor([0, 1]))
        weight = 1000 / 1.12
        near = 3 * (weight * 0.5 + math.cos(math.radians(120))) / (1 + weight)
        far = 2 * (weight * math.cos(math.radians(150)) - math.cos(math.radians(300)) - 2) / (1 + weight)
        others = 3 * math.cos(math.radians(30)), 2 * math.cos(math.radians(240))
        expected = (math.log(1 + math.exp(others[0] - near)) + math.log(1 + math.exp(others[1] - far))) / 2
        assert value.item() == pytest.approx(expected)

    def test_large_margin_softmax_on_the_circle(self):
        """As above, and class vectors of lengths 5 and 0.1."""
        loss = with_proxies(
            LargeMarginSoftmax(margin=2, lambda_min=900.0, num_classes=2, embedding_dim=2),
            arrows(0, 90, lengths=(5.0, 0.1)),
        )
        value = loss(arrows(60, lengths=(3.0,)), torch.tensor([0]))
        near = 15 * (900 * 0.5 - 0.5) / 901
        assert value.item() == pytest.approx(math.log(1 + math.exp(0.3 * math.cos(math.radians(30)) - near)))


class TestSphereFaceR:
    @pytest.mark.parametrize("margin", [1.0, 1.5, 1.7, 2.5, 4.0])
    def test_by_loops(self, margin):
        """The margin's share of the logits is a constant to the gradient."""
        loss = SphereFaceR(margin=margin, scale=12.0, **SIZES).double()

        def own(point, vector):
            theta = angle(point, vector)
            return 12 * (theta.cos() + (psi(theta, margin) - theta.cos()).detach())

        def other(point, vector):
            return 12 * angle(point, vector).cos()

        agree(loss, lambda points, labels: naive(points, loss.proxies.detach(), own, other))

    def test_margin_one_is_normalised_softmax(self):
        loss = SphereFaceR(margin=1.0, scale=4.0, **SIZES)
        agree(loss.double(), with_proxies(NormalizedSoftmax(temperature=0.25, **SIZES), loss.proxies))

    def test_on_the_circle(self):
        """Own angle 60°, 1.5 times as wide 90°; other angle 30°."""
        loss = with_proxies(SphereFaceR(margin=1.5, scale=2.0, num_classes=2, embedding_dim=2), arrows(0, 90))
        value = loss(arrows(60, lengths=(7.0,)), torch.tensor([0]))
        assert value.item() == pytest.approx(math.log(1 + math.exp(2 * math.cos(math.radians(30)))))
