"""Exact, soft and binned ranks, for the losses on average precision and recall."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.parts.pairs import hide, mean_of_anchors

TINY = 1e-12
"""Lower bound on the divisor of a precision, for bins before the first item."""


def similarities(anchors: Tensor, others: Tensor) -> Tensor:
    """Return the (B, M) cosine similarities of unit vectors, at least in float32: in bfloat16 half of them tie."""
    wide = torch.promote_types(anchors.dtype, torch.float32)
    return anchors.to(wide) @ others.to(wide).T


def with_query(similarity: Tensor, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Append a column for the query itself, a positive of similarity 1, to three (B, M) matrices."""
    return (
        functional.pad(similarity, (0, 1), value=1.0),
        functional.pad(positive, (0, 1), value=True),
        functional.pad(negative, (0, 1), value=False),
    )


def mean_over_queries(scores: Tensor, positive: Tensor) -> Tensor:
    """Return the mean of the scores (B,) over queries with a positive; 0 if there are none."""
    return mean_of_anchors(scores, positive.any(dim=1))


def mean_over_positives(terms: Tensor, positive: Tensor) -> Tensor:
    """Return the (B,) mean of each row of finite terms (B, M) under the mask; 0 for empty rows."""
    return (terms * positive.to(terms.dtype)).sum(dim=1) / positive.sum(dim=1).clamp_min(1)


def exact_ranks(scores: Tensor, mask: Tensor) -> Tensor:
    """Return (B, M) 1-based ranks among the row's items under the mask: how many of them score as high or higher.

    Equal scores share the last of their ranks. Items outside the mask get M. Computed by sorting, in O(B·M) memory.
    """
    kept = hide(scores, mask)
    return kept.shape[1] - torch.searchsorted(kept.sort(dim=1).values, kept)


def count_above(scores: Tensor, mask: Tensor) -> Tensor:
    """Return (B, M) the number of the row's items under the mask that score higher, in O(B·M) memory."""
    ordered = hide(scores, mask).sort(dim=1).values
    return scores.shape[1] - torch.searchsorted(ordered, scores, right=True)


def soft_ranks(similarity: Tensor, *masks: Tensor, temperature: float) -> tuple[Tensor, ...]:
    """Return (B, M) soft ranks `1 + Σ σ((s_k - s_j)/temperature)` over items k ≠ j, for each mask.

    They are valid for items j under the mask, and finite elsewhere. Memory is O(B·M²).
    """
    scaled = similarity / temperature
    above = (scaled[:, None, :] - scaled[:, :, None]).sigmoid()  # (B, j, k)
    # The sum includes k = j, which adds σ(0) = 1/2.
    ranks = 0.5 + above @ torch.stack(masks, dim=2).to(above.dtype)  # (B, j, masks)
    return ranks.unbind(dim=2)


def binned_average_precision(similarity: Tensor, positive: Tensor, negative: Tensor, *, intervals: int) -> Tensor:
    """Return the (B,) average precision by soft histograms with centres at the ends of equal intervals on [-1, 1].

    An item between two centres counts for both, in proportion to its closeness.
    """
    position = (1 - similarity).clamp(0, 2) * (intervals / 2)
    before = position.detach().floor().clamp_max(intervals - 1)
    weight = (positive | negative).to(position.dtype)
    later = (position - before) * weight
    # One row of counts per query: of positives, then of negatives.
    index = before.to(torch.int64) + (intervals + 1) * negative
    counts = position.new_zeros((len(position), 2 * (intervals + 1)))
    counts = counts.scatter_add(1, index, weight - later).scatter_add(1, index + 1, later)
    hits, misses = counts.chunk(2, dim=1)  # (B, intervals + 1) each
    precision = hits.cumsum(dim=1) / (hits + misses).cumsum(dim=1).clamp_min(TINY)
    return (hits * precision).sum(dim=1) / positive.sum(dim=1).clamp_min(1)
