"""SGSL: smoothed softmax, and centres once it is low."""

import copy
import math

import pytest
import torch
from member_contracts import VectorContract
from plane import arrows
from proxy_cases import SIZES, with_proxies
from torch.nn import functional
from vector_cases import LABELS, agree, angle, cloud

from realitycheck.losses.members.sgsl import SGSL


class TestSGSLContract(VectorContract):
    family = "proxies"

    def make(self):
        return SGSL(smoothing=0.1, scale=30.0, center_weight=1.0, threshold=3.0, **self.sizes())


class TestSGSL:
    def make(self, threshold=3.0, std=0.1, **changed):
        knobs = {"smoothing": 0.2, "scale": 30.0, "center_weight": 0.7} | changed
        loss = SGSL(**knobs, threshold=threshold, **SIZES)
        return with_proxies(loss, std * torch.randn(6, 8, generator=torch.Generator().manual_seed(1)))

    @staticmethod
    def entropy(points, proxies, smoothing):
        total = 0.0
        for point, label in zip(points, LABELS.tolist(), strict=True):
            logits = proxies @ point
            log = logits - logits.logsumexp(dim=0)
            total = total - sum((1 - smoothing if c == label else smoothing / 5) * log[c] for c in range(6))
        return total / len(points)

    @staticmethod
    def center(points, proxies):
        total = 0.0
        for point, label in zip(points, LABELS.tolist(), strict=True):
            s = [angle(point, proxy).cos() for proxy in proxies.detach()]
            rest = sum(torch.exp(30 * value) for c, value in enumerate(s) if c != label)
            total = total + torch.log(1 + torch.exp(rest.log() / 30 - s[label]))
        return total / len(points)

    @pytest.mark.parametrize(("std", "on"), [(0.1, 1), (3.0, 0)])
    def test_by_loops_on_both_sides_of_the_switch(self, std, on):
        loss = self.make(std=std)
        assert (self.entropy(cloud(0), loss.proxies, 0.2) <= 3) == on
        copied = copy.deepcopy(loss.proxies)

        def theirs(points, labels):
            return self.entropy(points, copied, 0.2) + on * 0.7 * self.center(points, copied)

        agree(loss, theirs)
        torch.testing.assert_close(loss.proxies.grad, copied.grad)

    def test_below_a_threshold_of_0_is_smoothed_softmax(self):
        loss = self.make(threshold=0.0, smoothing=0.0)
        agree(loss, lambda points, labels: functional.cross_entropy(points @ loss.proxies.T, labels))

    def test_on_the_circle(self):
        """Two classes: the log-sum over the only other class is its similarity."""
        loss = SGSL(smoothing=0.25, scale=7.0, center_weight=2.0, threshold=3.0, num_classes=2, embedding_dim=2)
        value = with_proxies(loss, arrows(0, 90, lengths=(0.5, 0.5)))(arrows(60, lengths=(2.0,)), torch.tensor([0]))
        near, far = math.cos(math.radians(60)), math.cos(math.radians(30))
        own = math.log(1 + math.exp(far - near))
        entropy = 0.75 * own + 0.25 * (own + near - far)
        assert value.item() == pytest.approx(entropy + 2 * math.log(1 + math.exp(far - near)))
