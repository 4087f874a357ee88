"""MagFace: margins that grow with the length of an embedding."""

import math

import pytest
import torch
from member_contracts import VectorContract
from plane import arrows
from proxy_cases import SIZES, with_proxies
from pytorch_metric_learning import losses as pml
from vector_cases import LABELS, agree, angle, cloud, naive

from realitycheck.losses.members.arcface import ArcFace
from realitycheck.losses.members.magface import MagFace
from realitycheck.losses.members.normalized_softmax import NormalizedSoftmax

MAGFACE = {"lower_margin": 20.0, "margin_gap": 15.0, "lower_norm": 2.0, "upper_norm": 6.0, "norm_weight": 5.0}


class TestMagFaceContract(VectorContract):
    family = "proxies"

    def make(self):
        return MagFace(**MAGFACE, scale=20.0, **self.sizes())


class TestMagFace:
    def make(self, **changed):
        return MagFace(**(MAGFACE | changed), scale=10.0, **SIZES).double()

    def test_is_arcface_where_nothing_depends_on_length(self):
        """And where every own cosine is above 0: embeddings about their class vectors."""
        vectors = cloud(1).detach()[:6]
        points = cloud(0) + 2 * vectors[LABELS]
        ours = with_proxies(self.make(lower_margin=25.0, margin_gap=0.0, norm_weight=0.0), vectors)
        assert ((points * vectors[LABELS]).sum(dim=1) > 0).all()
        agree(ours, with_proxies(ArcFace(margin=25.0, scale=10.0, **SIZES), vectors), points=points)
        theirs = pml.ArcFaceLoss(num_classes=6, embedding_size=8, margin=25.0, scale=10.0).double()
        with torch.no_grad():
            theirs.W.copy_(vectors.T)
        agree(ours, theirs, points=points)

    def test_without_margins_is_normalised_softmax(self):
        ours = self.make(lower_margin=0.0, margin_gap=0.0, norm_weight=0.0)
        agree(ours, with_proxies(NormalizedSoftmax(temperature=0.1, **SIZES), ours.proxies))

    def test_by_loops(self):
        """Some lengths are below 2, some above 6, and some own cosines below 0."""
        loss = self.make()
        points = cloud(0) * torch.linspace(0.5, 3, 24, dtype=torch.float64)[:, None]
        lengths = points.norm(dim=1)
        assert (lengths < 2).any() and (lengths > 6).any()

        def own(point, vector):
            length = point.norm().clamp(2, 6)
            theta = angle(point, vector)
            margin = math.radians(20) + math.radians(15) * (length - 2) / 4
            return 10 * (torch.cos(theta + margin) if theta < math.pi / 2 else theta.cos())

        def other(point, vector):
            return 10 * angle(point, vector).cos()

        def theirs(points, labels):
            reward = sum(1 / point.norm().clamp(2, 6) + point.norm().clamp(2, 6) / 36 for point in points) / len(points)
            return naive(points, loss.proxies.detach(), own, other) + 5 * reward

        agree(loss, theirs, points=points)

    def test_on_the_circle(self):
        """Length 4 is half way from 2 to 6: a margin of 20° + 15°/2."""
        loss = MagFace(**MAGFACE, scale=3.0, num_classes=2, embedding_dim=2)
        value = with_proxies(loss, arrows(0, 90))(arrows(30, lengths=(4.0,)), torch.tensor([0]))
        near, far = math.cos(math.radians(57.5)), math.cos(math.radians(60))
        assert value.item() == pytest.approx(math.log(1 + math.exp(3 * (far - near))) + 5 * (1 / 4 + 4 / 36))

    def test_lengths_beyond_the_bounds_have_no_gradient(self):
        point = arrows(30, lengths=(9.0,)).requires_grad_()
        loss = MagFace(**MAGFACE, scale=3.0, num_classes=2, embedding_dim=2)
        with_proxies(loss, arrows(0, 90))(point, torch.tensor([0])).backward()
        assert (point.grad @ arrows(30).T).item() == pytest.approx(0, abs=1e-12)
