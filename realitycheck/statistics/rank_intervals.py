"""Intervals for the ranks of losses, and the losses that cannot be distinguished from the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realitycheck.statistics.all_pairs import LossPair


@dataclass(frozen=True, slots=True)
class RankInterval:
    """The ranks that a loss may have, 1 being the highest mean.

    Args:
        label: the loss.
        best: one more than the number of losses that are higher.
        worst: the number of losses less those that are lower.
    """

    label: str
    best: int
    worst: int


def rank_intervals(labels: Sequence[str], pairs: Sequence[LossPair], *, level: float) -> list[RankInterval]:
    """Return an interval for the rank of every loss; all of them hold together at the level.

    A loss without any pair may have every rank. The losses with `best` 1 are those that no other loss is higher than:
    the set that is not distinguishable from the best. It contains the best loss at the level.

    Args:
        labels: all losses that are ranked.
        pairs: the comparisons of all pairs, corrected for both signs.
        level: 1 − α, in (0, 1).

    Source: Mogstad, Romano, Shaikh and Wilhelm (2024), Rev. Econ. Stud. 91:476, "Inference for ranks with
    applications to mobility across neighbourhoods and academic achievement across countries". Where the chance of any
    false sign among all pairs is at most α, counting the signs gives intervals that hold together at 1 − α.
    """
    sure = [pair for pair in pairs if pair.p_stepdown < 1 - level]
    higher = [(pair.label, pair.other) if pair.mean > 0 else (pair.other, pair.label) for pair in sure]
    return [
        RankInterval(
            label,
            1 + sum(loser == label for _, loser in higher),
            len(labels) - sum(winner == label for winner, _ in higher),
        )
        for label in labels
    ]
