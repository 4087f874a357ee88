"""Compare losses with one declared baseline on paired seeds: p-values, their correction, and verdicts."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scipy import stats

from realitycheck.statistics.intervals import Interval, mean_of, standard_error, t_interval

Scores = Sequence[float | None]
"""One score per seed, in the order of the seeds; None if the replicate has no score."""


class Verdict(StrEnum):
    """Verdict on a loss compared with the baseline."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparison of one loss with the baseline; differences are loss minus baseline, in the unit of the scores.

    Args:
        label: label of the loss.
        differences: one per seed; None if either side has no score.
        mean: mean difference over the common seeds; None if there are none.
        interval: paired t interval of the difference; None with fewer than two common seeds.
        equivalence: paired t interval at level 1 − 2α; inside ± the smallest difference, both one-sided tests reject.
        p: two-sided p-value of the paired t test; 1 if no test is possible.
        p_holm: p-value after Holm's correction over the family.
        correlation: Pearson's r of the two scores over common seeds; None below three seeds or without variation.
        verdict: None while replicates are missing.
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
        """Number of seeds with scores of both sides."""
        return len(_present(self.differences))


def differences(scores: Scores, baseline: Scores) -> tuple[float | None, ...]:
    """Return score minus baseline for each seed; None if either is missing."""
    pairs = zip(scores, baseline, strict=True)
    return tuple(None if score is None or base is None else score - base for score, base in pairs)


def paired_p(differences: Scores) -> float:
    """Return the two-sided p-value of the t test that the mean difference is 0; 1 with fewer than two common seeds."""
    present = _present(differences)
    if len(present) < 2:
        return 1.0
    mean, error = mean_of(present), standard_error(present)
    if error == 0:
        return 0.0 if mean else 1.0
    return float(2 * stats.t.sf(abs(mean) / error, len(present) - 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for a family, in the given order; each is at least its raw value and at most 1.

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
    """Return Pearson's r over the common seeds; None below three seeds or without variation."""
    pairs = [(a, b) for a, b in zip(scores, baseline, strict=True) if a is not None and b is not None]
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    if len(pairs) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return statistics.correlation(first, second)


def compare(
    family: Mapping[str, Scores],
    *,
    baseline: Scores,
    untrained: Scores,
    pending: Collection[str],
    level: float,
    smallest_difference: float,
) -> list[Comparison]:
    """Compare every loss of a declared family with the baseline.

    Equivalence takes precedence: the interval at level 1 − 2α (two one-sided tests, Schuirmann 1987) is
    inside ± `smallest_difference`. Otherwise better or worse requires a Holm-corrected p-value below α. No verdict may
    result from missing replicates. So `better` must also hold if missing scores of the loss are replaced by the
    untrained score, `worse` if those of the baseline are, and `equivalent` under both replacements.

    Args:
        family: label → scores of all compared losses, without the baseline.
        baseline: scores of the baseline.
        untrained: scores of the untrained model under the same seeds.
        pending: labels with missing replicates; they count in the family with p = 1 and get no verdict.
        level: coverage of the intervals, in (0.5, 1); α is 1 − level.
        smallest_difference: the smallest difference of interest, in the unit of the scores.

    Raises:
        ValueError: if `level` is out of range.
    """
    if not 0.5 < level < 1:
        raise ValueError(f"level {level} is out of range: must be between 0.5 and 1.")
    observed = _View.of(family, baseline, pending)
    filled = {label: _filled(scores, untrained) for label, scores in family.items()}
    views = (
        observed,
        _View.of(filled, baseline, pending),
        _View.of(family, _filled(baseline, untrained), pending),
    )
    rule = _Rule(level=level, smallest=smallest_difference)
    return [
        observed.comparison(
            label,
            rule,
            correlation=correlation(family[label], baseline),
            verdict=None if label in pending else rule.verdict(label, *views),
        )
        for label in family
    ]


@dataclass(frozen=True, slots=True)
class _View:
    """The family's differences under one treatment of missing replicates."""

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
    """The rule from differences to a verdict."""

    level: float
    smallest: float

    def verdict(self, label: str, observed: _View, loss_filled: _View, baseline_filled: _View) -> Verdict:
        if all(self._equivalent(view, label) for view in (observed, loss_filled, baseline_filled)):
            return Verdict.EQUIVALENT
        if all(self._significant(view, label, sign=1) for view in (observed, loss_filled)):
            return Verdict.BETTER
        if all(self._significant(view, label, sign=-1) for view in (observed, baseline_filled)):
            return Verdict.WORSE
        return Verdict.UNDECIDED

    def _equivalent(self, view: _View, label: str) -> bool:
        inner = _interval(view.differences[label], 2 * self.level - 1)
        return inner is not None and -self.smallest < inner.low and inner.high < self.smallest

    def _significant(self, view: _View, label: str, *, sign: int) -> bool:
        return sign * view.mean(label) > 0 and view.p_holm[label] < 1 - self.level


def _present(values: Scores) -> list[float]:
    return [value for value in values if value is not None]


def _interval(gap: Scores, level: float) -> Interval | None:
    present = _present(gap)
    return t_interval(present, level=level, over="seeds") if len(present) > 1 else None


def _filled(scores: Scores, untrained: Scores) -> Scores | None:
    """Replace missing scores by the seed's untrained score, else by the untrained mean; None if there is none."""
    if None not in scores:
        return scores
    known = _present(untrained)
    if not known:
        return None
    replacements = [mean_of(known) if score is None else score for score in untrained]
    return [score if score is not None else other for score, other in zip(scores, replacements, strict=True)]
