"""ROADMAP loss."""

from __future__ import annotations

from torch import Tensor

from realitycheck.losses.parts.pairs import PairLoss, mean_nonzero
from realitycheck.losses.parts.ranking import (
    count_above,
    exact_ranks,
    mean_over_positives,
    mean_over_queries,
    similarities,
    with_query,
)


class Roadmap(PairLoss):
    r"""An upper bound on the loss of average precision, and a calibration of similarities between batches.

    $$L = (1 - \lambda) \left[1 - \frac{1}{Q} \sum_i \frac{1}{N_i^+} \sum_{j \in P_i}
    \frac{r_{ij}^+}{r_{ij}^+ + \sum_{n} H^-(s_{in} - s_{ij})} \right] + \lambda \left[
    \mathrm{mean}^+_{y_i = y_j}\,[m_p - s_{ij}]_+ + \mathrm{mean}^+_{y_i \neq y_j}\,[s_{ij} - m_n]_+ \right]$$

    s is the cosine similarity, P the positives of query i, N⁺ their number, r⁺ the exact rank of j among them (without
    a gradient), and n any negative. In the first bracket the query itself is one of its positives, as in the authors'
    code. Q is the number of queries with another positive. H⁻(z) is σ(z/τ) up to 0, σ(z/τ) + 1/2 up to δ, and above δ
    its continuation by a line of slope ρ, so that negatives far above a positive have a gradient. mean⁺ is the mean
    over the terms above 0, as in the authors' code; the paper averages over all. Ramzi, Thome, Rambour, Audebert and
    Bitot (2021), section 3. The authors' settings start the line at 1.44 instead of σ(δ/τ) + 1/2 = 1.493, and add the
    two brackets with weight 1 each, which is twice the loss at λ = 1/2. Memory O(B³), and O(B·M²) against M others.

    Args:
        mix: λ, weight of the second bracket, in [0, 1].
        temperature: τ, above 0.
        rho: ρ, slope for negatives that are more similar than a positive by more than δ.
        delta: δ, at least 0, start of the line.
        pos_margin: m_p, similarity above which positives do not contribute.
        neg_margin: m_n, similarity below which negatives do not contribute.
    """

    def __init__(
        self, *, mix: float, temperature: float, rho: float, delta: float, pos_margin: float, neg_margin: float
    ) -> None:
        super().__init__()
        self.mix = mix
        self.temperature = temperature
        self.rho = rho
        self.delta = delta
        self.pos_margin = pos_margin
        self.neg_margin = neg_margin

    def between(self, anchors: Tensor, others: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the loss of anchors (B, D) against others (M, D)."""
        similarity = similarities(anchors, others)  # (B, M)
        pull = mean_nonzero((self.pos_margin - similarity).relu(), positive)
        push = mean_nonzero((similarity - self.neg_margin).relu(), negative)
        ranked = mean_over_queries(1 - self.precision(*with_query(similarity, positive, negative)), positive)
        return (1 - self.mix) * ranked + self.mix * (pull + push)

    def precision(self, similarity: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the (B,) lower bound SupAP on the average precision, of (B, M) similarities and masks."""
        rank = exact_ranks(similarity, positive).to(similarity.dtype)
        above = self._steps(similarity, negative) + 0.5 * count_above(similarity, negative)  # (B, M)
        return mean_over_positives(rank / (rank + above), positive)

    def _steps(self, similarity: Tensor, negative: Tensor) -> Tensor:
        """Return (B, M) `Σ H⁻(s_n - s_j)` over negatives n, without the constant 1/2 of those with s_n > s_j."""
        scaled = similarity / self.temperature
        excess = scaled[:, None, :] - scaled[:, :, None]  # (B, j, n)
        smooth = excess.clamp_max(self.delta / self.temperature)
        steps = smooth.sigmoid() + self.rho * self.temperature * (excess - smooth)
        return (steps @ negative.to(steps.dtype)[:, :, None]).squeeze(2)
