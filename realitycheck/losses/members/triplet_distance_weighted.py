"""Triplet loss on negatives sampled by their distance."""

from __future__ import annotations

import torch
from torch import Tensor

from realitycheck.losses.parts.counter_random import uniform
from realitycheck.losses.parts.pair_distances import distances
from realitycheck.losses.parts.pairs import PairLoss, mean_nonzero

NEAREST = 0.5
"""Lower bound on the distances in the weights, without which the few nearest negatives would dominate."""

FARTHEST = 1.4
"""Distance from which on negatives are not drawn."""


class TripletDistanceWeighted(PairLoss):
    r"""Bring every positive closer than one random negative; negatives of all distances are equally likely.

    $$L = \mathrm{mean}^+_{a,\,p}\,[d_{ap} - d_{an} + m]_+ \;,\quad
    n \sim w_{an} = d_{an}^{\,2-D} \left( 1 - \frac{d_{an}^2}{4} \right)^{(3-D)/2}$$

    d is the Euclidean distance of L2-normalised embeddings, D their number of dimensions, and mean⁺ the mean over the
    terms above 0. The weight of a negative is the inverse density of its distance on the sphere. Distances below 0.5
    act like 0.5, and negatives from 1.4 on are not drawn. Wu, Manmatha, Smola and Krähenbühl (2017), section 4, with
    the constants of the authors' code. As there, one negative is drawn for each pair of anchor and positive. If all
    weights of an anchor are 0, it is drawn uniformly from the anchor's negatives; in the code, from the whole batch.
    Their code is for the margin loss, from which the mean⁺ is taken. New negatives are drawn at every training step;
    in evaluation they are fixed.

    Args:
        margin: m, by which a negative should be farther than a positive.
        seed: seed of the draws.
    """

    seed: Tensor
    step: Tensor

    def __init__(self, *, margin: float, seed: int) -> None:
        super().__init__()
        self.margin = margin
        self.register_buffer("seed", torch.tensor(seed))
        self.register_buffer("step", torch.tensor(0))

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D); in training, count the step."""
        distance = distances(anchors, others)  # (B, M)
        chance = chances(distance.detach(), negative, dims=anchors.shape[1])
        drawn = draw(chance, uniform(self.seed, self.step, tuple(distance.shape)))  # (anchor, positive)
        if self.training:
            self.step.add_(1)
        excess = distance - distance.gather(1, drawn) + self.margin
        return mean_nonzero(excess.relu(), positive & negative.any(dim=1, keepdim=True))


def chances(distance: Tensor, negative: Tensor, *, dims: int) -> Tensor:
    """Return (B, M) float64 probabilities of the negatives of each anchor; undefined for anchors without negatives."""
    clamped = distance.double().clamp(NEAREST, FARTHEST)
    log_weight = (2 - dims) * clamped.log() + (3 - dims) / 2 * (1 - clamped.square() / 4).log()
    # The softmax of such low values is 0, or uniform if there are no higher ones in the row.
    ranked = log_weight.masked_fill(distance >= FARTHEST, -1e9).masked_fill(~negative, -2e9)
    return ranked.softmax(dim=1)


def draw(chance: Tensor, noise: Tensor) -> Tensor:
    """Draw (B, N) indices into the rows of (B, M) probabilities, one for each number of (B, N) noise in (0, 1).

    This inverts the cumulative probabilities in O(B·M) memory; the Gumbel trick would take O(B·M·N).
    """
    cumulative = chance.cumsum(dim=1)
    cumulative = cumulative / cumulative[:, -1:]  # ends at 1, above all noise
    return torch.searchsorted(cumulative, noise.double(), right=True).clamp_max(chance.shape[1] - 1)
