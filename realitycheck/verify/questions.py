"""Every proposal again: what the sampler was asked, from the records before it, and whether its answer is recorded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from realitycheck.verify.accounts import named
from realitycheck.verify.checks import Checks, few
from realitycheck.verify.declared import Declared, place_of
from realitycheck.verify.derived_course import DerivedCourse, DerivedSearch, DerivedTrial
from realitycheck.verify.digests import Json, proposal_key

Ask = Callable[[str, Sequence[Json]], Sequence[Json]]
"""Answers `proposal` or `selection` payloads with the bodies of records."""

CLOSE = 1e-6
"""A posterior mean may differ by this much where another machine fitted it."""


def check_proposals(courses: Sequence[DerivedCourse], checks: Checks, *, ask: Ask | None) -> None:
    """Ask the sampler for every proposal and selection again; None asks nothing."""
    questions = [pair for course in courses for pair in _questions(course)]
    chosen = [pair for course in courses for pair in _selections(course)]
    if ask is None:
        checks.skip(f"{len(questions)} proposals and {len(chosen)} selections were not asked for again.")
        return
    answers = ask("proposal", [payload for _, payload in questions])
    for (where, payload), answer in zip(questions, answers, strict=True):
        _compare(where, payload, answer, checks)
    for (where, payload), answer in zip(chosen, ask("selection", [payload for _, payload in chosen]), strict=True):
        _compare_selection(where, payload, answer, checks)


def _compare(where: str, payload: Json, answer: Json, checks: Checks) -> None:
    recorded = payload["recorded"]
    differing = [
        name for name in ("knobs", "source", "unit", "loss", "dataset", "data") if recorded[name] != answer[name]
    ]
    checks.holds(
        not differing,
        what="proposals",
        where=f"{where}, trial {payload['slot'] + 1}",
        code="proposal-differs",
        says=f"its {few(differing)} are not those that the sampler proposes from the records before it.",
    )


def _compare_selection(where: str, payload: Json, answer: Json, checks: Checks) -> None:
    recorded = payload["recorded"]
    pairs = zip(recorded["means"], answer["means"], strict=True)
    close = all(a is b or (a is not None and b is not None and math.isclose(a, b, abs_tol=CLOSE)) for a, b in pairs)
    checks.holds(
        recorded["slot"] == answer["slot"] and close,
        what="selections",
        where=where,
        code="choice-differs",
        says=f"the selection names trial {recorded['slot'] + 1}, and the posterior means lead to "
        f"trial {answer['slot'] + 1}.",
    )


def _questions(course: DerivedCourse) -> Iterator[tuple[str, Json]]:
    for row in course.losses:
        for search in row.searches:
            for trial in search.trials:
                if (payload := _payload(course.declared, search, trial)) is not None:
                    yield named(course.declared, search), payload


def _payload(declared: Declared, search: DerivedSearch, trial: DerivedTrial) -> Json | None:
    """What the sampler was asked; None where an earlier trial of the search is not finished."""
    rule, slot = declared.protocol["search"], trial.slot
    start = slot - slot % rule["round"]
    before = [one for one in search.trials if one.slot < slot]
    if len(before) < slot or not all(one.complete for one in before if one.slot < start):
        return None
    unit = trial.unit and {name: trial.unit[name] for name in ("length", "powers")}
    recorded = {
        **{"knobs": trial.knobs, "source": trial.source, "unit": trial.unit},
        **{"loss": search.label, "dataset": declared.dataset, "data": declared.data},
    }
    return {
        "id": proposal_key(search.key, slot),
        "search": search.key,
        "data": declared.data,
        "dataset": declared.dataset,
        "loss": search.label,
        "slot": slot,
        "root": declared.protocol["seed"],
        "space": dict(sorted(declared.space(search.label).items())),
        "sampler": rule["sampler"],
        "startup_trials": rule["startup_trials"],
        "startup": rule.get("startup", "random"),
        "history": [{"knobs": one.knobs, "value": one.value} for one in before if one.slot < start],
        "pending": [one.knobs for one in before if one.slot >= start],
        "published": _first(declared, search, trial) if slot == 0 else {},
        "unit": unit,
        "arithmetic": declared.protocol["recipe"]["arithmetic"],
        "recorded": recorded,
    }


def _first(declared: Declared, search: DerivedSearch, trial: DerivedTrial) -> Json:
    """The published setting as the sampler sees it: its lengths in units of the length that it belongs to."""
    loss, values = declared.loss(search.label), declared.published(search.label)
    if not values or trial.unit is None:
        return values
    length = loss["published_length"] or trial.unit["length"]
    return {name: _relative(value, length, _power(name, loss, trial.unit)) for name, value in values.items()}


def _power(name: str, loss: Json, unit: Mapping[str, Json]) -> int:
    return int(unit["powers"].get(name, 0)) if name in loss["published"] else 0


def _relative(value: float | int | str, length: float, power: int) -> float | int | str:
    for _ in range(abs(power)):
        value = float(value) / length if power > 0 else float(value) * length
    return value


def _selections(course: DerivedCourse) -> Iterator[tuple[str, Json]]:
    declared = course.declared
    for row in course.losses:
        for search in row.searches:
            if search.means and search.chosen:
                space = declared.space(search.label)
                places = [
                    {name: place_of(bounds, one.knobs[name]) for name, bounds in space.items() if name in one.knobs}
                    for one in search.trials
                ]
                yield (
                    named(declared, search),
                    {
                        "search": search.key,
                        "places": places,
                        "values": [one.value for one in search.trials],
                        "root": declared.protocol["seed"],
                        "arithmetic": declared.protocol["recipe"]["arithmetic"],
                        "recorded": {"means": search.means, "slot": search.chosen.slot},
                    },
                )
