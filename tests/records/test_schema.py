"""Records survive a round trip byte for byte, and nothing that their kind does not have is read."""

from __future__ import annotations

import copy
import gzip
import json
from dataclasses import replace

import pytest

from realitycheck.canonical import canonical_json
from realitycheck.errors import LedgerError
from realitycheck.records.chosen_trial import Selection
from realitycheck.records.from_json import read_record
from realitycheck.records.schema import RECORDS, Opening, opening_id


@pytest.fixture(scope="module")
def bodies(finished) -> list[dict]:
    """The bodies of a packed ledger."""
    with gzip.open(finished.with_suffix("") / "ledger.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line)["body"] for line in lines][1:]  # the first holds the files


@pytest.fixture(scope="module")
def samples(bodies) -> dict[str, dict]:
    """One body of each kind; no shipped protocol makes a selection."""
    return {body["kind"]: body for body in [*bodies, Selection("s" * 64, 1, (0.1, 0.4, None)).to_json()]}


def test_a_packed_ledger_round_trips_byte_for_byte(bodies):
    assert bodies
    for body in bodies:
        assert canonical_json(read_record(body).to_json()) == canonical_json(body)


def test_there_is_a_sample_of_every_kind(samples):
    assert samples.keys() == RECORDS.keys()


@pytest.mark.parametrize("kind", RECORDS)
def test_a_field_too_many_or_too_few_is_refused(samples, kind):
    body = samples[kind]
    with pytest.raises(LedgerError, match="unknown fields: colour"):
        read_record(body | {"colour": "red"})
    for key in body.keys() - {"classes", "queries"}:  # records of earlier openings have none
        with pytest.raises(LedgerError):
            read_record({name: value for name, value in body.items() if name != key})


@pytest.mark.parametrize(
    "path",
    [("spec", "colour"), ("best", "colour"), ("images", "colour"), ("curve", 0, "colour"), ("phases", 0, "colour")],
)
def test_an_unknown_field_inside_a_run_is_refused(bodies, path):
    body = copy.deepcopy(next(body for body in bodies if body["kind"] == "run" and body["best"]))
    place = body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = 1
    with pytest.raises(LedgerError):
        read_record(body)


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_of_another_results_version_is_refused(samples, kind):
    for version in (1, 3):
        with pytest.raises(LedgerError, match=f"results version {version}"):
            read_record(samples[kind] | {"results_version": version})


@pytest.mark.parametrize("kind", RECORDS)
def test_an_id_must_be_the_digest_of_its_record(samples, kind):
    for wrong in ("../../outside", "0" * 64, "", samples[kind]["id"].upper(), samples[kind]["id"] + "\n"):
        with pytest.raises(LedgerError):
            read_record(samples[kind] | {"id": wrong})


@pytest.mark.parametrize("body", [None, [], "run", {"kind": "run"}, {"kind": ["run"], "id": "0" * 64}])
def test_what_is_no_record_is_refused(body):
    with pytest.raises(LedgerError):
        read_record(body)


def test_the_searches_of_an_opening_are_lists():
    claims, plan = {"seeds": 4}, "p" * 64
    opening = Opening(plan, "birds", "d" * 64, "t" * 64, {"a": ("1", "2"), "b": ("3", "4")}, claims, 0)
    assert opening.to_json()["searches"] == {"a": ["1", "2"], "b": ["3", "4"]}
    assert read_record(opening.to_json()) == opening
    named = replace(opening, classes=("auk", "bee"))
    assert named.to_json() == opening.to_json() | {"classes": ["auk", "bee"]}
    assert read_record(named.to_json()) == named
    single = Opening(plan, "birds", "d" * 64, "t" * 64, {"a": ("1",)}, claims, 0)
    assert single.to_json()["searches"] == {"a": ["1"]}
    assert read_record(single.to_json()) == single
    with pytest.raises(LedgerError, match="list"):
        read_record(single.to_json() | {"searches": {"a": "1"}})
    assert single.id == opening_id(plan)
