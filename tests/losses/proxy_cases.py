"""Twenty points of six classes, proxies for them, and losses written item by item."""

import math

import torch
from plane import arrows
from torch.func import functional_call

SIZES = {"num_classes": 6, "embedding_dim": 8}
LABELS = torch.tensor([3, 0, 0, 1, 4, 2, 2, 3, 1, 0, 4, 4, 2, 3, 0, 1, 1, 4, 2, 3])
"""The last class has no item."""


def cloud(seed, rows=20, lengths=None):
    points = torch.randn(rows, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return points if lengths is None else points * torch.logspace(*lengths, rows, dtype=torch.float64)[:, None]


def with_proxies(loss, proxies):
    loss = loss.double()
    with torch.no_grad():
        loss.proxies.copy_(proxies)
    return loss


def agree(ours, theirs, *, points=None, rtol=1e-7, atol=1e-9):
    """Value, and gradient by the embeddings and by the proxies, which the oracle takes as an argument."""
    points = cloud(0, lengths=(-2, 2)) if points is None else points
    one, two = points.clone().requires_grad_(), points.clone().requires_grad_()
    proxies = ours.proxies.detach().clone().requires_grad_()
    ours.zero_grad()
    value, expected = ours(one, LABELS), theirs(two, proxies)
    torch.testing.assert_close(value, expected)
    value.backward()
    expected.backward()
    assert one.grad.any() and proxies.grad.any()
    torch.testing.assert_close(slope(one), slope(two), rtol=rtol, atol=atol)
    torch.testing.assert_close(slope(ours.proxies), slope(proxies), rtol=rtol, atol=atol)


def slope(leaf):
    """Its gradient by relative steps: short vectors have steep gradients."""
    return leaf.grad * leaf.detach().norm(dim=1, keepdim=True)


def library(loss, name, *, transposed):
    """A loss of pytorch-metric-learning as a function of points and proxies."""
    loss = loss.double()
    return lambda points, proxies: functional_call(
        loss, {name: proxies.T if transposed else proxies}, (points, LABELS), strict=False
    )


def agree_with_library(ours, theirs, name):
    """Lengths of proxies from 0.001 to 1000, of embeddings from 0.01 to 100; none matters."""
    ours = with_proxies(ours, cloud(1, rows=len(ours.proxies), lengths=(-3, 3)))
    agree(ours, library(theirs, name, transposed=name != "proxies"))


def agree_with_loops(ours, loop):
    """Proxies of lengths from 0.001 to 1000."""
    agree(with_proxies(ours, cloud(1, rows=len(ours.proxies), lengths=(-3, 3))), loop)


def cosine(point, proxy):
    return point @ proxy / (point.norm() * proxy.norm())


def softmax(logit):
    """Mean cross entropy item by item, from a function of the embedding, a proxy, and whether it is the own one."""

    def loss(points, proxies):
        total = 0.0
        for point, label in zip(points, LABELS.tolist(), strict=True):
            logits = [logit(point, proxy, own=c == label) for c, proxy in enumerate(proxies)]
            total = total - torch.log(torch.exp(logits[label]) / sum(torch.exp(value) for value in logits))
        return total / len(points)

    return loss


def by_cosine(function):
    return softmax(lambda point, proxy, own: function(cosine(point, proxy), own))


class ProxiesOnTheCircle:
    """Proxies at 0° and 90°, of lengths 3 and 0.2; an embedding at 60°, of length 7, of the second class."""

    NEAR, FAR = math.sqrt(3) / 2, 1 / 2

    def value(self, cls, label=1, **knobs):
        loss = with_proxies(cls(**knobs, num_classes=2, embedding_dim=2), arrows(0, 90, lengths=(3.0, 0.2)))
        return loss(arrows(60, lengths=(7.0,)), torch.tensor([label])).item()
