"""Center contrastive loss, rebuilt from a paper without code: centers that move, by loops."""

import math

import pytest
import torch
from few_points import LABELS, agree, cloud
from member_contracts import VectorContract
from plane import arrows
from proxy_cases import SIZES

from realitycheck.losses.members.ccl import CCL
from realitycheck.losses.members.normalized_softmax import NormalizedSoftmax


class TestCCLContract(VectorContract):
    family = "proxies"

    def make(self):
        return CCL(margin=0.2, temperature=0.1, center_weight=1.5, momentum=0.9, **self.sizes())


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
