"""Batches for losses with a memory, and the losses on pairs that one can be put around."""

import torch
from pair_cases import CBML_KNOBS

from realitycheck.losses.members.cbml import CBML
from realitycheck.losses.members.circle import Circle
from realitycheck.losses.members.contrastive import Contrastive
from realitycheck.losses.members.cross_batch_memory import CrossBatchMemory
from realitycheck.losses.members.margin import Margin
from realitycheck.losses.members.multi_similarity import MultiSimilarity
from realitycheck.losses.members.multi_similarity_mined import MultiSimilarityMined
from realitycheck.losses.members.snr_contrastive import SNRContrastive
from realitycheck.losses.members.triplet import Triplet

BASES = [
    lambda: Contrastive(pos_margin=0.2, neg_margin=1.3),
    lambda: Triplet(margin=0.2),
    lambda: MultiSimilarity(alpha=2.0, beta=50.0, base=0.5),
    lambda: Circle(margin=0.4, gamma=80.0),
    lambda: MultiSimilarityMined(alpha=2.0, beta=50.0, base=0.5, epsilon=0.1),
    lambda: Margin(margin=0.2, beta=1.2),
    lambda: SNRContrastive(pos_margin=0.1, neg_margin=2.0, regularizer=0.1),
    lambda: CBML(**CBML_KNOBS),
]


def wrapped(base, *, dims=8, size=20, weight=0.7, start=0):
    return CrossBatchMemory(base=base, embedding_dim=dims, memory_size=size, memory_weight=weight, memory_start=start)


def batches(count, *, sizes=(12,), dims=8, dtype=torch.float64):
    """Batches of points in six classes that come back, and a key near each point."""
    generator = torch.Generator().manual_seed(7)
    centers = torch.randn(6, dims, dtype=dtype, generator=generator)
    made = []
    for step in range(count):
        size = sizes[step % len(sizes)]
        labels = torch.randint(6, (size,), generator=generator)
        points, keys = (centers[labels] + torch.randn(size, dims, dtype=dtype, generator=generator) for _ in range(2))
        made.append((points, labels, keys))
    return made


def compiles(one, two, backend):
    """Values, gradients and memory, before it begins and after, are those of the same loss that is not compiled."""
    torch._dynamo.reset()
    compiled = torch.compile(one, backend=backend, fullgraph=True)
    for points, labels, keys in batches(5, dtype=torch.float32):
        left, right = points.clone().requires_grad_(), points.clone().requires_grad_()
        beside = {need.value: keys for need in one.needs}
        value, expected = compiled(left, labels, **beside), two(right, labels, **beside)
        torch.testing.assert_close(value, expected)
        torch.testing.assert_close(torch.autograd.grad(value, left), torch.autograd.grad(expected, right))
    torch.testing.assert_close(dict(one.named_buffers()), dict(two.named_buffers()))
