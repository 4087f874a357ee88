"""Losses with a network over the batch: intra-batch connections and hypergraph-induced tuplets."""

import math

import pytest
import torch
from pytorch_metric_learning import losses as pml
from torch.nn import functional

from realitycheck.losses.base import initialize
from realitycheck.losses.batch_network import AttentionBlock, BatchNorm, Dropout
from realitycheck.losses.hist import HIST, propagation
from realitycheck.losses.ibc import IBC
from realitycheck.losses.normalized_softmax import NormalizedSoftmax
from realitycheck.testing import LossContract

SIZES = {"num_classes": 6, "embedding_dim": 8}
LABELS = torch.arange(12) % 4
"""Two of six classes are absent."""

KNOBS = {"temperature": 0.2, "smoothing": 0.1, "attention_weight": 1.0, "layers": 1, "heads": 2, "readout": "last"}


class TestIBCContract(LossContract):
    numbered = True
    draws = True
    stateful = True

    def make(self):
        knobs = KNOBS | {"layers": 2, "readout": "all"}
        return IBC(**knobs, dropout=0.1, seed=3, num_classes=self.classes, embedding_dim=self.dims)


class TestIBCWithoutDropoutContract(LossContract):
    numbered = True
    stateful = True

    def make(self):
        return IBC(**KNOBS, dropout=0.0, seed=3, num_classes=self.classes, embedding_dim=self.dims)


class TestHISTContract(LossContract):
    numbered = True
    stateful = True

    def make(self):
        knobs = {"scale": 8.0, "alpha": 1.1, "graph_weight": 1.0, "hidden": 20}
        return HIST(**knobs, num_classes=self.classes, embedding_dim=self.dims)


CONTRACTS = [TestIBCContract, TestIBCWithoutDropoutContract, TestHISTContract]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_trains_as_one_graph(contract):
    """With its backward, which must not take a changed buffer for the one that the forward has read."""
    case = contract()
    (one, two), (embeddings, labels) = case.twins(), case.batch()
    compiled = torch.compile(one, backend="aot_eager", fullgraph=True)
    for _ in range(2):
        torch.testing.assert_close(case.step(compiled, embeddings, labels), case.step(two, embeddings, labels))


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("scale", [0.0, 1e-20, 1e4])
@pytest.mark.parametrize("size", [1, 16])
def test_gradients_stay_finite_in_bfloat16_and_at_odd_lengths(contract, scale, size):
    case = contract()
    loss, (embeddings, labels) = case.make(), case.batch()
    leaf = (scale * embeddings.detach()[:size]).bfloat16().requires_grad_()
    value = loss(leaf, labels[:size])
    value.backward()
    assert value.isfinite()
    assert leaf.grad.isfinite().all()
    assert all(each.grad.isfinite().all() for each in loss.parameters())


@pytest.mark.parametrize("contract", CONTRACTS)
def test_networks_keep_their_initial_values(contract):
    """Only HIST's means are class vectors whose length has no meaning."""
    loss = contract().make()
    before = {name: each.clone() for name, each in loss.named_parameters()}
    initialize(loss, rule="standard_normal", generator=torch.Generator().manual_seed(0))
    changed = {name for name, each in loss.named_parameters() if not torch.equal(each, before[name])}
    assert changed == ({"proxies"} if isinstance(loss, HIST) else set())


@pytest.mark.parametrize("contract", CONTRACTS)
def test_nothing_changes_outside_of_training(contract):
    case = contract()
    loss, (embeddings, labels) = case.make().eval(), case.batch()
    before = {name: each.clone() for name, each in loss.named_buffers()}
    assert torch.equal(loss(embeddings, labels), loss(embeddings, labels))
    assert all(torch.equal(each, before[name]) for name, each in loss.named_buffers())


