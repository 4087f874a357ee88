"""Losses against one declared baseline on paired seeds: p-values, their correction, and verdicts."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scipy import stats

from realitycheck.statistics.intervals import Interval, mean_of, standard_error, t_interval

Scores = Sequence[float | None]
"""One score per seed, in the order of the seeds; None where the replicate has none."""


class Verdict(StrEnum):
    """What may be said of a loss and the baseline."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One loss against the baseline; differences are loss minus baseline, in the unit of the scores.

    Args:
        label: the loss.
        differences: one per seed, None where either side has no score.
        mean: mean difference over the common seeds, None if there are none.
        interval: paired t interval of the difference; None with fewer than two common seeds.
        equivalence: the same at level 1 − 2α: inside ± the smallest difference, both one-sided tests reject.
        p: two-sided p of the paired t test, 1 where no test is possible.
        p_holm: the same after Holm's correction over the family.
        correlation: Pearson's r of the two scores over common seeds; None below three seeds or at no spread.
        verdict: None while replicates are still to come.
    """

    label: str
    differences: tuple[float | None, ...]
    mean: float | None
    interval: Interval | None
    equivalence: Interval | None
    p: float
    p_holm: float
    correlation: float | None
    verdict: Verdict | None

    @property
    def n(self) -> int:
        """How many seeds both sides have."""
        return len(_present(self.differences))


def differences(scores: Scores, baseline: Scores) -> tuple[float | None, ...]:
    """Score minus baseline, seed by seed; None where either is missing."""
    pairs = zip(scores, baseline, strict=True)
    return tuple(None if mine is None or its is None else mine - its for mine, its in pairs)


def paired_p(differences: Scores) -> float:
    """Two-sided p of the t test that the mean difference is 0; 1 with fewer than two common seeds."""
    present = _present(differences)
    if len(present) < 2:
        return 1.0
    mean, error = mean_of(present), standard_error(present)
    if error == 0:
        return 0.0 if mean else 1.0
    return float(2 * stats.t.sf(abs(mean) / error, len(present) - 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for a family, in the order given; each is at least its raw value, at most 1.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6:65.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [1.0] * len(p_values)
    floor = 0.0
    for rank, i in enumerate(order):
        floor = max(floor, min(1.0, (len(order) - rank) * p_values[i]))
        adjusted[i] = floor
    return adjusted


def correlation(scores: Scores, baseline: Scores) -> float | None:
    """Pearson's r over the common seeds; None below three seeds or without spread."""
    pairs = [(a, b) for a, b in zip(scores, baseline, strict=True) if a is not None and b is not None]
    mine, its = [a for a, _ in pairs], [b for _, b in pairs]
    if len(pairs) < 3 or len(set(mine)) == 1 or len(set(its)) == 1:
        return None
    return statistics.correlation(mine, its)


def compare(
    family: Mapping[str, Scores],
    *,
    baseline: Scores,
    untrained: Scores,
    pending: Collection[str],
    level: float,
    smallest_difference: float,
) -> list[Comparison]:
    """Judge every loss of a declared family against the baseline.

    Equivalence takes precedence: the interval at level 1 − 2α (two one-sided tests, Schuirmann 1987) lies
    inside ± `smallest_difference`. Else better or worse needs a Holm-corrected p below α. No verdict may owe
    itself to missing replicates: `better` must also hold with the untrained score in the place of each that
    the loss lacks, `worse` of each that the baseline lacks, `equivalent` under both.

    Args:
        family: label → scores, all that are compared, the baseline not among them.
        baseline: the baseline's scores.
        untrained: scores of the model that was never trained, under the same seeds.
        pending: labels with replicates still to come; they count in the family with p = 1 and get no verdict.
        level: coverage of the intervals; α is 1 − level, below one half.
        smallest_difference: the smallest difference of interest, in the unit of the scores.
    """
    if not 0.5 < level < 1:
        raise ValueError(f"level must lie between 0.5 and 1; got {level}.")
    seen = _View.of(family, baseline, pending)
    filled = {label: _filled(scores, untrained) for label, scores in family.items()}
    views = (
        seen,
        _View.of(filled, baseline, pending),
        _View.of(family, _filled(baseline, untrained), pending),
    )
    rule = _Rule(level=level, smallest=smallest_difference)
    return [
        seen.comparison(
            label,
            rule,
            correlation=correlation(family[label], baseline),
            verdict=None if label in pending else rule.verdict(label, *views),
        )
        for label in family
    ]


@dataclass(frozen=True, slots=True)
class _View:
    """The family's differences under one way of treating missing replicates."""

    differences: Mapping[str, tuple[float | None, ...]]
    p: Mapping[str, float]
    p_holm: Mapping[str, float]

    @classmethod
    def of(cls, family: Mapping[str, Scores | None], baseline: Scores | None, pending: Collection[str]) -> _View:
        gaps = {
            label: () if scores is None or baseline is None else differences(scores, baseline)
            for label, scores in family.items()
        }
        p = {label: 1.0 if label in pending else paired_p(gap) for label, gap in gaps.items()}
        return cls(gaps, p, dict(zip(p, holm(list(p.values())), strict=True)))

    def mean(self, label: str) -> float:
        present = _present(self.differences[label])
        return mean_of(present) if present else 0.0

    def comparison(self, label: str, rule: _Rule, *, correlation: float | None, verdict: Verdict | None) -> Comparison:
        gap = self.differences[label]
        return Comparison(
            label=label,
            differences=gap,
            mean=self.mean(label) if _present(gap) else None,
            interval=_interval(gap, rule.level),
            equivalence=_interval(gap, 2 * rule.level - 1),
            p=self.p[label],
            p_holm=self.p_holm[label],
            correlation=correlation,
            verdict=verdict,
        )


@dataclass(frozen=True, slots=True)
class _Rule:
    """What turns differences into a verdict."""

    level: float
    smallest: float

    def verdict(self, label: str, seen: _View, mine_filled: _View, its_filled: _View) -> Verdict:
        if all(self._equivalent(view, label) for view in (seen, mine_filled, its_filled)):
            return Verdict.EQUIVALENT
        if all(self._told_apart(view, label, sign=1) for view in (seen, mine_filled)):
            return Verdict.BETTER
        if all(self._told_apart(view, label, sign=-1) for view in (seen, its_filled)):
            return Verdict.WORSE
        return Verdict.UNDECIDED

    def _equivalent(self, view: _View, label: str) -> bool:
        inner = _interval(view.differences[label], 2 * self.level - 1)
        return inner is not None and -self.smallest < inner.low and inner.high < self.smallest

    def _told_apart(self, view: _View, label: str, *, sign: int) -> bool:
        return sign * view.mean(label) > 0 and view.p_holm[label] < 1 - self.level


def _present(values: Scores) -> list[float]:
    return [value for value in values if value is not None]


def _interval(gap: Scores, level: float) -> Interval | None:
    present = _present(gap)
    return t_interval(present, level=level, over="seeds") if len(present) > 1 else None


def _filled(scores: Scores, untrained: Scores) -> Scores | None:
    """The scores without a hole: the seed's untrained score, else the untrained mean; None if unknown."""
    if None not in scores:
        return scores
    known = _present(untrained)
    if not known:
        return None
    stand_ins = [mean_of(known) if score is None else score for score in untrained]
    return [mine if mine is not None else other for mine, other in zip(scores, stand_ins, strict=True)]
