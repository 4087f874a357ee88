"""ProxyGML: the nearest proxies alone, in sub-classes."""

import copy
import math

import pytest
import torch
from member_contracts import VectorContract
from plane import arrows
from proxy_cases import SIZES, with_proxies
from vector_cases import LABELS, agree

from realitycheck.losses.members.normalized_softmax import NormalizedSoftmax
from realitycheck.losses.members.proxy_gml import ProxyGML


class TestProxyGMLContract(VectorContract):
    family = "proxies"

    def make(self):
        return ProxyGML(ratio=0.6, centers=3, regularizer=0.3, **self.sizes())


class TestProxyGML:
    @staticmethod
    def theirs(points, proxies, *, kept, centers, regularizer):
        """Item by item, with Python's sort."""
        unit = [proxy / proxy.norm() for proxy in proxies]
        classes = range(len(unit) // centers)
        total = 0.0
        for point, label in zip(points, LABELS.tolist(), strict=True):
            s = [point @ proxy / point.norm() for proxy in unit]
            order = sorted(range(len(s)), key=lambda j, s=s, y=label: (j // centers != y, -s[j].item()))[:kept]
            scores = {c: sum(s[j] for j in order if j // centers == c) for c in {j // centers for j in order}}
            total = total + torch.stack(list(scores.values())).logsumexp(dim=0) - scores[label]
        between = 0.0
        for j, proxy in enumerate(unit):
            r = [sum(proxy @ unit[c * centers + k] for k in range(centers)) for c in classes]
            between = between + torch.stack(r).logsumexp(dim=0) - r[j // centers]
        return total / len(points) + regularizer * between / len(unit)

    @pytest.mark.parametrize(("ratio", "kept"), [(0.3, 6), (0.5, 9), (1.0, 18), (0.01, 4)])
    def test_by_loops(self, ratio, kept):
        """⌈r·18⌉ proxies, and one more than a class has at the least."""
        loss = ProxyGML(ratio=ratio, centers=3, regularizer=0.3, **SIZES).double()
        copied = copy.deepcopy(loss.proxies)
        agree(loss, lambda points, labels: self.theirs(points, copied, kept=kept, centers=3, regularizer=0.3))
        torch.testing.assert_close(loss.proxies.grad, copied.grad)

    def test_with_one_proxy_each_and_all_kept_is_normalised_softmax(self):
        ours = ProxyGML(ratio=1.0, centers=1, regularizer=0.0, **SIZES).double()
        agree(ours, with_proxies(NormalizedSoftmax(temperature=1.0, **SIZES), ours.proxies))

    def test_on_the_circle(self):
        """Classes at 0° and 30°, 90° and 120°, 200° and 240°: beside class 2, 30° and 90° are nearest to 50°."""
        loss = ProxyGML(ratio=4 / 6, centers=2, regularizer=0.0, num_classes=3, embedding_dim=2)
        value = with_proxies(loss, arrows(0, 30, 90, 120, 200, 240))(arrows(50, lengths=(3.0,)), torch.tensor([2]))
        own = math.cos(math.radians(150)) + math.cos(math.radians(190))
        others = math.exp(math.cos(math.radians(20))) + math.exp(math.cos(math.radians(40)))
        assert value.item() == pytest.approx(math.log(math.exp(own) + others) - own)
