"""All triplets of a batch, which are counted by sorting, against a loop."""

import pytest
import torch
from torch.nn import functional

from realitycheck.losses.members.triplet import Triplet


def by_loop(embeddings, labels, margin):
    unit = functional.normalize(embeddings, dim=1)
    terms = []
    for a in range(len(labels)):
        for p in range(len(labels)):
            for n in range(len(labels)):
                if a != p and labels[a] == labels[p] and labels[a] != labels[n]:
                    terms.append((unit[a] - unit[p]).norm() - (unit[a] - unit[n]).norm() + margin)
    above = [term for term in terms if term > 0]
    return sum(above) / len(above) if above else (embeddings * 0).sum()


@pytest.mark.parametrize("margin", [0.05, 1.0, -3.0])
@pytest.mark.parametrize("labels", [[0, 1, 0, 2, 1, 1, 3, 0, 2], [4, 4, 4, 4], [0, 1, 2, 3, 4]])
def test_equals_the_loop(labels, margin):
    generator = torch.Generator().manual_seed(len(labels))
    embeddings = torch.randn(len(labels), 6, generator=generator, dtype=torch.float64).requires_grad_()
    actual = Triplet(margin=margin)(embeddings, torch.tensor(labels))
    expected = by_loop(embeddings, labels, margin)
    torch.testing.assert_close(actual, expected)
    torch.testing.assert_close(*(torch.autograd.grad(result, embeddings)[0] for result in (actual, expected)))


def test_equals_the_loop_in_single_precision():
    generator = torch.Generator().manual_seed(3)
    embeddings = torch.randn(20, 32, generator=generator).requires_grad_()
    labels = torch.arange(20) // 4
    outcomes = []
    for loss in (Triplet(margin=0.1)(embeddings, labels), by_loop(embeddings, labels.tolist(), 0.1)):
        outcomes.append((loss, *torch.autograd.grad(loss, embeddings)))
    torch.testing.assert_close(*outcomes, rtol=1e-5, atol=1e-7)
