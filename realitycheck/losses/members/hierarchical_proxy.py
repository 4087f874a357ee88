"""Hierarchical proxy-based loss: a proxy loss on classes and on groups of classes."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.buffers import snapshot_for_backward


class HierarchicalProxy(Loss):
    r"""Add to a proxy loss the same loss on groups of classes with similar proxies.

    $$L = L_{base}(X, Y, P) + \lambda \, L_{base}(X, g(Y), Q)$$

    P are the class vectors of the base loss, g(c) the cluster of the vector of class c, and Q one vector per cluster.
    Yang, Bastan, Zhu, Gray and Samaras (2022) organise the proxies of any proxy loss in a hierarchy. This is a
    reconstruction: no code is published, and only the abstract of the paper was available to us. Our choices are: two
    levels, where the upper one are k-means clusters of the lower one by cosine; a coarse loss that is a copy of the
    base loss with the same knobs; Q as parameters that are set to the means of their clusters at each clustering and
    learned in between; and clustering from the first step on, with the first vectors of P as initial means.

    Each training step does one iteration of k-means. Every `recluster_every` steps its clusters become g. So all steps
    have the same graph, at the cost of C·k·D multiplications. An empty cluster keeps its mean. There is no clustering
    in evaluation.

    The base must have its class vectors in a parameter `proxies` (C, D), and other learned values of a class in rows of
    parameters. It must take the number of classes from their shapes.

    Args:
        base: the proxy loss.
        coarse_weight: λ, at least 0.
        clusters: k, at least 1; C if C is smaller.
        recluster_every: number of training steps between clusterings, at least 1.
        num_classes: C, the number of classes.
        embedding_dim: D, the embedding dimensions.

    Raises:
        ValueError: if the base has no `proxies` of this shape.
    """

    acts_later = ("recluster_every",)
    centroids: Tensor
    coarse_labels: Tensor
    steps: Tensor

    def __init__(
        self,
        *,
        base: Loss,
        coarse_weight: float,
        clusters: int,
        recluster_every: int,
        num_classes: int,
        embedding_dim: int,
    ) -> None:
        super().__init__()
        shapes = {name: tuple(parameter.shape) for name, parameter in base.named_parameters()}
        if shapes.get("proxies") != (num_classes, embedding_dim):
            expected = f"`proxies` of shape ({num_classes}, {embedding_dim})"
            raise ValueError(f"the base loss has no parameter {expected}, but {shapes}. Use another loss.")
        self.coarse_weight = coarse_weight
        self.recluster_every = recluster_every
        self.base = base
        self.coarse = with_fewer_classes(base, classes=num_classes, count=clusters)
        self.register_buffer("centroids", self.coarse.get_parameter("proxies").detach().clone())
        self.register_buffer("coarse_labels", torch.arange(num_classes) % len(self.centroids))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @property
    def keeps_init(self) -> tuple[str, ...]:  # type: ignore[override]
        """`keeps_init` of the base loss, for both levels."""
        return tuple(f"{level}.{name}" for level in ("base", "coarse") for name in self.base.keeps_init)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1; in training, do one step of k-means."""
        if self.training:
            self._cluster(self.base.get_parameter("proxies"), self.coarse.get_parameter("proxies"))
        fine: Tensor = self.base(embeddings, labels)
        coarse: Tensor = self.coarse(embeddings, snapshot_for_backward(self.coarse_labels)[labels])
        return fine + self.coarse_weight * coarse

    @torch.no_grad()
    def _cluster(self, proxies: Tensor, coarse: Tensor) -> None:
        start = torch.where(self.steps == 0, proxies[: len(coarse)], self.centroids)
        nearest = (functional.normalize(proxies, dim=1) @ functional.normalize(start, dim=1).T).argmax(dim=1)
        centroids = means(proxies, nearest, start)
        due = self.steps % self.recluster_every == 0
        self.coarse_labels.copy_(torch.where(due, nearest, self.coarse_labels))
        coarse.copy_(torch.where(due, centroids, coarse))
        self.centroids.copy_(centroids)
        self.steps.add_(1)


def with_fewer_classes(loss: Loss, *, classes: int, count: int) -> Loss:
    """Copy a loss, with only the first `count` rows of its parameters with one row per class."""
    fewer = copy.deepcopy(loss)
    for name, parameter in loss.named_parameters(recurse=False):
        if parameter.dim() > 0 and len(parameter) == classes:
            setattr(fewer, name, nn.Parameter(parameter.detach()[:count].clone()))
    return fewer


def means(points: Tensor, groups: Tensor, otherwise: Tensor) -> Tensor:
    """Return the (k, D) mean of the points (C, D) of each group; for an empty group, its row of `otherwise` (k, D)."""
    member = groups[:, None] == torch.arange(len(otherwise), device=groups.device)  # (C, k)
    count = member.sum(dim=0)[:, None]
    return torch.where(count > 0, member.T.to(points.dtype) @ points / count.clamp_min(1), otherwise)
