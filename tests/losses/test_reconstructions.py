"""Losses rebuilt from papers without code: hierarchical proxies and center contrastive loss."""

import math

import pytest
import torch

from realitycheck.losses.arcface import ArcFace
from realitycheck.losses.base import initialize
from realitycheck.losses.ccl import CCL
from realitycheck.losses.hierarchical_proxy import HierarchicalProxy
from realitycheck.losses.large_margin_softmax import LargeMarginSoftmax
from realitycheck.losses.normalized_softmax import NormalizedSoftmax
from realitycheck.losses.proxy_gml import ProxyGML
from realitycheck.losses.sphereface import SphereFace
from realitycheck.testing import LossContract

SIZES = {"num_classes": 6, "embedding_dim": 8}
LABELS = torch.arange(12) % 4
"""Two of six classes are absent."""


def sizes(case):
    return {"num_classes": case.classes, "embedding_dim": case.dims}


class TestHierarchicalProxyContract(LossContract):
    family = "proxies"
    stateful = True

    def make(self):
        base = NormalizedSoftmax(temperature=0.2, **sizes(self))
        return HierarchicalProxy(base=base, coarse_weight=0.5, clusters=2, recluster_every=2, **sizes(self))


class TestHierarchicalSphereFaceContract(LossContract):
    family = "proxies"
    stateful = True

    def make(self):
        base = SphereFace(margin=2, lambda_min=5.0, **sizes(self))
        return HierarchicalProxy(base=base, coarse_weight=0.5, clusters=3, recluster_every=1, **sizes(self))


class TestCCLContract(LossContract):
    family = "proxies"
    stateful = True

    def make(self):
        return CCL(margin=0.2, temperature=0.1, center_weight=1.5, momentum=0.9, **sizes(self))


CONTRACTS = [TestHierarchicalProxyContract, TestHierarchicalSphereFaceContract, TestCCLContract]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_trains_as_one_graph(contract):
    """With its backward, which must not take a changed buffer for the one that the forward has read."""
    case = contract()
    (one, two), (embeddings, labels) = case.twins(), case.batch()
    compiled = torch.compile(one, backend="aot_eager", fullgraph=True)
    for shift in range(4):
        points = embeddings.roll(shift, dims=1)
        torch.testing.assert_close(case.step(compiled, points, labels), case.step(two, points, labels))


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("scale", [0.0, 1e-20, 1e4])
def test_gradients_stay_finite_in_bfloat16_and_at_odd_lengths(contract, scale):
    case = contract()
    loss, (embeddings, labels) = case.make(), case.batch()
    leaf = (scale * embeddings.detach()).bfloat16().requires_grad_()
    value = loss(leaf, labels)
    value.backward()
    assert value.isfinite()
    assert leaf.grad.isfinite().all()
    assert all(each.grad.isfinite().all() for each in loss.parameters())
    assert all(each.isfinite().all() for each in loss.buffers())


@pytest.mark.parametrize("contract", CONTRACTS)
def test_nothing_changes_outside_of_training(contract):
    case = contract()
    loss, (embeddings, labels) = case.make(), case.batch()
    loss(embeddings, labels)
    before = {name: each.clone() for name, each in loss.state_dict().items()}
    loss.eval()(embeddings, labels)
    assert all(torch.equal(each, before[name]) for name, each in loss.state_dict().items())


