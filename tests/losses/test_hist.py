"""Hypergraph-induced semantic tuplets: distributions and a network by loops."""

import math

import pytest
import torch
from few_points import agree
from layers import affine, over_batch, shaken, smoothed
from member_contracts import NetworkContract
from proxy_cases import SIZES
from pytorch_metric_learning import losses as pml
from torch.nn import functional

from realitycheck.losses.members.hist import HIST, propagation
from realitycheck.losses.members.normalized_softmax import NormalizedSoftmax


class TestHISTContract(NetworkContract):
    drawn = frozenset({"proxies"})

    def make(self):
        knobs = {"scale": 8.0, "alpha": 1.1, "graph_weight": 1.0, "hidden": 20}
        return HIST(**knobs, **self.sizes())


class TestHIST:
    def make(self, **changed):
        knobs = {"scale": 4.0, "alpha": 1.1, "graph_weight": 0.7, "hidden": 5} | changed
        return HIST(**knobs, **SIZES).double()

    def test_by_loops(self):
        """Log-variances on both sides of 0 and above 6."""
        loss = shaken(self.make())
        with torch.no_grad():
            loss.log_variances.mul_(10)
        assert (loss.log_variances < 0).any() and (loss.log_variances > 6).any()

        def theirs(points, labels):
            means = [proxy / proxy.norm() for proxy in loss.proxies]
            spreads = [log_variance.clamp(0, 6).exp() for log_variance in loss.log_variances]
            gap = [[((x / x.norm() - m) ** 2 / v).sum() for m, v in zip(means, spreads, strict=True)] for x in points]
            first = smoothed(-4 * torch.stack([torch.stack(row) for row in gap]), labels, 0.0)
            y, n = labels.tolist(), range(len(points))
            edges = [[1.0 if y[i] == c else torch.exp(-1.1 * gap[i][c]) for c in sorted(set(y))] for i in n]
            node = [sum(row) for row in edges]
            edge = [sum(column) for column in zip(*edges, strict=True)]
            graph = [[sum(a * b / e for a, b, e in zip(edges[i], edges[j], edge, strict=True)) for j in n] for i in n]
            graph = [[graph[i][j] / (node[i] * node[j]) ** 0.5 for j in n] for i in n]
            inner = [affine(loss.inner, x) for x in points]
            hidden = over_batch(loss.norm, [sum(graph[i][j] * inner[j] for j in n) for i in n])
            outer = [affine(loss.outer, functional.leaky_relu(feature, 0.1)) for feature in hidden]
            logits = torch.stack([sum(graph[i][j] * outer[j] for j in n) for i in n])
            return first + 0.7 * smoothed(logits, labels, 0.0)

        agree(loss, theirs)

    @pytest.mark.parametrize("below", [0.0, -3.0])
    def test_with_unit_variances_alone_is_proxy_nca_plus_plus(self, below):
        """At v ≤ 0, e^v is 1 and M = |x̂ - μ̂|² = 2 - 2s, so -τM is 2τs and a constant: T = 1/(2τ), or scale τ."""
        loss = self.make(graph_weight=0.0)
        with torch.no_grad():
            loss.log_variances.fill_(below)
        softmax = NormalizedSoftmax(temperature=1 / 8, **SIZES).double()
        nca = pml.ProxyNCALoss(num_classes=6, embedding_size=8, softmax_scale=4.0).double()
        with torch.no_grad():
            softmax.proxies.copy_(loss.proxies)
            nca.proxies.copy_(loss.proxies)
        agree(loss, softmax)
        agree(loss, nca)

    def test_propagation_of_two_nodes_by_hand(self):
        """Edges {1, h} and {k, 1}."""
        h, k = 0.5, 0.25
        graph = propagation(torch.tensor([[1.0, h, 0.0], [k, 1.0, 0.0]], dtype=torch.float64))
        across = (k / (1 + k) + h / (1 + h)) / math.sqrt((1 + h) * (1 + k))
        first, second = (1 / (1 + k) + h * h / (1 + h)) / (1 + h), (k * k / (1 + k) + 1 / (1 + h)) / (1 + k)
        expected = torch.tensor([[first, across], [across, second]], dtype=torch.float64)
        torch.testing.assert_close(graph, expected)

    def test_on_the_circle(self):
        """Means at 0° and 90°, the variance e² across: from 60°, M is 1/4 + 3/(4e²) and 1/4 + (1 - √3/2)²."""
        loss = HIST(scale=3.0, alpha=1.0, graph_weight=0.0, hidden=4, num_classes=2, embedding_dim=2).double()
        with torch.no_grad():
            loss.proxies.copy_(torch.tensor([[5.0, 0.0], [0.0, 0.5]]))
            loss.log_variances.copy_(torch.tensor([[-1.0, 2.0], [0.0, 0.0]]))
        point = 7 * torch.tensor([[math.cos(math.radians(60)), math.sin(math.radians(60))]], dtype=torch.float64)
        own, other = 0.25 + 0.75 / math.exp(2), 0.25 + (1 - math.sqrt(3) / 2) ** 2
        assert loss(point, torch.tensor([0])).item() == pytest.approx(math.log(1 + math.exp(3 * (own - other))))
