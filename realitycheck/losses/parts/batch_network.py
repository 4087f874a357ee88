"""Layers of the networks through which some losses let the items of a batch see each other."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.parts.buffers import held
from realitycheck.losses.parts.counter_random import uniform


class BatchNorm(nn.BatchNorm1d):
    """Normalise by the batch in training, and by the running statistics otherwise, and where one item is all."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, F) → (B, F)."""
        if self.training and len(input) == 1:
            return functional.batch_norm(
                input, self.running_mean, self.running_var, self.weight, self.bias, training=False, eps=self.eps
            )
        return super().forward(input)


class Dropout(nn.Module):
    """Dropout whose draws follow from the seed and the count of draws alone.

    Args:
        rate: the part that is dropped.
        seed: what tells runs apart, and the layers of one network.
    """

    seed: Tensor
    draws: Tensor

    def __init__(self, rate: float, seed: int) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("seed", torch.tensor(seed, dtype=torch.int64))
        self.register_buffer("draws", torch.zeros((), dtype=torch.int64))

    def forward(self, values: Tensor) -> Tensor:
        """The values, in training some of them 0 and the others larger."""
        if not self.training or self.rate == 0:
            return values
        self.draws.add_(1)
        kept = uniform(self.seed, held(self.draws), tuple(values.shape)) >= self.rate
        return values * kept / (1 - self.rate)


class AttentionBlock(nn.Module):
    """Self-attention among the items of a batch, and an MLP, each with residual, dropout and LayerNorm.

    Args:
        dims: features D.
        heads: a divisor of D.
        drop: the dropout in all places.
    """

    def __init__(self, dims: int, heads: int, drop: Dropout) -> None:
        super().__init__()
        if dims % heads:
            raise ValueError(f"heads must divide the embedding dimensions {dims}; got {heads}.")
        self.heads = heads
        self.drop = drop
        self.query, self.key, self.value, self.out = (linear(dims) for _ in range(4))
        self.widen, self.narrow = nn.Linear(dims, 4 * dims), nn.Linear(4 * dims, dims)
        self.first_norm, self.second_norm = nn.LayerNorm(dims), nn.LayerNorm(dims)

    def forward(self, features: Tensor) -> Tensor:
        """(B, D) → (B, D)."""
        features = self.first_norm(features + self.drop(self._attention(features)))
        changed = self.narrow(self.drop(self.widen(features).relu()))
        normalized: Tensor = self.second_norm(features + self.drop(changed))
        return normalized

    def _attention(self, features: Tensor) -> Tensor:
        query, key, value = (self._split(part(features)) for part in (self.query, self.key, self.value))
        scores = query @ key.transpose(1, 2) / math.sqrt(query.shape[2])  # (heads, B, B)
        weights = functional.pad(scores, (1, 0)).softmax(dim=2)[:, :, 1:]  # a key that answers 0 to all: the 1 below
        mixed = self.drop(weights) @ value
        gathered: Tensor = self.out(mixed.transpose(0, 1).flatten(1))
        return gathered

    def _split(self, features: Tensor) -> Tensor:
        return features.view(len(features), self.heads, -1).transpose(0, 1)  # (heads, B, D / heads)


def linear(dims: int) -> nn.Linear:
    """A square layer as the authors start it: Glorot-uniform weights, and no shift."""
    layer = nn.Linear(dims, dims)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
