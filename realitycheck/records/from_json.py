"""Read the bodies of records, and refuse every field that their kind does not have."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, TypeVar

from realitycheck.errors import LedgerError
from realitycheck.metrics.menu import METRICS
from realitycheck.protocol.units import LengthUnit
from realitycheck.records.chosen_trial import Selection
from realitycheck.records.curves import Best, Images, PhaseEnd
from realitycheck.records.json_fields import JsonFields, is_a
from realitycheck.records.nearest_images import NeighborLists, NeighborsSpec, Query, ShownImage
from realitycheck.records.points_from_json import always_scored, read_curve, read_training
from realitycheck.records.registration import Registration
from realitycheck.records.schema import PER_CLASS, DistanceScores, Opening, Proposal, Record, Run, Score, unit_json
from realitycheck.runs import RESULTS_VERSION, Outcome, RunSpec, ScoreSpec

_ID = re.compile(r"[0-9a-f]{64}")
_SPEC, _TRAINING = b',"spec":{', b',"training":['

T = TypeVar("T")


def read_record(body: Any) -> Record:
    """Read the body of a record.

    Raises:
        LedgerError: the kind or the results version is another one, a field is missing, unknown or of another type, or
            the id is not the digest of what the record is about.
    """
    return _with_its_id(*_read(body))


def read_written_record(body: Any, *, text: bytes) -> Record:
    """Read the body of a record with its canonical JSON: the id of a run is then the digest of a part of it.

    To write the spec again for that takes a fifth of the time of reading a run.

    Args:
        body: what the text says.
        text: canonical JSON.

    Raises:
        LedgerError: as in `read_record`.
    """
    record, given = _read(body)
    if isinstance(record, Run) and hashlib.sha256(_spec_text(text)).hexdigest() == given:
        record.spec.take_id(given)
    return _with_its_id(record, given)


def _spec_text(text: bytes) -> bytes:
    """The spec of a run in its canonical text; empty where this is not certain, as with a second key of that name.

    No field before `spec`, and none after `training`, which follows it, has a part of such a name.
    """
    if b"\\" in text or text.count(b'"spec"') != 1 or text.count(b'"training"') != 1:
        return b""
    return text[text.find(_SPEC) + len(_SPEC) - 1 : text.find(_TRAINING)]


def _read(body: Any) -> tuple[Record, str]:
    """A record, and the id that its body gives it."""
    fields = JsonFields(body, "a record")
    kind = fields.take("kind", str)
    if kind not in _READERS:
        raise LedgerError(f"unknown kind of record {kind!r}: must be one of {', '.join(_READERS)}.")
    fields.name = f"a {kind} record"
    given, made_by = fields.take("id", str), fields.take("results_version", int)
    if made_by != RESULTS_VERSION:
        raise LedgerError(f"a {kind} record has results version {made_by}: must be {RESULTS_VERSION}.")
    if not _ID.fullmatch(given):
        raise LedgerError(f"a {kind} record has the id {given!r:.80}: must be 64 hexadecimal digits.")
    record = _READERS[kind](fields)
    fields.end()
    return record, given


def _with_its_id(record: Record, given: str) -> Record:
    if record.id != given:
        raise LedgerError(
            f"the {record.kind} record {given} is not the one of its id: its fields have the id {record.id}."
        )
    return record


def _numbers(fields: JsonFields) -> dict[str, float]:
    """The scores that are left in an object: those of every record, and others that are numbers."""
    scores = {name: fields.take(name, float) for name in METRICS}
    return scores | {name: fields.take(name, float) for name in list(fields.left)}


def _spec(kind: type[T], body: dict[str, Any], name: str) -> T:
    try:
        return kind.from_json(body)  # type: ignore[attr-defined, no-any-return]
    except (TypeError, ValueError, KeyError) as error:
        raise LedgerError(f"the spec of {name} cannot be read: {error}.") from error


def _proposal(fields: JsonFields) -> Proposal:
    knobs = fields.take("knobs", dict)
    unit = fields.maybe("unit", dict)
    return Proposal(
        search=fields.take("search", str),
        data=fields.take("data", str),
        dataset=fields.take("dataset", str),
        loss=fields.take("loss", str),
        slot=fields.take("slot", int),
        knobs=knobs,
        source=fields.take("source", str),
        unit=None if unit is None else _unit(unit, knobs),
    )


def _unit(body: dict[str, Any], knobs: dict[str, Any]) -> LengthUnit:
    """The unit of a proposal; what the loss gets must follow from it and from what the sampler saw."""
    fields = JsonFields(body, "`unit` of a proposal record")
    length, powers, raw = fields.take("length", float), fields.take("powers", dict), fields.take("raw", dict)
    fields.end()
    whole = all(is_a(power, int) and isinstance(knobs.get(name), int | float) for name, power in powers.items())
    unit = LengthUnit(float(length), powers)
    if length <= 0 or not whole or unit_json(unit, knobs)["raw"] != raw:
        raise LedgerError(
            "`unit` of a proposal record does not fit: `raw` must be `knobs` times `length` to its power."
        )
    return unit


def _selection(fields: JsonFields) -> Selection:
    search, slot, means = fields.take("search", str), fields.take("slot", int), fields.take("means", list)
    known = [(mean, -number) for number, mean in enumerate(means) if mean is not None]
    if not all(is_a(mean, float) for mean, _ in known) or max(known, default=(0.0, 1))[1] != -slot:
        raise LedgerError("a selection record does not fit: `slot` must be that of the highest of its `means`.")
    return Selection(search, slot, tuple(means))


def _run(fields: JsonFields) -> Run:
    best, images = fields.maybe("best", dict), JsonFields(fields.take("images", dict), "`images` of a run record")
    run = Run(
        spec=_spec(RunSpec, fields.take("spec", dict), "a run record"),
        outcome=_outcome(fields.take("outcome", str)),
        cause=fields.maybe("cause", str),
        best=None if best is None else _best(JsonFields(best, "`best` of a run record")),
        curve=read_curve(fields.take("curve", list)),
        phases=tuple(_phase(JsonFields(phase, "a phase of a run record")) for phase in fields.take("phases", list)),
        images=Images(images.take("train", int), images.take("val", int)),
        weights=fields.maybe("weights", str),
        training=read_training(fields.take("training", list)),
    )
    images.end()
    return run


def _outcome(name: str) -> Outcome:
    try:
        return Outcome(name)
    except ValueError:
        raise LedgerError(f"unknown outcome of a run {name!r}: must be one of {', '.join(Outcome)}.") from None


def _best(fields: JsonFields) -> Best:
    best = Best(fields.take("iteration", int), fields.take("phase", str), always_scored(fields))
    fields.end()
    return best


def _phase(fields: JsonFields) -> PhaseEnd:
    names = (fields.take("name", str), fields.take("iterations", int), fields.take("best_iteration", int))
    phase = PhaseEnd(*names, fields.take("stop", str))
    fields.end()
    return phase


def _score(fields: JsonFields) -> Score:
    together = fields.maybe("together", dict)
    return Score(
        spec=_spec(ScoreSpec, fields.take("spec", dict), "a score record"),
        models=tuple(_model(scores) for scores in fields.take("each", list)),
        together=None if together is None else _model(together),
        queries=fields.take("queries", int),
        singletons=fields.take("singletons", int),
    )


def _model(body: Any) -> dict[str, DistanceScores]:
    if not isinstance(body, dict):
        raise LedgerError("the scores of a model must be a JSON object.")
    return {distance: _distance(JsonFields(scores, f"`{distance}` of a score")) for distance, scores in body.items()}


def _distance(fields: JsonFields) -> DistanceScores:
    per_class = tuple(fields.take(PER_CLASS, list))
    return DistanceScores(_numbers(fields), per_class)


def _opening(fields: JsonFields) -> Opening:
    searches = fields.take("searches", dict)
    return Opening(
        plan=fields.take("plan", str),
        dataset=fields.take("dataset", str),
        data=fields.take("data", str),
        test=fields.take("test", str),
        searches={label: _ids(ids) for label, ids in searches.items()},
        claims=fields.take("claims", dict),
        number=fields.take("number", int),
        set_aside={label: _ids(ids) for label, ids in fields.left.pop("set_aside", {}).items()},
        classes=_texts("classes", fields.left.pop("classes", [])),
        queries=tuple(_query(entry) for entry in fields.left.pop("queries", [])),
    )


def _query(body: Any) -> Query:
    fields = JsonFields(body, "a query of an opening record")
    shown = _image(fields)
    query = shown.as_query(place=fields.take("place", int), size=fields.take("size", int))
    fields.end()
    return query


def _image(fields: JsonFields) -> ShownImage:
    texts = (fields.take(key, str) for key in ("name", "file", "class"))
    return ShownImage(fields.take("image", int), *texts)


def _neighbors(fields: JsonFields) -> NeighborLists:
    spec = _spec(NeighborsSpec, fields.take("spec", dict), "a neighbors record")
    lists = [_shown(entry) for entry in fields.take("nearest", list)]
    ranks = fields.take("first_right", list)
    if len(lists) != len(spec.queries) or len(ranks) != len(lists) or not all(is_a(rank, int) for rank in ranks):
        raise LedgerError("a neighbors record does not fit: it needs one list and one rank for each query.")
    return NeighborLists(spec, tuple(lists), tuple(ranks))


def _shown(value: Any) -> tuple[ShownImage, ...]:
    if not isinstance(value, list):
        raise LedgerError("`nearest` of a neighbors record must be lists of images.")
    shown = []
    for body in value:
        fields = JsonFields(body, "a neighbour of a neighbors record")
        shown.append(_image(fields))
        fields.end()
    return tuple(shown)


def _ids(value: Any) -> tuple[str, ...]:
    return _texts("searches", value)


def _texts(key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise LedgerError(f"`{key}` of a record must be a list of texts.")
    return tuple(value)


def _registration(fields: JsonFields) -> Registration:
    searches = _by_dataset(fields, "searches", dict)
    return Registration(
        study=fields.take("study", str),
        files=tuple(_file(entry) for entry in fields.take("files", list)),
        version=fields.take("version", str),
        code=fields.take("code", str),
        plans=_by_dataset(fields, "plans", str),
        searches={name: {label: _ids(ids) for label, ids in losses.items()} for name, losses in searches.items()},
        claims=_by_dataset(fields, "claims", dict),
        openings=_by_dataset(fields, "openings", int),
        records=fields.take("records", int),
        number=fields.take("number", int),
    )


def _by_dataset(fields: JsonFields, key: str, kind: type[T]) -> dict[str, T]:
    values = JsonFields(fields.take(key, dict), f"`{key}` of a registration record")
    return {name: values.take(name, kind) for name in list(values.left)}


def _file(entry: Any) -> tuple[str, str]:
    if not isinstance(entry, list) or [type(part) for part in entry] != [str, str]:
        raise LedgerError("`files` of a registration record must be pairs of a name and a text.")
    return entry[0], entry[1]


_READERS: dict[str, Callable[[JsonFields], Record]] = {
    "registration": _registration,
    "proposal": _proposal,
    "selection": _selection,
    "run": _run,
    "score": _score,
    "opening": _opening,
    "neighbors": _neighbors,
}
