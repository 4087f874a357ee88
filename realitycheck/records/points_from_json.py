"""Read the points of a run: validations, and means over the intervals between them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from realitycheck.metrics.menu import METRICS
from realitycheck.records.curves import CurvePoint, RunPoints, TrainingPoint
from realitycheck.records.json_fields import JsonFields

_SCORED, _MEANS = ("iteration", "phase", *METRICS), ("iteration", "phase", "loss", "proxy_distance")
_NUMBERS, _NULL = {int, float}, type(None)


def read_curve(bodies: list[Any]) -> Sequence[CurvePoint]:
    """The points of a curve; only those are made at once of which a field is wrong."""
    if _are_plain(bodies, _SCORED, [{int}, {str, _NULL}, *[_NUMBERS] * len(METRICS)]):
        return RunPoints(tuple(bodies), _point)
    return tuple(_checked_point(JsonFields(body, "a point of a curve")) for body in bodies)


def read_training(bodies: list[Any]) -> Sequence[TrainingPoint]:
    """The points of `training`, as `read_curve` reads its own."""
    if _are_plain(bodies, _MEANS, [{int}, {str}, _NUMBERS, {*_NUMBERS, _NULL}]):
        return RunPoints(tuple(bodies), _interval)
    return tuple(_checked_interval(JsonFields(body, "a point of `training`")) for body in bodies)


def _are_plain(bodies: list[Any], names: Sequence[str], kinds: Sequence[set[type]]) -> bool:
    """Whether all bodies are objects of exactly these fields, the values of each of one of its types.

    A large ledger has hundreds of thousands: they are looked at field by field, without a loop over them in Python.
    """
    if not {dict}.issuperset(map(type, bodies)) or not {len(names)}.issuperset(map(len, bodies)):
        return False
    try:
        columns = zip(*map(itemgetter(*names), bodies), strict=True)
        return all(kind.issuperset(map(type, column)) for kind, column in zip(kinds, columns, strict=False))
    except KeyError:
        return False


def _point(body: dict[str, Any]) -> CurvePoint:
    return CurvePoint(body["iteration"], body["phase"], {name: body[name] for name in METRICS})


def _interval(body: dict[str, Any]) -> TrainingPoint:
    return TrainingPoint(*(body[name] for name in _MEANS))


def _checked_point(fields: JsonFields) -> CurvePoint:
    point = CurvePoint(fields.take("iteration", int), fields.maybe("phase", str), always_scored(fields))
    fields.end()
    return point


def _checked_interval(fields: JsonFields) -> TrainingPoint:
    iteration, phase, loss = fields.take("iteration", int), fields.take("phase", str), fields.take("loss", float)
    point = TrainingPoint(iteration, phase, loss, fields.maybe("proxy_distance", float))
    fields.end()
    return point


def always_scored(fields: JsonFields) -> dict[str, float]:
    """The scores that every record holds."""
    return {name: fields.take(name, float) for name in METRICS}
