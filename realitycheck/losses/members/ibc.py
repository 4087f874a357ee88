"""Intra-batch connections loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.base import Loss
from realitycheck.losses.parts.batch_network import AttentionBlock, BatchNorm, Dropout


class IBC(Loss):
    r"""Classify each embedding alone, and again after self-attention among all items of the batch.

    $$L = \mathrm{CE}_\epsilon \left( \frac{1}{T} (X W^T + b) \right) +
    \lambda \, \mathrm{CE}_\epsilon \left( \frac{1}{T} \, \beta(A(\hat{X})) \, V^T \right), \quad
    a_{ij} = \frac{e^{q_i \cdot k_j / \sqrt{h}}}{1 + \sum_l e^{q_i \cdot k_l / \sqrt{h}}}$$

    CE_ε is the cross entropy with labels smoothed by ε. X are the embeddings, x̂ is L2-normalised; W, b and V are
    classifiers. A is a linear layer followed by layers of self-attention over the batch. Each layer has weights a of
    queries and keys in every head of h features, an MLP of width 4D, residual connections and LayerNorm. β is batch
    normalisation without bias. Seidenschwarz, Elezi and Leal-Taixé (2021), as in the authors' code
    (dvl-tum/intra_batch), which has the 1 in the denominator. Dropout is applied as in the code: to attention weights,
    after attention, and within and after the MLP. The network is used in training only. Difference: all parts share one
    learning rate. All parameters are initialised as in the code, not by `loss_init`; the norm of W sets the scale of
    the logits.

    Args:
        temperature: T, above 0.
        smoothing: ε, in [0, 1].
        attention_weight: λ, at least 0.
        layers: number of attention layers, at least 1.
        heads: number of heads of a layer, a divisor of D.
        readout: `last` for the output of the last layer, or `all` for the concatenated outputs of all layers.
        dropout: probability of dropping a value, in [0, 1).
        seed: seed of the dropout.
        num_classes: C, the number of classes.
        embedding_dim: D, the embedding dimensions.
    """

    # T is no length: it divides logits of learned weights, which have the inverse unit of what they multiply.
    keeps_init = ("proxies", "entry", "blocks", "neck", "classifier")

    def __init__(
        self,
        *,
        temperature: float,
        smoothing: float,
        attention_weight: float,
        layers: int,
        heads: int,
        readout: str,
        dropout: float,
        seed: int,
        num_classes: int,
        embedding_dim: int,
    ) -> None:
        super().__init__()
        self.temperature = temperature
        self.smoothing = smoothing
        self.attention_weight = attention_weight
        self.readout = readout
        bound = embedding_dim**-0.5
        self.proxies = nn.Parameter(torch.empty(num_classes, embedding_dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(num_classes).uniform_(-bound, bound))
        self.entry = nn.Linear(embedding_dim, embedding_dim)
        self.blocks = nn.ModuleList(
            AttentionBlock(embedding_dim, heads, Dropout(dropout, seed ^ (layer << 40))) for layer in range(layers)
        )
        width = {"last": 1, "all": layers}[readout] * embedding_dim
        self.neck = BatchNorm(width)
        self.neck.register_parameter("bias", None)
        self.classifier = nn.Parameter(torch.empty(num_classes, width).normal_(std=0.001))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of embeddings (B, D) and labels (B,) in 0..C-1; in training, with dropout."""
        points = embeddings.to(self.proxies.dtype)
        alone = self._entropy(points @ self.proxies.T + self.bias, labels)
        together = self._entropy(self.neck(self._attend(points)) @ self.classifier.T, labels)
        return alone + self.attention_weight * together

    def _entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(logits / self.temperature, labels, label_smoothing=self.smoothing)

    def _attend(self, points: Tensor) -> Tensor:
        features = self.entry(functional.normalize(points, dim=1))
        outputs = []
        for block in self.blocks:
            features = block(features)
            outputs.append(features)
        return torch.cat(outputs, dim=1) if self.readout == "all" else features
