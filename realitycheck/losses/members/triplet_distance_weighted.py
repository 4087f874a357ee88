"""Triplet loss on negatives drawn by their distance."""

from __future__ import annotations

import torch
from torch import Tensor

from realitycheck.losses.parts.counter_random import uniform
from realitycheck.losses.parts.pair_distances import distances
from realitycheck.losses.parts.pairs import PairLoss, mean_nonzero

NEAREST = 0.5
"""Nearer negatives are drawn as if they were so far; without it, noise in the few nearest would rule."""

FARTHEST = 1.4
"""Negatives from here on are not drawn."""


class TripletDistanceWeighted(PairLoss):
    r"""Every positive nearer than one negative, by a margin: a negative drawn so that all distances come equally often.

    $$L = \mathrm{mean}^+_{a,\,p}\,[d_{ap} - d_{an} + m]_+ \;,\quad
    n \sim w_{an} = d_{an}^{\,2-D} \left( 1 - \frac{d_{an}^2}{4} \right)^{(3-D)/2}$$

    d is the Euclidean distance of L2-normalised embeddings, D their number of dimensions, and mean⁺ the mean over the
    terms above 0. A negative's weight is one over the density of its distance on the sphere; distances below 0.5
    count as 0.5, those from 1.4 are not drawn. Wu, Manmatha, Smola and Krähenbühl (2017), section 4, with the
    constants of the authors' code. As there, each pair of anchor and positive draws one negative, and an anchor
    without a weight draws evenly; here from its negatives, there from the whole batch. Their code is for the margin
    loss, from which the mean⁺ is taken. Drawn anew at every step of training, always the same otherwise.

    Args:
        margin: m, by how much a negative should be farther than a positive.
        seed: of the draws.
    """

    seed: Tensor
    step: Tensor

    def __init__(self, *, margin: float, seed: int) -> None:
        super().__init__()
        self.margin = margin
        self.register_buffer("seed", torch.tensor(seed))
        self.register_buffer("step", torch.tensor(0))

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """The loss of anchors (B, D) against others (M, D); in training, it counts the step."""
        distance = distances(anchors, others)  # (B, M)
        chance = chances(distance.detach(), negative, dims=anchors.shape[1])
        drawn = draw(chance, uniform(self.seed, self.step, tuple(distance.shape)))  # (anchor, positive)
        if self.training:
            self.step.add_(1)
        excess = distance - distance.gather(1, drawn) + self.margin
        return mean_nonzero(excess.relu(), positive & negative.any(dim=1, keepdim=True))


def chances(distance: Tensor, negative: Tensor, *, dims: int) -> Tensor:
    """(B, M) float64 chances of the negatives of each anchor; anything where it has none."""
    clamped = distance.double().clamp(NEAREST, FARTHEST)
    log_weight = (2 - dims) * clamped.log() + (3 - dims) / 2 * (1 - clamped.square() / 4).log()
    # The softmax gives 0 to all that lies so low, unless nothing of the row lies higher: then even chances.
    ranked = log_weight.masked_fill(distance >= FARTHEST, -1e9).masked_fill(~negative, -2e9)
    return ranked.softmax(dim=1)


def draw(chance: Tensor, noise: Tensor) -> Tensor:
    """(B, N) indices into each row of (B, M) chances, one for each number of the (B, N) noise in (0, 1).

    By the inverse of the cumulated chances, in O(B·M) memory, where the Gumbel trick takes O(B·M·N).
    """
    reached = chance.cumsum(dim=1)
    reached = reached / reached[:, -1:]  # ends at 1, above all noise
    return torch.searchsorted(reached, noise.double(), right=True).clamp_max(chance.shape[1] - 1)
