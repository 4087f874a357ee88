"""Cross entropies of linear layers, of cosines and of distances."""

import math

import pytest
import torch
from member_contracts import ProxyContract
from proxy_cases import (
    LABELS,
    SIZES,
    ProxiesOnTheCircle,
    agree,
    agree_with_library,
    agree_with_loops,
    by_cosine,
    cloud,
    softmax,
    with_proxies,
)
from pytorch_metric_learning import losses as pml
from torch.nn import functional

from realitycheck.losses.members.cosine_cross_entropy import CosineCrossEntropy
from realitycheck.losses.members.cross_entropy import CrossEntropy
from realitycheck.losses.members.euclidean_softmax import EuclideanSoftmax
from realitycheck.losses.members.normalized_softmax import NormalizedSoftmax


class TestCrossEntropyContract(ProxyContract):
    length_matters = True

    def make(self):
        return CrossEntropy(smoothing=0.1, **self.sizes())


class TestCosineCrossEntropyContract(ProxyContract):
    def make(self):
        return CosineCrossEntropy(scale=20.0, **self.sizes())


class TestEuclideanSoftmaxContract(ProxyContract):
    length_matters = True

    def make(self):
        return EuclideanSoftmax(temperature=2.0, **self.sizes())


PML = [
    *(
        (NormalizedSoftmax(temperature=t, **SIZES), pml.NormalizedSoftmaxLoss(6, 8, temperature=t), "W")
        for t in (0.05, 1.0)
    ),
    *(
        (CosineCrossEntropy(scale=1 / t, **SIZES), pml.NormalizedSoftmaxLoss(6, 8, temperature=t), "W")
        for t in (0.05, 1.0)
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "name"), PML)
def test_agrees_with_pytorch_metric_learning(ours, theirs, name):
    agree_with_library(ours, theirs, name)


LOOPS = [
    (CosineCrossEntropy(scale=20.0, **SIZES), by_cosine(lambda s, own: 20.0 * s)),
    (NormalizedSoftmax(temperature=0.05, **SIZES), by_cosine(lambda s, own: s / 0.05)),
]


@pytest.mark.parametrize(("ours", "loop"), LOOPS)
def test_agrees_with_loops(ours, loop):
    agree_with_loops(ours, loop)


def smoothed(smoothing, bias):
    def loss(points, proxies):
        total = 0.0
        for point, label in zip(points, LABELS.tolist(), strict=True):
            logits = [point @ proxy + b for proxy, b in zip(proxies, bias, strict=True)]
            log = [value - torch.log(sum(torch.exp(other) for other in logits)) for value in logits]
            total = total - sum((1 - smoothing if c == label else smoothing / 5) * log[c] for c in range(6))
        return total / len(points)

    return loss


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.8])
def test_cross_entropy_agrees_with_loops(smoothing):
    ours = with_proxies(CrossEntropy(smoothing=smoothing, **SIZES), cloud(1, rows=6, lengths=(-2, 0)))
    torch.nn.init.uniform_(ours.bias, -2, 2)
    bias = ours.bias.detach().clone().requires_grad_()
    agree(ours, smoothed(smoothing, bias), points=cloud(0, lengths=(-1, 1)))
    torch.testing.assert_close(ours.bias.grad, bias.grad)


def test_cross_entropy_is_that_of_a_linear_layer():
    ours = CrossEntropy(smoothing=0.0, **SIZES).double()
    layer = torch.nn.Linear(8, 6).double()
    with torch.no_grad():
        ours.proxies.copy_(layer.weight)
        ours.bias.copy_(layer.bias)
    torch.testing.assert_close(ours(cloud(0), LABELS), functional.cross_entropy(layer(cloud(0)), LABELS))


def euclidean(temperature):
    return softmax(lambda point, proxy, own: -temperature * (point - proxy).norm())


@pytest.mark.parametrize("temperature", [0.1, 2.0])
def test_euclidean_softmax_agrees_with_loops(temperature):
    """Proxies of lengths from about 0.03 to 30."""
    ours = with_proxies(EuclideanSoftmax(temperature=temperature, **SIZES), cloud(1, rows=6, lengths=(-2, 1)))
    agree(ours, euclidean(temperature), points=cloud(0, lengths=(-1, 1)))


class TestSoftmaxesOnTheCircle(ProxiesOnTheCircle):
    def test_normalised_softmax(self):
        expected = math.log(1 + math.exp((self.FAR - self.NEAR) / 0.4))
        assert self.value(NormalizedSoftmax, temperature=0.4) == pytest.approx(expected)

    def test_cosine_cross_entropy(self):
        expected = math.log(1 + math.exp(5 * (self.FAR - self.NEAR)))
        assert self.value(CosineCrossEntropy, scale=5.0) == pytest.approx(expected)

    def test_cross_entropy(self):
        """Products 7·3·½ and 7·0.2·√3/2; smoothing splits the target 0.9 to 0.1."""
        far, near = 21 * self.FAR, 1.4 * self.NEAR
        own = math.log(1 + math.exp(far - near))
        expected = 0.9 * own + 0.1 * (own + near - far)
        assert self.value(CrossEntropy, smoothing=0.1) == pytest.approx(expected)

    def test_euclidean_softmax(self):
        """By the law of cosines."""
        far = math.sqrt(49 + 9 - 2 * 21 * self.FAR)
        near = math.sqrt(49 + 0.04 - 2 * 1.4 * self.NEAR)
        assert self.value(EuclideanSoftmax, temperature=0.5) == pytest.approx(
            math.log(1 + math.exp(0.5 * (near - far)))
        )
