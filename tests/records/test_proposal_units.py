"""A proposal whose lengths are in units of the initial embedding length."""

from __future__ import annotations

import pytest

from realitycheck.canonical import canonical_json
from realitycheck.errors import LedgerError
from realitycheck.protocol.units import LengthUnit
from realitycheck.records.from_json import read_record
from realitycheck.records.schema import Proposal

UNIT = LengthUnit(8.0, {"point": 1, "temperature": -1})


def proposal(unit: LengthUnit | None) -> Proposal:
    knobs = {"point": 0.5, "temperature": 24.0, "slope": 0.3}
    return Proposal("s" * 64, "d" * 64, "pictures", "warped", 0, knobs, "startup", unit)


def test_a_proposal_keeps_what_the_sampler_saw_and_what_the_loss_gets():
    body = proposal(UNIT).to_json()
    assert body["knobs"] == {"point": 0.5, "temperature": 24.0, "slope": 0.3}
    assert body["unit"] == {
        "length": 8.0,
        "powers": {"point": 1, "temperature": -1},
        "raw": {"point": 4.0, "temperature": 3.0},
    }


def test_a_proposal_of_raw_values_says_so():
    assert proposal(None).to_json()["unit"] is None


@pytest.mark.parametrize("unit", [UNIT, None])
def test_round_trip(unit):
    record = read_record(proposal(unit).to_json())
    assert record == proposal(unit)
    assert canonical_json(record.to_json()) == canonical_json(proposal(unit).to_json())


@pytest.mark.parametrize(
    "change",
    [
        {"length": 9.0},
        {"length": 0.0},
        {"length": "8"},
        {"powers": {"point": 1, "temperature": 1}},
        {"powers": {"point": 1.0, "temperature": -1}},
        {"powers": {"point": 1, "radius": 1}},
        {"raw": {"point": 4.0}},
        {"raw": {"point": 4.1, "temperature": 3.0}},
        {"colour": "red"},
    ],
)
def test_a_unit_that_does_not_fit_is_refused(change):
    body = proposal(UNIT).to_json()
    with pytest.raises(LedgerError, match="unit"):
        read_record(body | {"unit": body["unit"] | change})


def test_a_unit_without_a_field_is_refused():
    body = proposal(UNIT).to_json()
    for key in body["unit"]:
        with pytest.raises(LedgerError):
            read_record(body | {"unit": {name: value for name, value in body["unit"].items() if name != key}})
