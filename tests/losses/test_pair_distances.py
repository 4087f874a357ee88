"""Distances of a batch by products: scipy's values, and the gradients of autograd on differences."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from realitycheck.losses.parts.pair_distances import distances


def points(count, *, seed, dtype=torch.float32):
    """Points of which some fall together and some nearly."""
    points = torch.randn(count, 24, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    points[1] = points[0]
    points[2] = points[3] + 1e-3 * points[4]
    return points.requires_grad_()


def naive(anchors, others):
    return (anchors[:, None] - others[None]).square().sum(dim=2).clamp_min(1e-12).sqrt()


def slopes(distance, *inputs):
    weight = torch.randn(distance.shape, generator=torch.Generator().manual_seed(9)).to(distance.dtype)
    return torch.autograd.grad((distance * weight).sum(), inputs)


def test_values_are_those_of_scipy():
    anchors, others = points(20, seed=0), points(31, seed=1)
    for others_of_case in (anchors, others):
        actual = distances(anchors, others_of_case).detach().numpy()
        expected = cdist(anchors.detach().double().numpy(), others_of_case.detach().double().numpy())
        np.testing.assert_allclose(actual, np.maximum(expected, 1e-6), rtol=2e-6)


@pytest.mark.parametrize("within", [True, False])
def test_gradients_are_those_of_the_formula(within):
    anchors, others = points(20, seed=0), points(31, seed=1)
    inputs = (anchors,) if within else (anchors, others)
    exact = [leaf.detach().double().requires_grad_() for leaf in inputs]
    actual = slopes(distances(inputs[0], inputs[-1]), *inputs)
    expected = slopes(naive(exact[0], exact[-1]), *exact)
    for one, other in zip(actual, expected, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-5)


def test_coincident_points_have_no_gradient():
    batch = torch.ones(4, 3, requires_grad=True)
    distances(batch, batch).sum().backward()
    assert torch.equal(batch.grad, torch.zeros(4, 3))


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0)])
def test_no_points(shape):
    one, two = (torch.ones(count, 3, requires_grad=True) for count in shape)
    actual = distances(one, two)
    actual.sum().backward()
    assert actual.shape == shape
    assert not one.grad.any() and not two.grad.any()


def test_gradients_of_half_precision():
    batch = torch.randn(8, 16, generator=torch.Generator().manual_seed(0)).half().requires_grad_()
    distances(batch, batch).sum().backward()
    exact = batch.detach().double().requires_grad_()
    naive(exact, exact).sum().backward()
    torch.testing.assert_close(batch.grad.double(), exact.grad, rtol=2e-2, atol=2e-2)


def test_half_precision():
    batch = points(20, seed=2, dtype=torch.bfloat16)
    wide = batch.detach().float()
    actual = distances(batch, batch)
    assert actual.dtype == torch.bfloat16
    torch.testing.assert_close(actual.float(), naive(wide, wide), rtol=2e-2, atol=2e-2)
