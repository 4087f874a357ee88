"""Searches that chose values at which their loss is another loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from realitycheck.losses.reductions import Reduction, Value, reductions
from realitycheck.protocol.space import Bounds, Choice, LogUniform, Range, Space, Uniform, place_in
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.warning_records import About
from realitycheck.report.wording import enumeration

NEAR = 0.01
"""A value within this share of its range from that of a reduction, on the range's own scale, counts as the same."""


def reduced(dataset: DatasetFindings) -> list[About]:
    """Each search that chose such values: the chosen values, and the loss that they make of it."""
    addresses = {loss.label: loss.address for loss in dataset.study.losses}
    reaching = []
    for loss in dataset.evidence.losses:
        space, known = dataset.spaces[loss.label], reductions(addresses[loss.label])
        for search in loss.searches:
            own = search.chosen.knobs if search.chosen else {}
            holding = [(one, other) for one, other in known if _holds(one, own, space)]
            for one, other in holding[:1]:
                values = {name: own[name] for name in one.at}
                reaching.append(About(loss.label, search.number, {**values, "becomes": other}))
    return reaching


def reduced_text(dataset: DatasetFindings, about: Sequence[About]) -> str:
    """`at margin 0 it is normalized_softmax`, each reduction once."""
    addresses = {loss.label: loss.address for loss in dataset.study.losses}
    texts = []
    for one in about:
        knobs = set(one.numbers) - {"becomes"}
        known = reductions(addresses[one.label or ""])
        at = next(own.at for own, other in known if set(own.at) == knobs and other == one.numbers["becomes"])
        values = enumeration([f"{name} {value}" for name, value in at.items()])
        texts.append(f"at {values} it is {one.numbers['becomes']}")
    return "; ".join(dict.fromkeys(texts))


def _holds(reduction: Reduction, chosen: Mapping[str, Value], space: Space) -> bool:
    """Whether a search chose the values, one of them at least from a range or a list."""
    searched = any(isinstance(space.get(name), Bounds | Choice) for name in reduction.at)
    return searched and all(
        name in chosen and _same(space.get(name), chosen[name], wanted) for name, wanted in reduction.at.items()
    )


def _same(bounds: Range | None, value: Value, wanted: Value) -> bool:
    if value == wanted:
        return True
    if isinstance(value, str) or isinstance(wanted, str) or not isinstance(bounds, Uniform | LogUniform):
        return False
    low, high = bounds.bounds
    places = [float(place_in(bounds, one)) for one in (value, wanted)] if low <= wanted <= high else []
    return bool(places) and abs(places[0] - places[1]) <= NEAR
