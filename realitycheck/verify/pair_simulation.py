"""All pairs of losses: simultaneous p-values by simulation with other draws, and the ranks that follow from them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realitycheck.verify.checks import Checks
from realitycheck.verify.derived_scores import DerivedScores
from realitycheck.verify.derived_verdicts import DerivedVerdicts
from realitycheck.verify.digests import Json
from realitycheck.verify.estimates import Fitted
from realitycheck.verify.formulas import Estimated

DRAWS = 40_000
THEIRS = 20_000
SEED = 20_111
WIDE = 6.0
"""Standard errors of both simulations by which a p-value may differ."""

Table = NDArray[np.float64]


@dataclass(slots=True)
class Pairs:
    """The pairs of an estimator: names, estimates, and simulated p-values of their signs."""

    names: list[tuple[str, str]]
    estimates: list[Estimated]
    p: list[float]
    drawn: Table


def check_ranks(
    scores: DerivedScores, verdicts: DerivedVerdicts, reported: Json | None, where: str, checks: Checks
) -> None:
    """Hold the pairs and ranks of `tables.json` to a simulation; None where it has none."""
    declared = scores.declared
    columns, labels = scores.columns[declared.primary], declared.whole.labels
    holed = {label for label, column in columns.items() if None in column.values}
    first = _pairs(scores.fit(scores.method, columns, losses=len(labels)), labels, holed)
    second = None
    if verdicts.both and verdicts.beside:
        second = _pairs(scores.fit(verdicts.beside, columns, losses=len(labels)), labels, holed)
    if first is None or reported is None:
        says = "the report ranks losses whose scores are not complete, or does not rank complete ones."
        checks.holds((first is None) == (reported is None), what="ranks", where=where, code="table-differs", says=says)
        return
    for number, pair in enumerate(first.names):
        own = reported["pairs"][number : number + 1]
        _check_pair(
            first,
            second,
            number,
            own,
            f"{where}, {' and '.join(pair)}",
            checks,
            alpha=1 - scores.level,
            both=verdicts.both,
        )
    expected = _ranks(labels, reported["pairs"], 1 - scores.level)
    says = "the ranks are not those that follow from its p-values of pairs."
    checks.holds(reported["intervals"] == expected, what="ranks", where=where, code="table-differs", says=says)


def _pairs(fit: Fitted, labels: Sequence[str], holed: set[str]) -> Pairs | None:
    """None with fewer than two losses that can be compared."""
    out = holed | fit.disagreeing
    there = [label for label in labels if label not in out and fit.loss(label) is not None]
    names = list(itertools.combinations(there, 2))
    estimates = [one for pair in names if (one := fit.pair(*pair)) is not None]
    if not estimates or len(estimates) < len(names):
        return None
    drawn = _draws(estimates, len(there), own=fit.method in ("student_t", "pooled_winner"))
    return Pairs(names, estimates, _stepped(estimates, drawn), drawn)


def _draws(estimates: Sequence[Estimated], count: int, *, own: bool) -> Table:
    """Statistics of all pairs where no two losses differ, (draws, pairs)."""
    rng = np.random.default_rng(SEED)
    squares = np.zeros((count, count))
    pairs = list(itertools.combinations(range(count), 2))
    for (a, b), one in zip(pairs, estimates, strict=True):
        squares[a, b] = squares[b, a] = one.error**2
    middle = np.eye(count) - 1 / count
    heights, vectors = np.linalg.eigh(-0.5 * middle @ squares @ middle)
    root = vectors * np.sqrt(np.clip(heights, 0, None))
    first, second = np.array(pairs).T
    freedom = min(one.freedom for one in estimates)
    errors = np.array([one.error or 1.0 for one in estimates])
    blocks = []
    for _ in range(DRAWS // 2_000):
        means = rng.standard_normal((2_000, count)) @ root.T
        gaps = means[:, first] - means[:, second]
        if own:
            rows = rng.standard_normal((2_000, math.ceil(freedom), count)) @ root.T
            spread = np.sqrt(((rows[:, :, first] - rows[:, :, second]) ** 2).mean(axis=1))
            blocks.append(gaps / np.where(spread > 0, spread, 1.0))
        else:
            blocks.append(gaps / (errors * np.sqrt(rng.chisquare(freedom, (2_000, 1)) / freedom)))
    return np.concatenate(blocks)


def _statistic(one: Estimated) -> float:
    if one.error == 0:
        return math.copysign(math.inf, one.mean) if one.mean else 0.0
    return one.mean / one.error


def _stepped(estimates: Sequence[Estimated], drawn: Table) -> list[float]:
    """Step down from the largest |t|: those that are left have both signs, those before it the opposite sign alone."""
    values = [_statistic(one) for one in estimates]
    order = sorted(range(len(values)), key=lambda number: -abs(values[number]))
    p, most = [0.0] * len(values), 0.0
    for rank, number in enumerate(order):
        largest = np.abs(drawn[:, order[rank:]]).max(axis=1)
        for earlier in order[:rank]:
            largest = np.maximum(largest, -np.sign(values[earlier]) * drawn[:, earlier])
        most = max(most, float((1 + (largest >= abs(values[number])).sum()) / (1 + len(drawn))))
        p[number] = most
    return p


def _check_pair(
    first: Pairs,
    second: Pairs | None,
    number: int,
    reported: Sequence[Json],
    where: str,
    checks: Checks,
    *,
    alpha: float,
    both: bool,
) -> None:
    estimate, names = first.estimates[number], first.names[number]
    if not reported or (reported[0]["label"], reported[0]["other"]) != names:
        checks.problem(where, "table-differs", "the report does not have this pair in its place.")
        return
    pair, p = reported[0], _both(first, second, number) if both else first.p[number]
    error = WIDE * math.sqrt(max(p * (1 - p), 1 / THEIRS) * (1 / DRAWS + 1 / THEIRS))
    close = math.isclose(pair["mean"], estimate.mean, rel_tol=1e-7, abs_tol=1e-12) and math.isclose(
        pair["p"], estimate.p, rel_tol=1e-6, abs_tol=1e-12
    )
    says = f"its p-value is {pair['p_stepdown']:.4f}, and a second simulation gives {p:.4f}."
    near = abs(pair["p_stepdown"] - p) <= error + 2 / THEIRS
    checks.holds(close and near, what="pairs", where=where, code="table-differs", says=says)
    _check_edge(first, estimate, pair, where, checks, alpha=alpha)


def _both(first: Pairs, second: Pairs | None, number: int) -> float:
    """The larger p-value where both estimators give one sign, else 1."""
    names = first.names[number]
    if second is None or names not in second.names:
        return 1.0
    other = second.names.index(names)
    same = first.estimates[number].mean * second.estimates[other].mean > 0
    return max(first.p[number], second.p[other]) if same else 1.0


def _check_edge(pairs: Pairs, estimate: Estimated, reported: Json, where: str, checks: Checks, *, alpha: float) -> None:
    """As many draws as α are beyond the edge of the simultaneous intervals."""
    if estimate.error == 0:
        return
    edge = (reported["high"] - reported["low"]) / 2 / estimate.error
    beyond = float((np.abs(pairs.drawn).max(axis=1) > edge).mean())
    error = WIDE * math.sqrt(alpha * (1 - alpha) * (1 / DRAWS + 1 / THEIRS))
    says = f"its simultaneous interval leaves out {beyond:.4f} of a second simulation."
    middle = math.isclose((reported["high"] + reported["low"]) / 2, estimate.mean, rel_tol=1e-7, abs_tol=1e-12)
    checks.holds(
        middle and abs(beyond - alpha) <= error,
        what="simultaneous intervals",
        where=where,
        code="table-differs",
        says=says,
    )


def _ranks(labels: Sequence[str], pairs: Sequence[Json], alpha: float) -> list[Json]:
    """One more than the losses that are higher, and the number of losses less those that are lower."""
    higher = [
        (one["label"], one["other"]) if one["mean"] > 0 else (one["other"], one["label"])
        for one in pairs
        if one["p_stepdown"] < alpha
    ]
    return [
        {
            "label": label,
            "best": 1 + sum(loser == label for _, loser in higher),
            "worst": len(labels) - sum(winner == label for winner, _ in higher),
        }
        for label in labels
    ]
