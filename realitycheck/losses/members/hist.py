"""Hypergraph-induced semantic tuplet loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.batch_network import BatchNorm
from realitycheck.losses.parts.proxies import own_class


class HIST(Loss):
    r"""Classify by the distance to one Gaussian per class, and by a network over the hypergraph of the batch.

    $$L = \mathrm{CE}(-\tau M) + \lambda \, \mathrm{CE}(G \, \Theta_2(\sigma(\beta(G \, \Theta_1(X))))), \quad
    M_{ic} = \sum_d \frac{(\hat{x}_{id} - \hat{\mu}_{cd})^2}{e^{v_{cd}}}, \quad
    G = D_v^{-1/2} H D_e^{-1} H^T D_v^{-1/2}, \quad H_{ic} = e^{-\alpha M_{ic} [y_i \neq c]}$$

    CE is the softmax cross entropy against the labels, x̂ and μ̂ are L2-normalised, and v is the log-variance, held to
    0..6. Each class of the batch is a hyperedge, a column of H; D_v and D_e are the diagonal matrices of its row and
    column sums. Θ are linear layers, β is batch normalisation, σ a leaky rectifier of slope 0.1; X are the embeddings
    as they are. Lim, Yun, Park and Choi (2022), by the authors' code (ljin0429/HIST). Departures: the cross
    entropy of M also counts items whose probability is below the smallest float, which the code leaves out; all parts
    share one learning rate. With all v at 0 and λ = 0 it is the normalised softmax with T = 1/(2τ). Log-variances and
    network keep the initial values of the authors' code.

    Args:
        scale: τ, above 0.
        alpha: α, how fast other classes' hyperedges let go of an item, above 0.
        graph_weight: λ, from 0.
        hidden: features of the network's hidden layer.
        num_classes: C, one mean and one log-variance each.
        embedding_dim: D.
    """

    keeps_init = ("log_variances", "inner", "norm", "outer")

    def __init__(
        self, *, scale: float, alpha: float, graph_weight: float, hidden: int, num_classes: int, embedding_dim: int
    ) -> None:
        super().__init__()
        self.scale = scale
        self.alpha = alpha
        self.graph_weight = graph_weight
        spread = (2 / num_classes) ** 0.5
        self.proxies = nn.Parameter(spread * torch.randn(num_classes, embedding_dim))
        self.log_variances = nn.Parameter(spread * torch.randn(num_classes, embedding_dim))
        self.inner = nn.Linear(embedding_dim, hidden)
        self.norm = BatchNorm(hidden)
        self.outer = nn.Linear(hidden, num_classes)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of embeddings (B, D) and labels (B,) in 0..C-1."""
        points = embeddings.to(self.proxies.dtype)
        distance = self._distances(functional.normalize(points, dim=1))  # (B, C)
        own = own_class(labels, classes=len(self.proxies))
        near = torch.exp(-self.alpha * distance.masked_fill(own, 0.0)) * own.any(dim=0)  # H, 0 for absent classes
        graph = propagation(near)  # (B, B)
        hidden = functional.leaky_relu(self.norm(graph @ self.inner(points)), 0.1)
        logits = graph @ self.outer(hidden)
        loss = functional.cross_entropy(-self.scale * distance, labels)
        return loss + self.graph_weight * functional.cross_entropy(logits, labels)

    def _distances(self, unit: Tensor) -> Tensor:
        means = functional.normalize(self.proxies, dim=1)
        precision = torch.exp(-functional.relu6(self.log_variances))  # (C, D)
        weighted = means * precision
        return unit.square() @ precision.T - 2 * unit @ weighted.T + (means * weighted).sum(dim=1)


def propagation(edges: Tensor) -> Tensor:
    """(B, B) how a hypergraph's nodes pass features on, from the incidence (B, C) of nodes and edges, 1 at most."""
    node = edges.sum(dim=1, keepdim=True).rsqrt()  # (B, 1); a node is wholly in its own edge, so the sum is at least 1
    edge = edges.sum(dim=0).clamp_min(1)  # (C,); so is the sum of an edge, and an empty one stays empty
    scaled = node * edges
    return scaled / edge @ scaled.T
