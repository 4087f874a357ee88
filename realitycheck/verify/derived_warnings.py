"""The warnings beside the verdicts, by code, loss and number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from realitycheck.verify.declared import place_of
from realitycheck.verify.derived_declarations import changed_since_opening
from realitycheck.verify.derived_scores import DerivedScores
from realitycheck.verify.derived_searches import endings, first_best, search_effort, searches
from realitycheck.verify.digests import Json
from realitycheck.verify.formulas import known, mean
from realitycheck.verify.reductions_again import reduced

PREDICTS, AGREES, FEWEST, MOST = 0.6, 0.5, 5, 0.5
FEWEST_SEARCHES = 10
"""Thresholds of docs/statistics.md, Warnings."""

FROM_NOTES = frozenset({"search-failed"})
"""Codes of warnings that rest on notes of attempts, which are no evidence."""


def find_again(scores: DerivedScores) -> list[Json]:
    """All warnings of one dataset in the order of the list."""
    warnings = [
        *_claims(scores),
        *_knobs(scores),
        *_validation(scores),
        *_estimate(scores),
        *_disagreeing(scores),
        *_replicates(scores),
        *_iteration_0(scores),
        ("loss-reduced", list(reduced(scores.course))),
        *_endings(scores),
        *_of_searches(scores),
    ]
    return [{"code": code, "about": about} for code, about in warnings if about]


Found = Iterator[tuple[str, list[Json]]]


def _about(label: str | None, search: int | None, **numbers: float | int | str) -> Json:
    return {"label": label, "search": search, "numbers": numbers}


def _means(scores: DerivedScores) -> dict[str, float]:
    """Label → mean primary score."""
    columns = scores.columns[scores.declared.primary]
    return {label: mean(known(one.values)) for label, one in columns.items() if known(one.values)}


def _claims(scores: DerivedScores) -> Found:
    changed = sorted(changed_since_opening(scores.course))
    if changed:
        yield "claims-changed", [_about(None, None, claims=", ".join(changed))]


def correlations(scores: DerivedScores) -> Json:
    """Of the primary score with the chosen value of every shared knob, and with validation; those that there are."""
    return {"knobs": dict(_of_knobs(scores)), "validation": _of_validation(scores)}


def _knobs(scores: DerivedScores) -> Found:
    for knob, numbers in _of_knobs(scores):
        if any(abs(float(value)) > PREDICTS for name, value in numbers.items() if name.startswith("spearman")):
            yield "knob-predicts-ranking", [_about(None, None, knob=knob, **numbers)]


def _of_knobs(scores: DerivedScores) -> Iterator[tuple[str, dict[str, float | int | str]]]:
    means = _means(scores)
    for knob in scores.declared.protocol["search"]["shared"]:
        places = _places(scores, knob)
        both = [label for label in means if label in places]
        over_losses = _spearman([mean(places[label]) for label in both], [means[label] for label in both])
        numbers: dict[str, float | int | str] = {}
        if over_losses is not None:
            numbers |= {"spearman": over_losses, "losses": len(both)}
        numbers |= _over_searches(scores, places)
        if numbers:
            yield knob, numbers


def _over_searches(scores: DerivedScores, places: dict[str, list[float]]) -> dict[str, float | int | str]:
    """The same with one point per search, where a loss has several searches and all losses together ten."""
    points: list[tuple[float, float]] = []
    for row in scores.course.losses:
        values = scores.values(row, scores.declared.primary)
        for search, place in zip(row.searches, places.get(row.label, ()), strict=False):
            share = len(values) // len(row.searches)
            own = known(values[share * search.number : share * (search.number + 1)])
            points += [(place, mean(own))] if own else []
    if scores.declared.searches == 1 or len(points) < FEWEST_SEARCHES:
        return {}
    rho = _spearman(*(list(side) for side in zip(*points, strict=True)))
    return {} if rho is None else {"spearman_searches": rho, "searches": len(points)}


def _places(scores: DerivedScores, knob: str) -> dict[str, list[float]]:
    """Label → where in its range each search chose the knob."""
    places = {}
    for row in scores.course.losses:
        bounds = scores.declared.space(row.label).get(knob)
        chosen = [search.chosen.knobs.get(knob) for search in row.searches if search.chosen]
        numbers = [value for value in chosen if isinstance(value, int | float)]
        ranged = isinstance(bounds, dict) and "choice" not in bounds
        if ranged and numbers and len(numbers) == len(row.searches):
            places[row.label] = [float(place_of(bounds, value)) for value in numbers]
    return places


def _validation(scores: DerivedScores) -> Found:
    numbers = _of_validation(scores)
    if numbers and float(numbers["spearman"]) < AGREES:
        yield "validation-does-not-predict", [_about(None, None, **numbers)]


def _of_validation(scores: DerivedScores) -> dict[str, float | int | str]:
    means = _means(scores)
    values = {row.label: known([one.value for one in row.replicates]) for row in scores.course.losses}
    both = [label for label in means if values[label]]
    rho = _spearman([mean(values[label]) for label in both], [means[label] for label in both])
    return {} if rho is None else {"spearman": rho, "losses": len(both)}


def _spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Pearson's r of the ranks, ties at their mean rank."""
    if len(first) < FEWEST or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    return float(np.corrcoef(ranked(first), ranked(second))[0, 1])


