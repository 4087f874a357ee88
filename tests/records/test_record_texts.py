"""The texts of records are checked as bytes, whoever wrote them, and the ledger's digest does not depend on the way."""

from __future__ import annotations

import copy
import gc
import gzip
import hashlib
import json
import random
import struct
from dataclasses import replace

import pytest

from realitycheck.errors import LedgerError
from realitycheck.records.collection import rarely_collected
from realitycheck.records.curves import CurvePoint, TrainingPoint, column
from realitycheck.records.envelopes import open_envelope
from realitycheck.records.from_json import read_record, read_written_record
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal, Run, of_type
from realitycheck.runs import RunSpec
from realitycheck.verify.digests import sha256_of


@pytest.fixture(scope="module")
def runs(finished) -> list[dict]:
    """The bodies of the runs of a packed ledger that have a curve and intervals."""
    with gzip.open(finished.with_suffix("") / "ledger.jsonl.gz", "rt", encoding="utf-8") as lines:
        bodies = [json.loads(line)["body"] for line in lines]
    return [body for body in bodies if body["kind"] == "run" and body["curve"] and body["training"]]


def text_of(value) -> str:
    """The canonical JSON of a value, by its definition in docs/architecture.md."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_of(value) -> str:
    return hashlib.sha256(text_of(value).encode()).hexdigest()


def of_all(bodies) -> str:
    """The digest of a ledger, by its definition in docs/architecture.md."""
    text = json.dumps(sorted(bodies, key=lambda body: body["id"]), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_digest_is_that_of_one_list_of_all_bodies(finished, tmp_path):
    folder = finished.with_suffix("")
    with gzip.open(folder / "ledger.jsonl.gz", "rt", encoding="utf-8") as lines:
        bodies = [json.loads(line)["body"] for line in lines][1:]
    assert {Ledger(folder, digested=kept).digest for kept in (True, False)} == {of_all(bodies)}
    assert {Ledger(tmp_path, digested=kept).digest for kept in (True, False)} == {of_all([])}


def test_the_digest_counts_records_that_were_written_by_hand_or_appended_later(tmp_path):
    first, second = (
        Proposal("s" * 64, "d" * 64, "birds", "triplet", slot, {"margin": 0.5}, "random") for slot in (0, 1)
    )
    body = first.to_json()
    path = tmp_path / "ledger" / "proposal" / f"{first.id}.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"sha256": sha256_of(body), "body": body}, indent=2))  # neither its order nor its spaces
    ledger = Ledger(tmp_path, digested=True)
    ledger.append(second)
    assert ledger.digest == of_all([body, second.to_json()]) == Ledger(tmp_path, digested=True).digest


@pytest.mark.parametrize(
    ("found", "written"),
    [(b'"slot":0', b'"slot":1'), (b'"slot":0', b'"slot": 0'), (b"0.5", b"0.50"), (b"0.5", b"NaN"), (b"tri", b"t\xff")],
)
def test_a_text_that_is_not_that_of_its_digest_is_found(found, written):
    body = Proposal("s" * 64, "d" * 64, "birds", "triplet", 0, {"margin": 0.5}, "random").to_json()
    good = json.dumps({"body": body, "sha256": sha256_of(body)}, sort_keys=True, separators=(",", ":")).encode()
    assert open_envelope(good, source="x")[0] == body
    bad = good.replace(found, written)
    same = written in (b'"slot": 0', b"0.50")  # the same values in another text: the digest is that of the values
    if same:
        assert open_envelope(bad, source="x") == (body, None)
    else:
        with pytest.raises(LedgerError, match="x: the record is damaged"):
            open_envelope(bad, source="x")


@pytest.mark.parametrize("body", [b'{"kind":"\\ud800"}', b'{"kind":NaN}', b'{"kind":"\xff"}', b"[" * 5000, b"[]", b"3"])
def test_what_no_record_can_hold_is_damaged_whatever_its_digest_says(body):
    """Half a surrogate, NaN and bytes that are no UTF-8 have no canonical JSON; a list and a number are no record."""
    stated = hashlib.sha256(body).hexdigest().encode()
    with pytest.raises(LedgerError, match="damaged"):
        open_envelope(b'{"body":' + body + b',"sha256":"' + stated + b'"}', source="x")


def test_numbers_are_read_as_json_reads_them():
    rng = random.Random(1)
    texts = ["-0", "-0.0", "5e-324", "1e22", "1E5", "9007199254740993", "12345678901234567890123", "0.1", "1e-7"]
    texts += [repr(struct.unpack("<d", struct.pack("<Q", rng.getrandbits(64)))[0]) for _ in range(20_000)]
    texts = [text for text in texts if "n" not in text]
    body = b'{"results_version":2,"kind":[' + ",".join(texts).encode() + b"]}"
    stated = hashlib.sha256(body).hexdigest().encode()
    read = open_envelope(b'{"body":' + body + b',"sha256":"' + stated + b'"}', source="x")[0]["kind"]
    assert list(map(repr, read)) == list(map(repr, map(json.loads, texts)))


@pytest.mark.parametrize("name", ["curve", "training"])
@pytest.mark.parametrize("change", ["boolean", "text", "missing", "unknown", "no object", "float iteration"])
def test_a_wrong_point_of_a_run_is_refused(runs, name, change):
    body = copy.deepcopy(runs[0])
    score = "map_at_r" if name == "curve" else "loss"
    point = body[name][-1]
    changed = {
        "boolean": {**point, score: True},
        "text": {**point, score: "0.5"},
        "missing": {key: value for key, value in point.items() if key != score},
        "unknown": {**point, "colour": 0.5},
        "no object": [point],
        "float iteration": {**point, "iteration": 1.0},
    }
    body[name][-1] = changed[change]
    with pytest.raises(LedgerError):
        read_record(body)


def test_points_that_are_made_when_asked_for_equal_those_that_were_written(runs):
    for body in runs:
        read = read_record(body)
        assert isinstance(read, Run)
        names = ("map_at_r", "precision_at_1", "r_precision")
        curve = tuple(
            CurvePoint(point["iteration"], point["phase"], {name: point[name] for name in names})
            for point in body["curve"]
        )
        training = tuple(TrainingPoint(**point) for point in body["training"])
        assert replace(read, curve=curve, training=training) == read == read_record(copy.deepcopy(body))
        assert replace(read, curve=curve[:-1]) != read
        assert (tuple(read.curve), read.curve[0], read.curve[-1:]) == (curve, curve[0], curve[-1:])
        assert (
            column(read.training, "loss") == column(training, "loss") == [point["loss"] for point in body["training"]]
        )


def test_the_id_of_a_run_is_that_of_its_spec_however_the_record_is_written(runs):
    for body in runs:
        record = read_record(body)
        text = text_of(body).encode()
        spaced = json.dumps(body, sort_keys=True).encode()
        inner = copy.deepcopy(body)
        inner["spec"]["knobs"] = {"spec": 1.0, "training": 2.0}
        inner["id"] = digest_of(inner["spec"])
        for written in (text, spaced, text_of(inner).encode()):
            read = read_written_record(json.loads(written), text=written)
            assert read.id == digest_of(json.loads(written)["spec"])
        assert read_written_record(body, text=text) == record


def test_the_spec_of_a_canonical_text_is_not_written_again(runs, monkeypatch):
    monkeypatch.setattr(RunSpec, "to_json", lambda spec: pytest.fail("it was written"))
    for body in runs:
        assert read_written_record(body, text=text_of(body).encode()).id == body["id"]


def test_a_run_under_the_id_of_another_is_refused_however_it_is_written(runs):
    """A second key, with which JSON replaces the first, or another id."""
    body, other = runs[0], copy.deepcopy(runs[0]["spec"])
    other["root"] += 1
    second = text_of(other)
    text = text_of(body)
    for key in ('"spec"', '"\\u0073pec"', ' "spec" '):
        forged = f"{text[:-1]},{key}:{second}}}"
        assert json.loads(forged)["spec"] == other
        with pytest.raises(LedgerError, match=digest_of(other)):
            read_written_record(json.loads(forged), text=forged.encode())
    with pytest.raises(LedgerError, match=body["id"]):
        read_written_record(body | {"id": "0" * 64}, text=text_of(body | {"id": "0" * 64}).encode())


def test_the_runs_of_all_folds_have_the_digests_of_their_specs(finished):
    runs = of_type(Ledger(finished.with_suffix("")).records.values(), Run)
    for spec in (run.spec for run in runs if run.spec.fold is not None):
        folds = spec.on_folds(3)
        assert [one.fold for one in folds] == [0, 1, 2]
        assert [one.id for one in folds] == [sha256_of({**spec.to_json(), "fold": fold}) for fold in range(3)]


def test_the_search_for_cycles_is_as_before_afterwards():
    before = gc.get_threshold(), gc.isenabled()
    with pytest.raises(KeyError), rarely_collected():
        assert gc.get_threshold() != before[0]
        raise KeyError
    assert (gc.get_threshold(), gc.isenabled()) == before