def cloud(seed, *shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def arrows(*degrees):
    return torch.tensor([[math.cos(math.radians(a)), math.sin(math.radians(a))] for a in degrees], dtype=torch.float64)


def cosine(one, two):
    return one @ two / (one.norm() * two.norm())


def agree(ours, theirs, points=None):
    points = cloud(0, 12, 8) if points is None else points
    one, two = points.clone().requires_grad_(), points.clone().requires_grad_()
    value, expected = ours(one, LABELS), theirs(two, LABELS)
    torch.testing.assert_close(value, expected)
    value.backward()
    expected.backward()
    torch.testing.assert_close(one.grad, two.grad)


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
            logits = torch.stack([4 * cosine(point, each) for each in proxies])
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
        fine = [math.cos(math.radians(each)) for each in (60, 30, 30)]
        coarse = [math.cos(math.radians(each)) for each in (45, 30)]
        expected = math.log(sum(math.exp(4 * each) for each in fine)) - 4 * fine[2]
        expected += 2 * (math.log(sum(math.exp(4 * each) for each in coarse)) - 4 * coarse[0])
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
        for wrapped, got in ((base, r"'proxies': \(12, 8\)"), (TestCCL().make(), "{}")):
            with pytest.raises(ValueError, match=r"shape \(6, 8\); got .*" + got):
                HierarchicalProxy(base=wrapped, coarse_weight=1.0, clusters=2, recluster_every=1, **SIZES)

    def test_keeps_what_the_base_keeps(self):
        base = LargeMarginSoftmax(margin=2, lambda_min=1.0, **SIZES)
        for wrapped, kept in ((base, True), (NormalizedSoftmax(temperature=1.0, **SIZES), False)):
            loss = HierarchicalProxy(base=wrapped, coarse_weight=1.0, clusters=2, recluster_every=1, **SIZES)
            before = [each.clone() for each in loss.parameters()]
            initialize(loss, rule="unit_norm", generator=torch.Generator().manual_seed(0))
            assert [torch.equal(a, b) for a, b in zip(loss.parameters(), before, strict=True)] == [kept, kept]


class TestCCL:
    def make(self, **changed):
        knobs = {"margin": 0.2, "temperature": 0.25, "center_weight": 1.5, "momentum": 0.6} | changed
        return CCL(**knobs, **SIZES).double()

    @staticmethod
    def moved(centers, points, labels):
        """New centers by loops; a class that has none yet takes its mean alone."""
        new = dict(centers)
        for c in sorted(set(labels)):
            unit = [p / p.norm() for p, label in zip(points.detach(), labels, strict=True) if label == c]
            mean = sum(unit) / len(unit)
            mixed = 0.6 * centers[c] + 0.4 * mean if c in centers else mean
            new[c] = mixed / mixed.norm()
        return new

    @staticmethod
    def contrast(points, labels, centers):
        total = 0.0
        for point, label in zip(points, labels, strict=True):
            unit = point / point.norm()
            own = torch.exp((unit @ centers[label] - 0.2) / 0.25)
            rest = sum(torch.exp(unit @ center / 0.25) for c, center in centers.items() if c != label)
            total = total - torch.log(own / (own + rest)) + 1.5 * ((unit - centers[label]) ** 2).sum()
        return total / len(points)

    def test_three_steps_by_loops(self):
        """Classes 0 to 3, then 2 to 5, then 0 to 3 again: four centers are known at first, six later."""
        loss, centers = self.make(), {}
        for step, first in enumerate((0, 2, 0)):
            one, two = (cloud(step, 12, 8).requires_grad_() for _ in range(2))
            labels = LABELS + first
            centers = self.moved(centers, two, labels.tolist())
            value, expected = loss(one, labels), self.contrast(two, labels.tolist(), centers)
            torch.testing.assert_close(value, expected)
            value.backward()
            expected.backward()
            torch.testing.assert_close(one.grad, two.grad)
            assert loss.seen.nonzero().flatten().tolist() == sorted(centers)
            for c, center in centers.items():
                torch.testing.assert_close(loss.centers[c], center)

    def test_without_margin_and_pull_is_normalised_softmax_on_its_centers(self):
        loss = self.make(margin=0.0, center_weight=0.0)
        loss(cloud(1, 12, 8), torch.arange(12) % 6)
        softmax = NormalizedSoftmax(temperature=0.25, **SIZES).double()
        with torch.no_grad():
            softmax.proxies.copy_(loss.eval().centers)
        agree(loss, softmax)

    def test_on_the_circle(self):
        """0° and 60° of class 0 have their center at 30°, 90° is its own; cosines √3/2 twice and 1, 0, √3/2 and 1/2."""
        loss = CCL(margin=0.1, temperature=0.5, center_weight=2.0, momentum=0.9, num_classes=2, embedding_dim=2)
        value = loss.double()(3 * arrows(0, 60, 90), torch.tensor([0, 0, 1]))
        root = math.sqrt(3) / 2
        gaps = (0 - root + 0.1, root - root + 0.1, 0.5 - 1 + 0.1)
        pull = 2 * (2 * (2 - 2 * root) + 0)
        assert value.item() == pytest.approx((sum(math.log(1 + math.exp(2 * gap)) for gap in gaps) + pull) / 3)
