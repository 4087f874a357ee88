"""The noise floor: how far the names of one function are apart, in every column."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from realitycheck.verify.derived_declarations import UNSAID
from realitycheck.verify.derived_scores import DerivedScores, Place
from realitycheck.verify.digests import Json
from realitycheck.verify.estimates import Fitted
from realitycheck.verify.formulas import Scored, Value, known, mean, paired, variance

GROUP = "the mean of these names"


def noise_floor(scores: DerivedScores) -> Json | None:
    """The floors of all columns; None where no losses are declared to be the same."""
    same = [label for label in scores.declared.whole.labels if label in scores.declared.study["same"]]
    if not same:
        return None
    floors = [floor for place in scores.places if (floor := _floor(scores, place, same))]
    first = scores.course.openings[:1]
    changed = any(
        {**UNSAID, **one["claims"]}.get("same") not in (None, scores.declared.claims["same"]) for one in first
    )
    return {"labels": same, "floors": floors, "late": changed}


def _floor(scores: DerivedScores, place: Place, same: Sequence[str]) -> Json | None:
    columns = {label: one for label, one in scores.columns[place].items() if known(one.values)}
    names = {label: one for label, one in columns.items() if label in same}
    equal = _pairs(scores, names)
    if not equal:
        return None
    others = {label: one for label, one in columns.items() if label not in same}
    together = Scored(_by_seed([one.values for one in names.values()]))
    different = _pairs(scores, {GROUP: together, **others})
    means = [mean(known(one.values)) for one in names.values()]
    return {
        "category": place[0],
        "metric": place[1],
        "names": len(names),
        "low": min(means),
        "high": max(means),
        "sd": variance(means) ** 0.5,
        "largest": equal[-1],
        "pairs": len(different),
        "closer": [pair for pair in different if pair["gap"] <= equal[-1]["gap"]],
    }


def _pairs(scores: DerivedScores, columns: Mapping[str, Scored]) -> list[Json]:
    """All pairs with a common seed, the nearest first."""
    fit = scores.fit(scores.method, dict(columns), losses=len(columns))
    pairs = [_pair(fit, columns, *names, scores.level) for names in itertools.combinations(columns, 2)]
    return sorted((pair for pair in pairs if pair), key=lambda pair: pair["gap"])


def _pair(fit: Fitted, columns: Mapping[str, Scored], one: str, other: str, level: float) -> Json | None:
    gaps = known(paired(columns[one].values, columns[other].values))
    if not gaps:
        return None
    if mean(gaps) < 0:
        one, other = other, one
    estimate = fit.difference(one, other)
    interval = estimate.ends(level) if estimate else None
    return {"higher": one, "lower": other, "gap": abs(mean(gaps)), "interval": interval}


def _by_seed(names: Sequence[Sequence[Value]]) -> list[Value]:
    """The mean of all names, seed by seed; None where one of them has no score."""
    columns = [known(column) for column in zip(*names, strict=True)]
    return [mean(column) if len(column) == len(names) else None for column in columns]
