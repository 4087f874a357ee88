from __future__ import annotations

import errno
import gzip
import json
import os
import random
import shutil
import stat

import pytest

from realitycheck.canonical import canonical_json, digest
from realitycheck.errors import LedgerError, StorageError
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal
from realitycheck.runs import RESULTS_VERSION


def proposal(slot: int, margin: float = 0.5) -> Proposal:
    """A record of slot `slot`; `margin` is no part of its id."""
    return Proposal("s" * 64, "d" * 64, "birds", "triplet", slot, {"margin": margin}, "random")


A = proposal(0)
TEXTS = {"studies/s.yaml": "study: s\n", "protocols/p.yaml": "protocol: p\n", "protocols/spaces/v.yaml": "{}\n"}


def test_a_record_survives_and_equal_copies_are_one(tmp_path):
    ledger = Ledger(tmp_path)
    assert ledger.append(A)
    assert not ledger.append(A)
    assert Ledger(tmp_path).records == {A.id: A}
    assert [path.name for path in (tmp_path / "ledger" / "proposal").iterdir()] == [f"{A.id}.json"]


def test_the_first_writer_wins_and_the_second_raises_an_alarm(tmp_path):
    first, second = Ledger(tmp_path), Ledger(tmp_path)
    first.append(proposal(0, 0.1))
    first.note("done", {"id": A.id, "machine": "the first CPU"})
    with pytest.raises(LedgerError, match="first was made on: the first CPU; the second on: the second CPU"):
        second.append(proposal(0, 0.2), machine="the second CPU")
    assert second.records[A.id].knobs["margin"] == 0.1
    assert Ledger(tmp_path).records[A.id].knobs["margin"] == 0.1
    (alarm,) = (note for note in Ledger(tmp_path).notes() if note["kind"] == "alarm")
    assert alarm["id"] == A.id and "the first CPU" in alarm["reason"] and "the second CPU" in alarm["reason"]
    (refused,) = (tmp_path / "attempts" / "refused").iterdir()
    assert refused.name in alarm["reason"]
    assert json.loads(refused.read_text())["body"]["knobs"] == {"margin": 0.2}


def test_every_flipped_byte_is_found(tmp_path):
    Ledger(tmp_path).append(proposal(0, 0.123456789))
    (path,) = (tmp_path / "ledger" / "proposal").iterdir()
    good = path.read_bytes()
    for position in range(len(good)):
        bad = bytearray(good)
        bad[position] ^= 1
        path.write_bytes(bytes(bad))
        try:
            found = Ledger(tmp_path).records
        except LedgerError as error:
            assert f"{A.id}.json" in str(error)
        else:
            raise AssertionError(f"byte {position} flipped and {found} was read")


def test_every_cut_is_found(tmp_path):
    Ledger(tmp_path).append(A)
    (path,) = (tmp_path / "ledger" / "proposal").iterdir()
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(LedgerError, match="damaged"):
            Ledger(tmp_path)


def test_the_packed_form_is_read_and_its_bytes_do_not_depend_on_order(tmp_path):
    slots = list(range(50))
    packs = []
    for seed in (1, 2):
        ledger = Ledger(tmp_path / str(seed))
        for slot in random.Random(seed).sample(slots, len(slots)):
            ledger.append(proposal(slot))
        packs.append(ledger.pack(TEXTS).read_bytes())
        shutil.rmtree(tmp_path / str(seed) / "ledger")
        assert Ledger(tmp_path / str(seed)).digest == ledger.digest
    assert packs[0] == packs[1]
    assert len(gzip.decompress(packs[0]).splitlines()) == 51


def test_packed_and_loose_records_are_one_ledger(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(A)
    ledger.pack(TEXTS)
    Ledger(tmp_path).append(proposal(1))
    assert set(Ledger(tmp_path).records) == {A.id, proposal(1).id}


def test_a_packed_and_a_loose_record_of_one_id_must_agree(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(proposal(0, 0.1))
    ledger.pack(TEXTS)
    shutil.rmtree(tmp_path / "ledger")
    Ledger(tmp_path / "other").append(proposal(0, 0.2))
    shutil.copytree(tmp_path / "other" / "ledger", tmp_path / "ledger")
    with pytest.raises(LedgerError, match=f"{A.id}.json: differs from an earlier record"):
        Ledger(tmp_path)


def test_a_torn_pack_is_named(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(A)
    path = ledger.pack(TEXTS)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(LedgerError, match=r"ledger\.jsonl\.gz"):
        Ledger(tmp_path)


def test_nothing_is_written_before_the_first_record(tmp_path):
    Ledger(tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_the_envelope_is_canonical(tmp_path):
    Ledger(tmp_path).append(A)
    text = (tmp_path / "ledger" / "proposal" / f"{A.id}.json").read_text()
    assert text.startswith('{"body":{"data":"' + "d" * 64 + '","dataset":"birds","id":"')
    assert json.loads(text)["body"]["knobs"] == {"margin": 0.5}


@pytest.mark.parametrize(
    "change",
    [{"id": "../../outside"}, {"id": "A" * 64}, {"id": "f" * 64}, {"kind": "note"}, {"extra": 1}, {"slot": 1.5}],
)
def test_a_body_of_another_shape_is_refused_although_its_digest_matches(tmp_path, change):
    """A stranger's ledger may hold anything; an id of `../../outside` would be written outside the study."""
    body = A.to_json() | change
    folder = tmp_path / "ledger" / "proposal"
    folder.mkdir(parents=True)
    (folder / "planted.json").write_text(json.dumps({"body": body, "sha256": digest(body)}))
    with pytest.raises(LedgerError, match=r"planted\.json"):
        Ledger(tmp_path)


def test_records_and_notes_have_the_permissions_of_the_umask(tmp_path):
    before = os.umask(0o002)
    try:
        ledger = Ledger(tmp_path)
        ledger.append(A)
        ledger.note("done", {"id": "a"})
        ledger.pack(TEXTS)
    finally:
        os.umask(before)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o664}


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "No space left on device. Free some space."),
        (errno.EROFS, "Read-only file system. Make it writable, or choose another place."),
    ],
)
def test_a_place_that_takes_nothing_is_one_sentence(tmp_path, monkeypatch, number, says):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    ledger = Ledger(tmp_path)
    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(StorageError, match=f"{A.id}.json: {says}"):
        ledger.append(A)
    with pytest.raises(StorageError, match=says):
        ledger.note("done", {"id": "a"})
    monkeypatch.undo()
    assert Ledger(tmp_path).records == {} and Ledger(tmp_path).notes() == []