def cloud(seed, *shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def shaken(loss):
    """In float64, with biases, scales and all in general position."""
    loss = loss.double()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for each in loss.parameters():
            each.add_(0.3 * torch.randn(each.shape, dtype=torch.float64, generator=generator))
    return loss


def agree(ours, theirs):
    one, two = (cloud(0, 12, 8).requires_grad_() for _ in range(2))
    value, expected = ours(one, LABELS), theirs(two, LABELS)
    torch.testing.assert_close(value, expected)
    value.backward()
    expected.backward()
    torch.testing.assert_close(one.grad, two.grad)


def smoothed(logits, labels, epsilon):
    """Cross entropy against 1 - ε on the own class and ε/C on every class, item by item."""
    total = 0.0
    for row, label in zip(logits, labels.tolist(), strict=True):
        log = row - row.logsumexp(dim=0)
        total = total - (1 - epsilon) * log[label] - epsilon * log.mean()
    return total / len(logits)


def over_batch(norm, rows):
    """Batch normalisation by its formula."""
    center = sum(rows) / len(rows)
    spread = sum((row - center) ** 2 for row in rows) / len(rows)
    shift = 0 if norm.bias is None else norm.bias
    return [(row - center) / (spread + norm.eps).sqrt() * norm.weight + shift for row in rows]


def over_features(norm, row):
    return (row - row.mean()) / ((row - row.mean()).square().mean() + norm.eps).sqrt() * norm.weight + norm.bias


def affine(layer, row):
    return layer.weight @ row + layer.bias


class TestIBC:
    def make(self, **changed):
        return shaken(IBC(**(KNOBS | changed), dropout=0.0, seed=0, **SIZES))

    @staticmethod
    def attended(block, rows):
        """One block, by loops over items and heads."""
        query, key, value = ([affine(layer, row) for row in rows] for layer in (block.query, block.key, block.value))
        width = len(rows[0]) // block.heads
        result = []
        for i, row in enumerate(rows):
            mixed = []
            for part in (slice(h * width, (h + 1) * width) for h in range(block.heads)):
                weights = [torch.exp(query[i][part] @ k[part] / math.sqrt(width)) for k in key]
                mixed.append(sum(w * v[part] for w, v in zip(weights, value, strict=True)) / (1 + sum(weights)))
            between = over_features(block.first_norm, row + affine(block.out, torch.cat(mixed)))
            after = affine(block.narrow, affine(block.widen, between).clamp_min(0))
            result.append(over_features(block.second_norm, between + after))
        return result

    @pytest.mark.parametrize(("layers", "heads", "readout"), [(1, 2, "last"), (2, 4, "all"), (2, 1, "last")])
    def test_by_loops(self, layers, heads, readout):
        loss = self.make(layers=layers, heads=heads, readout=readout, attention_weight=0.7)

        def theirs(points, labels):
            alone = torch.stack([loss.proxies @ point + loss.bias for point in points])
            rows, outputs = [affine(loss.entry, point / point.norm()) for point in points], []
            for block in loss.blocks:
                rows = self.attended(block, rows)
                outputs.append(rows)
            read = outputs if readout == "all" else outputs[-1:]
            joined = over_batch(loss.neck, [torch.cat(each) for each in zip(*read, strict=True)])
            together = torch.stack([loss.classifier @ each for each in joined])
            return smoothed(alone / 0.2, labels, 0.1) + 0.7 * smoothed(together / 0.2, labels, 0.1)

        agree(loss, theirs)

    def test_without_attention_is_smoothed_cross_entropy(self):
        loss = self.make(attention_weight=0.0)

        def theirs(points, labels):
            return functional.cross_entropy((points @ loss.proxies.T + loss.bias) / 0.2, labels, label_smoothing=0.1)

        agree(loss, theirs)

    def test_on_the_circle(self):
        """Logits 2 cos 60° + 0.5 and 3 cos 30°, each over 0.5, as the embedding has length 1."""
        knobs = KNOBS | {"temperature": 0.5, "smoothing": 0.2, "attention_weight": 0.0}
        loss = IBC(**knobs, dropout=0.0, seed=0, num_classes=2, embedding_dim=2).double()
        with torch.no_grad():
            loss.proxies.copy_(torch.tensor([[2.0, 0.0], [0.0, 3.0]]))
            loss.bias.copy_(torch.tensor([0.5, 0.0]))
        point = torch.tensor([[math.cos(math.radians(60)), math.sin(math.radians(60))]], dtype=torch.float64)
        behind = (3 * math.cos(math.radians(30)) - 1.5) / 0.5
        expected = 0.9 * math.log(1 + math.exp(behind)) + 0.1 * math.log(1 + math.exp(-behind))
        assert loss(point, torch.tensor([0])).item() == pytest.approx(expected)

    def test_unequal_heads_are_refused(self):
        with pytest.raises(ValueError, match="heads must divide"):
            AttentionBlock(8, 3, Dropout(0.0, 0))


class TestDropout:
    def test_drops_its_part_and_keeps_the_mean(self):
        """Of 40,000 values 30 % within five standard deviations, and what is left is larger by 1/0.7."""
        values = Dropout(0.3, 7)(torch.ones(200, 200))
        assert values.unique().tolist() == pytest.approx([0, 1 / 0.7])
        assert abs((values == 0).double().mean().item() - 0.3) < 5 * math.sqrt(0.21 / 40_000)

    def test_follows_from_seed_and_count(self):
        ones = torch.ones(50, 50)
        one, two, other = Dropout(0.5, 7), Dropout(0.5, 7), Dropout(0.5, 8)
        first = one(ones)
        assert torch.equal(first, two(ones))
        assert not torch.equal(first, other(ones))
        assert not torch.equal(first, one(ones))
        two.load_state_dict(one.state_dict())
        assert torch.equal(one(ones), two(ones))

    def test_layers_differ(self):
        loss = IBC(**(KNOBS | {"layers": 2}), dropout=0.5, seed=2**62 + 1, **SIZES)
        one, two = (block.drop(torch.ones(50, 50)) for block in loss.blocks)
        assert not torch.equal(one, two)

    def test_is_silent_outside_of_training(self):
        drop = Dropout(0.5, 7).eval()
        assert torch.equal(drop(torch.ones(9, 9)), torch.ones(9, 9))
        assert drop.draws.item() == 0


def test_batch_norm_of_one_item_uses_the_running_statistics():
    norm = BatchNorm(3)
    norm(torch.randn(20, 3, generator=torch.Generator().manual_seed(0)))
    one = torch.tensor([[1.0, 2.0, 3.0]])
    assert torch.equal(norm(one), norm.eval()(one))


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
            means = [each / each.norm() for each in loss.proxies]
            spreads = [each.clamp(0, 6).exp() for each in loss.log_variances]
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
            outer = [affine(loss.outer, functional.leaky_relu(each, 0.1)) for each in hidden]
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
