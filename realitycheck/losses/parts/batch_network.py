"""Layers of the networks with which some losses exchange features between the items of a batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.losses.parts.buffers import snapshot_for_backward
from realitycheck.losses.parts.counter_random import uniform


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation that uses running statistics in evaluation, and also for a batch of one item."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (B, F) features."""
        if self.training and len(input) == 1:
            return functional.batch_norm(
                input, self.running_mean, self.running_var, self.weight, self.bias, training=False, eps=self.eps
            )
        return super().forward(input)


class Dropout(nn.Module):
    """Dropout with random numbers that depend only on the seed and a counter.

    Args:
        rate: probability of dropping a value.
        seed: seed, different for each run and for each layer of a network.
    """

    seed: Tensor
    draws: Tensor

    def __init__(self, rate: float, seed: int) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("seed", torch.tensor(seed, dtype=torch.int64))
        self.register_buffer("draws", torch.zeros((), dtype=torch.int64))

    def forward(self, values: Tensor) -> Tensor:
        """In training, set values to 0 at random and scale the others by 1 / (1 - rate)."""
        if not self.training or self.rate == 0:
            return values
        self.draws.add_(1)
        kept = uniform(self.seed, snapshot_for_backward(self.draws), tuple(values.shape)) >= self.rate
        return values * kept / (1 - self.rate)


class AttentionBlock(nn.Module):
    """Self-attention among the items of a batch, and an MLP, each with residual connection, dropout and LayerNorm.

    Args:
        dims: D, the number of features.
        heads: number of heads, a divisor of D.
        drop: dropout module, used at all four positions.

    Raises:
        ValueError: if `heads` does not divide `dims`.
    """

    def __init__(self, dims: int, heads: int, drop: Dropout) -> None:
        super().__init__()
        if dims % heads:
            raise ValueError(f"heads {heads} is out of range: must divide the embedding dimensions {dims}.")
        self.heads = heads
        self.drop = drop
        self.query, self.key, self.value, self.out = (linear(dims) for _ in range(4))
        self.widen, self.narrow = nn.Linear(dims, 4 * dims), nn.Linear(4 * dims, dims)
        self.first_norm, self.second_norm = nn.LayerNorm(dims), nn.LayerNorm(dims)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, D) features of (B, D) features."""
        features = self.first_norm(features + self.drop(self._attention(features)))
        changed = self.narrow(self.drop(self.widen(features).relu()))
        normalized: Tensor = self.second_norm(features + self.drop(changed))
        return normalized

    def _attention(self, features: Tensor) -> Tensor:
        query, key, value = (self._split(part(features)) for part in (self.query, self.key, self.value))
        scores = query @ key.transpose(1, 2) / math.sqrt(query.shape[2])  # (heads, B, B)
        weights = functional.pad(scores, (1, 0)).softmax(dim=2)[:, :, 1:]  # the zero logit adds 1 to the denominator
        mixed = self.drop(weights) @ value
        gathered: Tensor = self.out(mixed.transpose(0, 1).flatten(1))
        return gathered

    def _split(self, features: Tensor) -> Tensor:
        return features.view(len(features), self.heads, -1).transpose(0, 1)  # (heads, B, D / heads)


def linear(dims: int) -> nn.Linear:
    """Build a square layer with Glorot-uniform weights and zero bias, as in the code of IBC's authors."""
    layer = nn.Linear(dims, dims)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