def ranked(values: Sequence[float]) -> list[float]:
    """Ranks from 1; equal values share their mean rank."""
    return [sum(other < one for other in values) + (sum(other == one for other in values) + 1) / 2 for one in values]


def _estimate(scores: DerivedScores) -> Found:
    fit = scores.fits[scores.declared.primary]
    for _ in fit.warnings:
        yield "estimate-doubtful", [_about(None, None, **fit.diagnostics)]


def _disagreeing(scores: DerivedScores) -> Found:
    fit = scores.fits[scores.declared.primary]
    odd = [label for label in scores.declared.whole.labels if label in fit.disagreeing]
    yield (
        "searches-disagree",
        [
            _about(label, None, **{f"search {place + 1}": value for place, value in enumerate(fit.means[label])})
            for label in odd
        ],
    )


def _replicates(scores: DerivedScores) -> Found:
    cells = {row.label: scores.cell(row, scores.declared.primary, None) for row in scores.course.losses}
    yield (
        "replicates-diverged",
        [
            _about(label, None, diverged=cell["diverged"], replicates=len(cell["values"]))
            for label, cell in cells.items()
            if cell["diverged"]
        ],
    )


def _iteration_0(scores: DerivedScores) -> Found:
    counts = first_best(scores.course) if _untrained_scored(scores) else {}
    yield (
        "iteration-0-best",
        [_about(label, None, runs=runs, iteration_0_best=best) for label, (runs, best) in counts.items() if best],
    )


def _untrained_scored(scores: DerivedScores) -> bool:
    return any(known(scores.values(row, scores.declared.primary)) for row in scores.course.untrained)


def _endings(scores: DerivedScores) -> Found:
    ended = endings(scores.course)
    yield (
        "ended-by-cap",
        [
            _about(one["label"], one["number"], phase=one["phase"], **_capped(one["final"]))
            for one in ended
            if one["final"]["capped"] > MOST * one["final"]["runs"]
        ],
    )
    normal = {(one["label"], one["number"]): len(one["complete"]) for one in ended if one["phase"] == "normal"}
    longer = [one["label"] for one in ended if len(one["complete"]) > normal[one["label"], one["number"]]]
    yield "no-normal-phase", [_about(label, None) for label in dict.fromkeys(longer)]


def _capped(tally: Json) -> Json:
    return {"capped": tally["capped"], "runs": tally["runs"]}


def _of_searches(scores: DerivedScores) -> Found:
    every, effort = searches(scores.course), search_effort(scores.course)
    bounds = [
        _about(one["label"], one["number"], **{knob["name"]: knob["value"]})
        for one in every
        for knob in one["knobs"]
        if knob["on_bound"]
    ]
    yield "optimum-on-bound", bounds
    proposed = [
        _about(one["label"], one["number"], on_bounds=one["on_bounds"], proposed=one["proposed"])
        for one in (effort["searches"] if effort else ())
        if one["on_bounds"] > MOST * one["proposed"]
    ]
    yield "proposals-on-bounds", proposed
    diverged = [
        _about(one["label"], one["number"], diverged=one["diverged"], trials=one["trials"])
        for one in every
        if one["diverged"]
    ]
    yield "trials-diverged", diverged
