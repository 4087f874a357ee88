"""Ranks of a batch, exact, soft and by bins: what the losses on average precision and recall share."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from realitycheck.losses.parts.pairs import hide, mean_of_anchors

TINY = 1e-12
"""Least count by which a precision divides; nothing was found before such a bin."""


def similarities(anchors: Tensor, others: Tensor) -> Tensor:
    """(B, M) cosine similarities of unit vectors, in float32 or better: bfloat16 leaves half of them tied."""
    wide = torch.promote_types(anchors.dtype, torch.float32)
    return anchors.to(wide) @ others.to(wide).T


def with_query(similarity: Tensor, positive: Tensor, negative: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The three (B, M) matrices with a column for the query itself: a positive of similarity 1."""
    return (
        functional.pad(similarity, (0, 1), value=1.0),
        functional.pad(positive, (0, 1), value=True),
        functional.pad(negative, (0, 1), value=False),
    )


def mean_over_queries(scores: Tensor, positive: Tensor) -> Tensor:
    """Mean of the scores (B,) of queries that have a positive; 0 where none has."""
    return mean_of_anchors(scores, positive.any(dim=1))


def mean_over_positives(terms: Tensor, positive: Tensor) -> Tensor:
    """(B,) mean of each row of finite terms (B, M) under the mask; 0 where a row of it is empty."""
    return (terms * positive.to(terms.dtype)).sum(dim=1) / positive.sum(dim=1).clamp_min(1)


def exact_ranks(scores: Tensor, mask: Tensor) -> Tensor:
    """(B, M) places among the row's items under the mask, from 1: how many of them score as high or higher.

    Equal scores share the last of their places. Items outside the mask get M. By sorting, in O(B·M) memory.
    """
    kept = hide(scores, mask)
    return kept.shape[1] - torch.searchsorted(kept.sort(dim=1).values, kept)


def count_above(scores: Tensor, mask: Tensor) -> Tensor:
    """(B, M) how many of the row's items under the mask score higher. By sorting, in O(B·M) memory."""
    ordered = hide(scores, mask).sort(dim=1).values
    return scores.shape[1] - torch.searchsorted(ordered, scores, right=True)


def soft_ranks(similarity: Tensor, *masks: Tensor, temperature: float) -> tuple[Tensor, ...]:
    """For each mask the (B, M) soft places `1 + Σ σ((s_k - s_j)/temperature)` over its items k ≠ j, in O(B·M²) memory.

    They hold for items j under the mask, and are finite elsewhere.
    """
    scaled = similarity / temperature
    above = (scaled[:, None, :] - scaled[:, :, None]).sigmoid()  # (B, j, k)
    # The sum takes in k = j, which is worth σ(0) = 1/2.
    ranks = 0.5 + above @ torch.stack(masks, dim=2).to(above.dtype)  # (B, j, masks)
    return ranks.unbind(dim=2)


def binned_average_precision(similarity: Tensor, positive: Tensor, negative: Tensor, *, intervals: int) -> Tensor:
    """(B,) average precision by soft histograms with centres at the ends of equal intervals from 1 down to -1.

    An item between two centres counts for both, in proportion to its nearness.
    """
    place = (1 - similarity).clamp(0, 2) * (intervals / 2)
    before = place.detach().floor().clamp_max(intervals - 1)
    weight = (positive | negative).to(place.dtype)
    later = (place - before) * weight
    # One row of counts per query: of positives, then of negatives.
    index = before.to(torch.int64) + (intervals + 1) * negative
    counts = place.new_zeros((len(place), 2 * (intervals + 1)))
    counts = counts.scatter_add(1, index, weight - later).scatter_add(1, index + 1, later)
    hits, misses = counts.chunk(2, dim=1)  # (B, intervals + 1) each
    precision = hits.cumsum(dim=1) / (hits + misses).cumsum(dim=1).clamp_min(TINY)
    return (hits * precision).sum(dim=1) / positive.sum(dim=1).clamp_min(1)
