"""Hierarchical proxies, rebuilt from a paper without code: k-means by loops, and the loss on both levels."""

import math

import pytest
import torch
from few_points import LABELS, agree, cloud
from member_contracts import VectorContract
from plane import arrows
from proxy_cases import SIZES, cosine

from realitycheck.losses.base import initialize
from realitycheck.losses.members.arcface import ArcFace
from realitycheck.losses.members.ccl import CCL
from realitycheck.losses.members.hierarchical_proxy import HierarchicalProxy
from realitycheck.losses.members.large_margin_softmax import LargeMarginSoftmax
from realitycheck.losses.members.normalized_softmax import NormalizedSoftmax
from realitycheck.losses.members.proxy_gml import ProxyGML
from realitycheck.losses.members.sphereface import SphereFace


class TestHierarchicalProxyContract(VectorContract):
    family = "proxies"

    def make(self):
        base = NormalizedSoftmax(temperature=0.2, **self.sizes())
        return HierarchicalProxy(base=base, coarse_weight=0.5, clusters=2, recluster_every=2, **self.sizes())


class TestHierarchicalSphereFaceContract(VectorContract):
    family = "proxies"

    def make(self):
        base = SphereFace(margin=2, lambda_min=5.0, **self.sizes())
        return HierarchicalProxy(base=base, coarse_weight=0.5, clusters=3, recluster_every=1, **self.sizes())


class TestHierarchicalProxy:
    def make(self, proxies=None, *, weight=0.5, clusters=3, every=1, base=None):
        proxies = cloud(1, 6, 8) if proxies is None else proxies
        sized = {"num_classes": len(proxies), "embedding_dim": proxies.shape[1]}
        base = base or NormalizedSoftmax(temperature=0.25, **sized)
        loss = HierarchicalProxy(base=base, coarse_weight=weight, clusters=clusters, recluster_every=every, **sized)
        with torch.no_grad():
            loss.double().base.proxies.copy_(proxies)
        return loss

    @staticmethod
    def lloyd(proxies, centroids):
        """One iteration by loops: the nearest centroid of each proxy, and the new centroids."""
        nearest = [max(range(len(centroids)), key=lambda k, p=p: cosine(p, centroids[k])) for p in proxies]
        groups = [[p for p, near in zip(proxies, nearest, strict=True) if near == k] for k in range(len(centroids))]
        return nearest, [sum(g) / len(g) if g else c for g, c in zip(groups, centroids, strict=True)]

    @staticmethod
    def softmax(points, proxies, labels):
        """Normalised softmax with temperature 1/4, item by item."""
        total = 0.0
        for point, label in zip(points, labels, strict=True):
            logits = torch.stack([4 * cosine(point, proxy) for proxy in proxies])
            total = total + logits.logsumexp(dim=0) - logits[label]
        return total / len(points)

    def test_first_step_by_loops(self):
        """The first three proxies are the first centroids."""
        loss = self.make()
        proxies = list(cloud(1, 6, 8))
        nearest, coarse = self.lloyd(proxies, proxies[:3])

        def theirs(points, labels):
            groups = [nearest[label] for label in labels.tolist()]
            return self.softmax(points, proxies, labels.tolist()) + 0.5 * self.softmax(points, coarse, groups)

        agree(loss, theirs)

    def test_clusters_follow_the_proxies_on_schedule(self):
        """Seven steps, clusters taken over at the first and every third; proxies move in between."""
        loss = self.make(every=3)
        centroids, taken, coarse = list(loss.base.proxies.detach()[:3].clone()), None, None
        for step in range(7):
            moving = loss.base.proxies.detach().clone()
            nearest, centroids = self.lloyd(list(moving), centroids)
            if step % 3 == 0:
                taken, coarse = nearest, torch.stack(centroids)
            loss(cloud(step, 12, 8), LABELS)
            assert loss.coarse_labels.tolist() == taken
            torch.testing.assert_close(loss.coarse.proxies.detach(), coarse)
            torch.testing.assert_close(loss.centroids, torch.stack(centroids))
            with torch.no_grad():
                loss.base.proxies.add_(0.7 * cloud(100 + step, 6, 8))
                loss.coarse.proxies.add_(0.1)
                coarse = coarse + 0.1
        assert loss.steps.item() == 7

    def test_bundles_are_found(self):
        """Nine proxies about three directions, of any length."""
        degrees = (0, 120, 240, 10, 130, 250, -10, 110, 230)
        loss = self.make(torch.arange(1, 10)[:, None] * arrows(*degrees))
        for _ in range(3):
            loss(cloud(0, 12, 2), LABELS)
        assert loss.coarse_labels.tolist() == [0, 1, 2] * 3

    def test_an_empty_cluster_keeps_its_mean(self):
        """Two equal proxies come first: all that is near to both goes to one of them."""
        loss = self.make(arrows(0, 0, 90, 100), clusters=3)
        loss(cloud(0, 12, 2), LABELS)
        assert loss.coarse_labels.tolist() == [0, 0, 2, 2]
        torch.testing.assert_close(loss.centroids[1], arrows(0)[0])

    def test_on_the_circle(self):
        """Proxies at 0°, 90° and 30°: the third joins the first at 15°."""
        loss = self.make(arrows(0, 90, 30), clusters=2, weight=2.0)
        value = loss(3 * arrows(60), torch.tensor([2]))
        fine = [math.cos(math.radians(angle)) for angle in (60, 30, 30)]
        coarse = [math.cos(math.radians(angle)) for angle in (45, 30)]
        expected = math.log(sum(math.exp(4 * cosine) for cosine in fine)) - 4 * fine[2]
        expected += 2 * (math.log(sum(math.exp(4 * cosine) for cosine in coarse)) - 4 * coarse[0])
        assert value.item() == pytest.approx(expected)

    def test_without_weight_is_the_base(self):
        loss = self.make(weight=0.0)
        agree(loss, loss.base)

    @pytest.mark.parametrize(
        "base", [ArcFace(margin=20.0, scale=9.0, **SIZES), NormalizedSoftmax(temperature=1.0, **SIZES)]
    )
    def test_with_one_cluster_adds_a_constant(self, base):
        """One coarse class cannot be mistaken: its cross entropy is 0."""
        loss = self.make(clusters=1, base=base)
        agree(loss, loss.base)

    def test_no_more_clusters_than_classes(self):
        assert self.make(clusters=50).coarse.proxies.shape == (6, 8)

    def test_other_shapes_are_refused(self):
        base = ProxyGML(ratio=0.5, centers=2, regularizer=0.0, **SIZES)
        for wrapped, got in (
            (base, r"'proxies': \(12, 8\)"),
            (CCL(margin=0.2, temperature=0.25, center_weight=1.5, momentum=0.6, **SIZES), "{}"),
        ):
            with pytest.raises(ValueError, match=r"shape \(6, 8\).*" + got):
                HierarchicalProxy(base=wrapped, coarse_weight=1.0, clusters=2, recluster_every=1, **SIZES)

    def test_keeps_what_the_base_keeps(self):
        base = LargeMarginSoftmax(margin=2, lambda_min=1.0, **SIZES)
        for wrapped, kept in ((base, True), (NormalizedSoftmax(temperature=1.0, **SIZES), False)):
            loss = HierarchicalProxy(base=wrapped, coarse_weight=1.0, clusters=2, recluster_every=1, **SIZES)
            before = [parameter.clone() for parameter in loss.parameters()]
            initialize(loss, rule="unit_norm", generator=torch.Generator().manual_seed(0))
            assert [torch.equal(a, b) for a, b in zip(loss.parameters(), before, strict=True)] == [kept, kept]
