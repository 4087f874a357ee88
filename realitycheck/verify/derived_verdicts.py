"""The comparisons with the baseline and with the untrained models: p-values, Holm's correction and verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from realitycheck.verify.derived_scores import DerivedScores
from realitycheck.verify.digests import Json
from realitycheck.verify.estimate_of_winner import beside
from realitycheck.verify.formulas import Estimated, Scored, Value, known, mean, paired

BASE = "\0baseline"
"""The key of the baseline among its columns, so that it stays the last one."""


@dataclass(slots=True)
class Seen:
    """A family under one treatment of missing replicates: estimates, and p-values after Holm's correction."""

    estimates: dict[str, Estimated | None]
    disagreeing: set[str]
    p: dict[str, float]
    holm: dict[str, float]
    outside: dict[str, float]


class DerivedVerdicts:
    """The verdicts in the primary column.

    Args:
        scores: the scores of the study on one dataset.
    """

    def __init__(self, scores: DerivedScores) -> None:
        self.scores, self.declared = scores, scores.declared
        self.columns = scores.columns[self.declared.primary]
        self.alpha = 1 - scores.level
        self.smallest = float(self.declared.study["smallest_difference"]) / 100
        self.beside, self.both = beside(scores.method, searches=self.declared.searches)
        self.untrained = {row.label: scores.values(row, self.declared.primary) for row in scores.course.untrained}
        rows = scores.course.losses
        gone = {row.label: scores.cell(row, self.declared.primary, None)["pending"] for row in rows}
        self.pending = {label for label, number in gone.items() if number}

    def comparisons(self) -> list[Json]:
        """Every loss but the baseline with it; a verdict counts only if it survives the luck of the search."""
        own = self._compared(self.scores.method)
        if not self.both:
            return own
        pairs = zip(own, self.others(), strict=True)
        return [{**_agreed(one, other), "detectable": _found_by_both(one, other)} for one, other in pairs]

    def others(self) -> list[Json]:
        """The same by the estimator that is printed beside."""
        return self._compared(self.beside) if self.beside else []

    def gains(self) -> dict[str, list[Json]]:
        """Every loss against each untrained row that has scores."""
        gains = {}
        for row in self.scores.course.untrained:
            if not known(self.untrained[row.label]):
                continue
            own = self._gained(row.label, self.scores.method)
            if self.both and self.beside:
                second = self._gained(row.label, self.beside)
                own = [_agreed(*pair) for pair in zip(own, second, strict=True)]
            gains[row.label] = own
        return gains

    def _compared(self, method: str) -> list[Json]:
        if self.declared.baseline not in self.columns:
            return []
        base = self.columns[self.declared.baseline]
        family = {label: one for label, one in self.columns.items() if label != self.declared.baseline}
        pending = set(family) if self.declared.baseline in self.pending else self.pending & set(family)
        untrained = self.untrained["untrained embedder"]
        filled = {label: _filled(one, untrained) for label, one in family.items()}
        views = [
            self._view(method, dict(family), base, pending),
            self._view(method, filled, base, pending),
            self._view(method, dict(family), _filled(base, untrained), pending),
        ]
        return [self._comparison(label, family[label], base, views, pending=label in pending) for label in family]

    def _view(self, method: str, family: Mapping[str, Scored | None], base: Scored | None, pending: set[str]) -> Seen:
        columns = {label: one for label, one in {**family, BASE: base}.items() if one is not None}
        fit = self.scores.fit(method, columns)
        there = {label for label, one in family.items() if one is not None and base is not None}
        estimates = {label: fit.difference(label, BASE) if label in there else None for label in family}
        odd = {label for label in there if {label, BASE} & fit.disagreeing}
        tested = {label: None if label in pending else one for label, one in estimates.items()}
        p = {label: one.p if one else 1.0 for label, one in tested.items()}
        outside = {label: one.p_outside(self.smallest) if one else 1.0 for label, one in tested.items()}
        return Seen(estimates, odd, p, holm(p), holm(outside))

    def _comparison(self, label: str, own: Scored, base: Scored, views: Sequence[Seen], *, pending: bool) -> Json:
        seen, gaps = views[0], paired(own.values, base.values)
        estimate, there, level = seen.estimates[label], known(gaps), self.scores.level
        verdict = None if pending else self._verdict(label, gaps, views)
        odd = label in seen.disagreeing
        centre = estimate.mean if estimate else mean(there) if there else None
        return {
            "label": label,
            "differences": gaps,
            "mean": centre,
            "interval": estimate.ends(level) if estimate else None,
            "equivalence": estimate.ends(2 * level - 1) if estimate else None,
            "p": seen.p[label],
            "p_holm": seen.holm[label],
            "p_outside": seen.outside[label],
            "detectable": estimate.detectable(alpha=(1 - level) / len(seen.estimates)) if estimate else None,
            "correlation": _correlation(own.values, base.values),
            "disagreeing": odd,
            "verdict": verdict,
            "reason": "its searches disagree" if odd and verdict is not None else None,
        }

    def _verdict(self, label: str, gaps: Sequence[Value], views: Sequence[Seen]) -> str:
        """Equivalence takes precedence; no verdict may rest on missing replicates."""
        seen, loss_filled, base_filled = views
        if len(gaps) > 1 and all(gap == 0 for gap in gaps):
            return "identical"
        if label in seen.disagreeing:
            return "undecided"
        if all(view.outside[label] < self.alpha for view in views):
            return "equivalent"
        if all(self._sure(view, label) > 0 for view in (seen, loss_filled)):
            return "better"
        return "worse" if all(self._sure(view, label) < 0 for view in (seen, base_filled)) else "undecided"

    def _sure(self, view: Seen, label: str) -> int:
        """The sign of a difference that is significant after correction; 0 for no such difference."""
        estimate = view.estimates[label]
        if estimate is None or view.holm[label] >= self.alpha:
            return 0
        return (estimate.mean > 0) - (estimate.mean < 0)

    def _gained(self, row: str, method: str) -> list[Json]:
        untrained = self.untrained[row]
        lost = self.scores.cell(
            next(one for one in self.scores.course.untrained if one.label == row), self.declared.primary, None
        )
        pending = set(self.columns) if lost["pending"] else self.pending
        filled = {label: _filled(one, untrained) or one for label, one in self.columns.items()}
        first, second = (self._above(method, columns, untrained, pending) for columns in (self.columns, filled))
        return [self._gain(label, first, second, pending=label in pending) for label in self.columns]

    def _above(self, method: str, columns: dict[str, Scored], untrained: Sequence[Value], pending: set[str]) -> Seen:
        fit = self.scores.fit(method, columns, losses=len(columns))
        estimates = {label: fit.above(label, untrained) for label in columns}
        p = {label: 1.0 if one is None or label in pending else one.p for label, one in estimates.items()}
        return Seen(estimates, fit.disagreeing, p, holm(p), {})

    def _gain(self, label: str, first: Seen, second: Seen, *, pending: bool) -> Json:
        estimate, odd = first.estimates[label], label in first.disagreeing and not pending
        verdict: str | None = "undecided"
        if pending:
            verdict = None
        elif not odd and estimate is not None and first.holm[label] < self.alpha:
            sure = second.holm[label] < self.alpha
            verdict = "worse" if estimate.mean < 0 else "better" if sure else "undecided"
        return {
            "label": label,
            "mean": estimate.mean if estimate else None,
            "interval": estimate.ends(self.scores.level) if estimate else None,
            "p_holm": first.holm[label],
            "verdict": verdict,
            "reason": "its searches disagree" if odd else None,
        }


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down correction."""
    order = sorted(p, key=lambda label: p[label])
    adjusted, most = {}, 0.0
    for rank, label in enumerate(order):
        most = max(most, min(1.0, (len(order) - rank) * p[label]))
        adjusted[label] = most
    return {label: adjusted[label] for label in p}


def _agreed(one: Json, other: Json) -> Json:
    """A verdict of an estimator that leaves out the luck of the search, where the other gives it as well."""
    if one["verdict"] in (None, "undecided") or one["verdict"] == other["verdict"]:
        return one
    unmeasured = "search luck not measured"
    reason = unmeasured if other["interval"] is None else "not if the luck of the search is counted"
    return {**one, "verdict": "undecided", "reason": other["reason"] or reason}


def _found_by_both(one: Json, other: Json) -> Value:
    sizes = [one["detectable"], other["detectable"]]
    return None if None in sizes else max(sizes)


def _filled(column: Scored, untrained: Sequence[Value]) -> Scored | None:
    """Missing scores replaced by the untrained score of the replicate, else by the mean of these."""
    there = known(untrained)
    if None not in column.values:
        return column
    if not there:
        return None
    own = list(untrained) if len(untrained) == len(column.values) else [None] * len(column.values)
    values: list[Value] = [
        value if value is not None else mean(there) if base is None else base
        for value, base in zip(column.values, own, strict=True)
    ]
    return replace(column, values=values)


def _correlation(first: Sequence[Value], second: Sequence[Value]) -> float | None:
    """Pearson's r over the common replicates; None below three, and where one side does not vary."""
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    if len(pairs) < 3 or any(len(set(side)) == 1 for side in zip(*pairs, strict=True)):
        return None
    return float(np.corrcoef(np.array(pairs).T)[0, 1])
