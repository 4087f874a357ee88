"""Studies drawn from real searches of one loss or two: the truth of a loss is the mean of all its searches.

A search of a loss belongs to a partition of the folds. Search h of all labels of a study has the same partition, as in
a real study, and no search is drawn twice for one study.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from error_rates import Estimates
from numpy.typing import NDArray

from realitycheck.statistics.base import Estimator, LossScores

Name = tuple[str, int, int]
"""A loss, a partition, and the number of a search in it."""


@dataclass(frozen=True)
class RealSearch:
    """The scores of one search: one per replicate, and those of its near-best settings, the chosen one first."""

    replicates: tuple[float, ...]
    near_best: tuple[float, ...]


Searches = dict[Name, RealSearch]


@dataclass(frozen=True)
class Drawn:
    """Pseudo-studies with the searches in them; the labels are those of `losses`, the baseline last."""

    losses: tuple[str, ...]
    studies: list[dict[str, LossScores]]
    members: list[frozenset[Name]]


def draw(rng: np.random.Generator, searches: Searches, losses: Sequence[str], *, partitions: int, number: int) -> Drawn:
    """Draw studies with one label per entry of `losses` and one search per partition.

    Args:
        rng: draws partitions and searches.
        searches: all searches; every loss has as many in a partition as it has labels, or more.
        losses: the loss of each label; the same one several times is a placebo.
        partitions: M, searches per label.
        number: number of studies.
    """
    known = sorted({partition for _, partition, _ in searches})
    studies, members = [], []
    for _ in range(number):
        picked: list[list[Name]] = [[] for _ in losses]
        for partition in rng.permutation(known)[:partitions]:
            for loss in dict.fromkeys(losses):
                own = [name for name in searches if name[:2] == (loss, partition)]
                places = [place for place, other in enumerate(losses) if other == loss]
                for place, chosen in zip(places, rng.permutation(len(own)), strict=False):
                    picked[place].append(own[chosen])
        studies.append({f"label {place}": _scores(searches, names) for place, names in enumerate(picked)})
        members.append(frozenset(name for names in picked for name in names))
    return Drawn(tuple(losses), studies, members)


def _scores(searches: Searches, names: Sequence[Name]) -> LossScores:
    known = [searches[name] for name in names]
    near = tuple(search.near_best for search in known)
    return LossScores([value for search in known for value in search.replicates], near if all(near) else ())


def truth(searches: Searches, losses: Sequence[str]) -> NDArray[np.float64]:
    """The true difference of every label from the last: the means over all searches of their losses."""
    means = {
        loss: float(np.mean([np.mean(search.replicates) for name, search in searches.items() if name[0] == loss]))
        for loss in set(losses)
    }
    return np.array([means[loss] - means[losses[-1]] for loss in losses[:-1]])


@dataclass(frozen=True)
class Rate:
    """A share of studies, with its standard error by the jackknife over searches."""

    rate: float
    error: float

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return max(0.0, self.rate - 1.96 * self.error)

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return min(1.0, self.rate + 1.96 * self.error)


def rates(rule: Estimator, drawn: Drawn, searches: Searches) -> dict[str, Rate]:
    """Coverage of differences, and studies with any false better or worse, of one rule.

    Pseudo-studies share searches, so their number says nothing of the error. Studies without a search are a draw from
    the other searches: leaving each out in turn is the jackknife (Quenouille 1956, Biometrika 43:353).
    """
    found = Estimates.of(rule, drawn.studies)
    names = sorted(set().union(*drawn.members))
    whole = _counted(found, truth(searches, drawn.losses), np.ones(len(drawn.members), bool))
    parts = []
    for name in names:
        rest = {other: search for other, search in searches.items() if other != name}
        kept = np.array([name not in members for members in drawn.members])
        parts.append(_counted(found, truth(rest, drawn.losses), kept))
    spread = np.sqrt((len(names) - 1) * np.var(parts, axis=0))
    return {
        key: Rate(float(rate), float(error))
        for key, rate, error in zip(("covered", "false_family"), whole, spread, strict=True)
    }


def _counted(found: Estimates, true: NDArray[np.float64], kept: NDArray[np.bool_]) -> tuple[float, float]:
    equal = found.different(-true).any(axis=1)  # of losses that are equal once their true difference is taken off
    return float(found.covers(true)[kept].mean()), float(equal[kept].mean())