def test_a_note_takes_any_text(tmp_path):
    """An error names a file by the bytes of its name, which need not be text."""
    reason = "no such file: " + os.fsdecode(b"caf\xe9.jpg")
    Ledger(tmp_path).note("failed", {"reason": reason})
    (note,) = Ledger(tmp_path).notes()
    assert note["reason"] == "no such file: caf?.jpg"


def test_whatever_byte_of_the_packed_files_flips_the_error_is_a_sentence(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(proposal(0, 0.123456789))
    ledger.note("done", {"id": "a"})
    ledger.pack(TEXTS)
    shutil.rmtree(tmp_path / "ledger")
    shutil.rmtree(tmp_path / "attempts")
    for path in (tmp_path / "ledger.jsonl.gz", tmp_path / "attempts.jsonl.gz"):
        good, refused = path.read_bytes(), 0
        for position in range(len(good)):
            bad = bytearray(good)
            bad[position] ^= 1
            path.write_bytes(bytes(bad))
            try:
                found = Ledger(tmp_path)
                assert found.records == ledger.records
                assert [note["id"] for note in found.notes()] == ["a"]
            except LedgerError as error:
                assert path.name in str(error)
                refused += 1
        path.write_bytes(good)
        assert refused > len(good) - 12, "only the time and the system in the header of gzip may be any"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b'{"time": 3, "kind": "x"}', b"\xff"])
def test_a_damaged_note_is_named(tmp_path, content):
    Ledger(tmp_path).note("done", {"id": "a"})
    (path,) = (tmp_path / "attempts").iterdir()
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=f"{path.name}: a note is damaged"):
        Ledger(tmp_path).notes()


@pytest.mark.parametrize(
    "head",
    [
        A.to_json(),
        {"kind": "files", "results_version": RESULTS_VERSION, "files": []},
        {"kind": "files", "results_version": RESULTS_VERSION, "files": [["a", "b"]] * 3},
        {"kind": "files", "results_version": RESULTS_VERSION, "files": [["a", "1"], ["b", "2"], ["c", 3]]},
        {"kind": "files", "results_version": RESULTS_VERSION},
    ],
)
def test_a_pack_without_the_three_files_is_refused(tmp_path, head):
    (tmp_path / "ledger.jsonl.gz").write_bytes(
        gzip.compress(canonical_json({"body": head, "sha256": digest(head)}).encode())
    )
    with pytest.raises(LedgerError, match=r"ledger\.jsonl\.gz, line 1"):
        Ledger(tmp_path)


def test_a_pack_holds_the_files_and_says_what_is_not_in_it(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(A)
    assert (ledger.texts, Ledger(tmp_path).loose) == (None, {A.id})
    ledger.pack(TEXTS)
    again = Ledger(tmp_path)
    assert (again.texts, list(again.texts), again.loose) == (TEXTS, list(TEXTS), set())
    again.append(proposal(1))
    assert Ledger(tmp_path).loose == {proposal(1).id}


def test_a_packed_note_and_the_note_itself_are_one(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(A)
    for attempt in (1, 2):
        ledger.note("failed", {"id": "a", "attempt": attempt, "reason": f"{tmp_path}/secret: no such file"})
    before = ledger.notes()
    ledger.pack(TEXTS)
    assert Ledger(tmp_path).notes() == before
    shutil.rmtree(tmp_path / "attempts")
    packed = Ledger(tmp_path).notes()
    assert [note["attempt"] for note in packed] == [1, 2]
    assert "secret" not in str(packed)
    first = (tmp_path / "attempts.jsonl.gz").read_bytes()
    Ledger(tmp_path).pack(TEXTS)
    assert (tmp_path / "attempts.jsonl.gz").read_bytes() == first
