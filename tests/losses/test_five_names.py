"""One function under five names, and under a sixth: equal in value and in gradient, to rounding."""

import pytest
import torch

from realitycheck.losses.members.arcface import ArcFace
from realitycheck.losses.members.cosface import CosFace
from realitycheck.losses.members.cosine_cross_entropy import CosineCrossEntropy
from realitycheck.losses.members.normalized_softmax import NormalizedSoftmax
from realitycheck.losses.members.proxy_nca_pp import ProxyNCAPlusPlus
from realitycheck.losses.members.soft_triple import SoftTriple

SIZES = {"num_classes": 7, "embedding_dim": 9}
NAMES = {
    "normalized_softmax": lambda t: NormalizedSoftmax(temperature=t, **SIZES),
    "proxy_nca_pp": lambda t: ProxyNCAPlusPlus(scale=1 / (2 * t), **SIZES),
    "cosface": lambda t: CosFace(margin=0.0, scale=1 / t, **SIZES),
    "arcface": lambda t: ArcFace(margin=0.0, scale=1 / t, **SIZES),
    "soft_triple": lambda t: SoftTriple(centers=1, scale=1 / t, gamma=0.1, margin=0.0, regularizer=0.2, **SIZES),
    "cosine_cross_entropy": lambda t: CosineCrossEntropy(scale=1 / t, **SIZES),
}


def points(rows, seed, dtype):
    """Of different lengths, from 0.1 to 10."""
    drawn = torch.randn(rows, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return (drawn * torch.logspace(-1, 1, rows, dtype=torch.float64)[:, None]).to(dtype)


def outcome(name, temperature, dtype):
    """The value, and the gradients by embeddings and by proxies."""
    loss = NAMES[name](temperature).to(dtype)
    embeddings = points(21, 0, dtype).requires_grad_()
    with torch.no_grad():
        loss.proxies.copy_(points(7, 1, dtype))
    value = loss(embeddings, torch.arange(21) % 7)
    value.backward()
    return value.detach(), embeddings.grad, loss.proxies.grad


@pytest.mark.parametrize("temperature", [0.002, 0.01, 1 / 18, 0.25, 1.0])
@pytest.mark.parametrize("name", list(NAMES)[1:])
def test_agree(name, temperature):
    for ours, theirs in zip(
        outcome(name, temperature, torch.float64),
        outcome("normalized_softmax", temperature, torch.float64),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("temperature", [0.01, 1 / 18, 1.0])
@pytest.mark.parametrize("name", list(NAMES)[1:])
def test_agree_in_single_precision(name, temperature):
    """Logits up to 1/T, rounded at 6e-8 of that."""
    for ours, theirs in zip(
        outcome(name, temperature, torch.float32),
        outcome("normalized_softmax", temperature, torch.float64),
        strict=True,
    ):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-4, atol=1e-6 / temperature)


@pytest.mark.parametrize("name", list(NAMES))
def test_temperature_matters(name):
    one, two = (outcome(name, value, torch.float64)[0] for value in (0.1, 0.11))
    assert not torch.isclose(one, two)
