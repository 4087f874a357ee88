"""Twenty-four points of six classes, and cross entropies of class vectors written item by item."""

import math

import torch

LABELS = torch.arange(24) // 4


def cloud(seed):
    return torch.randn(24, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def agree(ours, theirs, *, points=None, rtol=1e-7, atol=1e-9):
    """Value and gradient by the embeddings."""
    points = cloud(0) if points is None else points
    one, two = points.detach().clone().requires_grad_(), points.detach().clone().requires_grad_()
    value, expected = ours(one, LABELS), theirs(two, LABELS)
    torch.testing.assert_close(value, expected)
    value.backward()
    expected.backward()
    torch.testing.assert_close(one.grad, two.grad, rtol=rtol, atol=atol)


def naive(embeddings, proxies, own_logit, logit):
    """Mean cross entropy from two functions of (embedding, class vector), item by item."""
    total = 0.0
    for point, label in zip(embeddings, LABELS.tolist(), strict=True):
        logits = [logit(point, proxy) for proxy in proxies]
        logits[label] = own_logit(point, proxies[label])
        total = total + torch.stack(logits).logsumexp(dim=0) - logits[label]
    return total / len(embeddings)


def angle(point, vector):
    return torch.arccos(point @ vector / (point.norm() * vector.norm()))


def psi(theta, margin):
    k = math.floor(margin * theta.item() / math.pi)
    return (-1) ** k * torch.cos(margin * theta) - 2 * k
