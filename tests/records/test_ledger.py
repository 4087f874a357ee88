from __future__ import annotations

import gzip
import json
import multiprocessing
import random
import shutil

import pytest

from realitycheck.errors import LedgerError
from realitycheck.records.ledger import Ledger


def body(name: str, value: float = 0.5) -> dict:
    return {"kind": "run", "id": name, "value": value}


def test_a_record_survives_and_equal_copies_are_one(tmp_path):
    ledger = Ledger(tmp_path)
    assert ledger.append(body("a"))
    assert not ledger.append(body("a"))
    assert Ledger(tmp_path).records == {"a": body("a")}
    assert [path.name for path in (tmp_path / "ledger" / "run").iterdir()] == ["a.json"]


def test_the_first_writer_wins_and_the_second_raises_an_alarm(tmp_path):
    first, second = Ledger(tmp_path), Ledger(tmp_path)
    first.append(body("a", 0.1))
    with pytest.raises(LedgerError, match="other numbers"):
        second.append(body("a", 0.2))
    assert second.records["a"]["value"] == 0.1
    assert Ledger(tmp_path).records["a"]["value"] == 0.1
    (alarm,) = Ledger(tmp_path).notes()
    assert (alarm["kind"], alarm["id"]) == ("alarm", "a")
    (refused,) = (tmp_path / "attempts" / "refused").iterdir()
    assert refused.name in alarm["reason"]
    assert json.loads(refused.read_text())["body"]["value"] == 0.2


def test_every_flipped_byte_is_found(tmp_path):
    Ledger(tmp_path).append(body("a", 0.123456789))
    (path,) = (tmp_path / "ledger" / "run").iterdir()
    good = path.read_bytes()
    for position in range(len(good)):
        bad = bytearray(good)
        bad[position] ^= 1
        path.write_bytes(bytes(bad))
        try:
            found = Ledger(tmp_path).records
        except LedgerError as error:
            assert "a.json" in str(error)
        else:
            raise AssertionError(f"byte {position} flipped and {found} was read")


def test_every_cut_is_found(tmp_path):
    Ledger(tmp_path).append(body("a"))
    (path,) = (tmp_path / "ledger" / "run").iterdir()
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(LedgerError, match="damaged"):
            Ledger(tmp_path)


def test_the_packed_form_is_read_and_its_bytes_do_not_depend_on_order(tmp_path):
    names = [f"r{number:03}" for number in range(50)]
    packs = []
    for seed in (1, 2):
        ledger = Ledger(tmp_path / str(seed))
        for name in random.Random(seed).sample(names, len(names)):
            ledger.append(body(name))
        packs.append(ledger.pack().read_bytes())
        shutil.rmtree(tmp_path / str(seed) / "ledger")
        assert Ledger(tmp_path / str(seed)).digest == ledger.digest
    assert packs[0] == packs[1]
    assert len(gzip.decompress(packs[0]).splitlines()) == 50


def test_packed_and_loose_records_are_one_ledger(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(body("a"))
    ledger.pack()
    Ledger(tmp_path).append(body("b"))
    assert set(Ledger(tmp_path).records) == {"a", "b"}


def test_a_torn_pack_is_named(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.append(body("a"))
    path = ledger.pack()
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(LedgerError, match=r"ledger\.jsonl\.gz"):
        Ledger(tmp_path)


def _write_all(folder, worker):
    ledger = Ledger(folder)
    for number in range(40):
        ledger.append(body(f"r{number}"))


def test_many_writers_make_one_record_each(tmp_path):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_write_all, args=(tmp_path, number)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert len(Ledger(tmp_path).records) == 40
    assert len(list((tmp_path / "ledger" / "run").iterdir())) == 40


def test_nothing_is_written_before_the_first_record(tmp_path):
    Ledger(tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_the_envelope_is_canonical(tmp_path):
    Ledger(tmp_path).append({"kind": "run", "id": "a", "z": 1, "b": [1.5, None]})
    text = (tmp_path / "ledger" / "run" / "a.json").read_text()
    assert text.startswith('{"body":{"b":[1.5,null],"id":"a","kind":"run","z":1},"sha256":"')
    assert json.loads(text)["body"]["z"] == 1
