"""Average precision by blackbox differentiation of the ranks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from realitycheck.losses.parts.buffers import snapshot_for_backward
from realitycheck.losses.parts.counter_random import uniform
from realitycheck.losses.parts.pairs import PairLoss
from realitycheck.losses.parts.ranking import exact_ranks, mean_over_positives, mean_over_queries, similarities


class BlackboxAP(PairLoss):
    r"""Average precision of the exact ranks, with a difference of two rankings as its gradient.

    $$L = 1 - \frac{1}{Q} \sum_i \frac{1}{N_i^+} \sum_{j \in P_i} \frac{r_{ij}^+}{r_{ij}}
    \qquad \frac{dL}{d s_i} := \frac{1}{\lambda} \left[ r(s_i + \lambda \frac{dL}{d r_i}) - r(s_i) \right]$$

    P are the positives of query i and N⁺ their number. r is an item's rank among all items, divided by their number,
    and r⁺ its rank among the positives, which has no gradient. Ranks are those of s − m·|ε|·(t − 1/2), where s is the
    cosine similarity, ε is standard normal, and t is 1 for positives and 0 for negatives: positives must exceed
    negatives by a margin. Q is the number of queries with a positive. Rolínek, Musil, Paulus, Vlastelica, Michaelis
    and Martius (2020), section 4. Differences: each item is a query and is not ranked itself, where their code ranks a
    batch for each class; equal scores share the last of their ranks, where their code leaves ties to the sort. Not
    included are their queue of past batches (see `cross_batch_memory`), their ranking of all scores together, and
    their loss on recall.

    Args:
        interpolation: λ, above 0; with larger values more ranks change in the second ranking, and the gradient is
            smoother.
        margin: m, at least 0, by which scores are shifted to the wrong side before ranking.
        seed: seed of ε.
    """

    seed: Tensor
    step: Tensor

    def __init__(self, *, interpolation: float, margin: float, seed: int) -> None:
        super().__init__()
        self.interpolation = interpolation
        self.margin = margin
        self.register_buffer("seed", torch.tensor(seed))
        self.register_buffer("step", torch.tensor(0))

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        similarity = similarities(anchors, others)  # (B, M)
        scores = similarity - self.margin * self._deviations(similarity) * (positive.to(similarity.dtype) - 0.5)
        ranked = positive | negative
        among_all: Tensor = _Ranks.apply(scores, ranked, self.interpolation)
        among_positives = _share(exact_ranks(scores, positive), ranked, scores.dtype)
        return mean_over_queries(1 - mean_over_positives(among_positives / among_all, positive), positive)

    def _deviations(self, like: Tensor) -> Tensor:
        """Return |ε|, by its inverse distribution function; new values are drawn at every training step."""
        even = uniform(self.seed, snapshot_for_backward(self.step), tuple(like.shape))
        if self.training:
            self.step.add_(1)
        return (2**0.5 * torch.erfinv(even)).to(like.dtype)


class _Ranks(torch.autograd.Function):
    """Normalised ranks with the blackbox gradient."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, ranked: Tensor, interpolation: float) -> Tensor:
        ranks = _share(exact_ranks(scores, ranked), ranked, scores.dtype)
        ctx.save_for_backward(scores, ranked, ranks)
        ctx.interpolation = interpolation
        return ranks

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        scores, ranked, ranks = ctx.saved_tensors
        moved = exact_ranks(scores + ctx.interpolation * gradient, ranked)
        return (_share(moved, ranked, scores.dtype) - ranks) / ctx.interpolation, None, None


def _share(ranks: Tensor, ranked: Tensor, dtype: torch.dtype) -> Tensor:
    """Divide ranks (B, M) by the number of ranked items of their row."""
    return ranks.to(dtype) / ranked.sum(dim=1, keepdim=True).clamp_min(1)
