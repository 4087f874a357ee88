"""Hierarchical proxy-based loss: a proxy loss, and the same one for groups of classes."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.buffers import held


class HierarchicalProxy(Loss):
    r"""Add to a proxy loss the same loss on groups of classes whose proxies point the same way.

    $$L = L_{base}(X, Y, P) + \lambda \, L_{base}(X, g(Y), Q)$$

    P are the class vectors of the base loss, g(c) the cluster of the vector of class c, and Q one vector per cluster.
    Yang, Bastan, Zhu, Gray and Samaras (2022) give the proxies of any proxy loss a hierarchy. A reconstruction: no code
    is published, and the paper was read in its abstract alone. Uncertain, and chosen here: two levels, the upper one
    k-means clusters of the lower, by cosine; the coarse loss is a copy of the base loss with its own knobs' values; Q
    are parameters, set to the mean of their members' vectors at each clustering, and learned between two; clustering
    begins at the first step, with the first vectors of P as means.

    K-means goes one iteration further in each training step, as P moves. Every `recluster_every` steps its clusters
    become g. So all steps are one graph, at the cost of C·k·D multiplications. A cluster that loses its last member
    keeps its mean. Outside of training nothing is clustered.

    The base must hold its class vectors as a parameter `proxies` (C, D), what else it learns for each class in rows of
    parameters of its own, and take the number of classes from their shape.

    Args:
        base: the proxy loss.
        coarse_weight: λ, from 0.
        clusters: k, from 1; C where C is less.
        recluster_every: training steps from one set of clusters to the next, from 1.
        num_classes: C.
        embedding_dim: D.
    """

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
        found = {name: tuple(each.shape) for name, each in base.named_parameters()}
        if found.get("proxies") != (num_classes, embedding_dim):
            asked = f"a parameter 'proxies' of shape ({num_classes}, {embedding_dim})"
            raise ValueError(f"base must be a loss with {asked}; got {found}.")
        self.coarse_weight = coarse_weight
        self.recluster_every = recluster_every
        self.base = base
        self.coarse = of_fewer_classes(base, classes=num_classes, left=clusters)
        self.register_buffer("centroids", self.coarse.get_parameter("proxies").detach().clone())
        self.register_buffer("coarse_labels", torch.arange(num_classes) % len(self.centroids))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @property
    def keeps_init(self) -> tuple[str, ...]:  # type: ignore[override]
        """What the base keeps, on both levels."""
        return tuple(f"{level}.{name}" for level in ("base", "coarse") for name in self.base.keeps_init)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,) in 0..C-1; in training, k-means goes on."""
        if self.training:
            self._cluster(self.base.get_parameter("proxies"), self.coarse.get_parameter("proxies"))
        fine: Tensor = self.base(embeddings, labels)
        coarse: Tensor = self.coarse(embeddings, held(self.coarse_labels)[labels])
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


def of_fewer_classes(loss: Loss, *, classes: int, left: int) -> Loss:
    """A copy whose own parameters have the first rows alone, where they have one row per class."""
    fewer = copy.deepcopy(loss)
    for name, parameter in loss.named_parameters(recurse=False):
        if parameter.dim() > 0 and len(parameter) == classes:
            setattr(fewer, name, nn.Parameter(parameter.detach()[:left].clone()))
    return fewer


def means(points: Tensor, groups: Tensor, otherwise: Tensor) -> Tensor:
    """(k, D) mean of the points (C, D) of each group; a row of `otherwise` (k, D) where a group is empty."""
    member = groups[:, None] == torch.arange(len(otherwise), device=groups.device)  # (C, k)
    count = member.sum(dim=0)[:, None]
    return torch.where(count > 0, member.T.to(points.dtype) @ points / count.clamp_min(1), otherwise)
