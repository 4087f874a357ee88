"""Whatever the system refuses, at whatever call: one sentence, nothing torn, and it goes on when the cause is gone."""

from __future__ import annotations

import builtins
import errno
import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from realitycheck.errors import StorageError
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal
from realitycheck.report.writers.text_files import write_texts
from realitycheck.stores.cache import publish_json, read_meta
from realitycheck.stores.manifest import Half, Manifest, read_manifest, write_manifest

REFUSALS = [
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG),
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EBUSY),
    *(errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN),
    *(errno.ENOLCK, errno.EDEADLK, errno.EREMOTEIO, errno.EUCLEAN, errno.ENXIO, errno.ENODEV, errno.EINVAL),
]

CALLS = ("mkdir", "open", "fsync", "link", "unlink", "replace", "rename", "stat", "listdir", "close")


class Refusing:
    """Makes the n-th call of the system by this process fail; counts them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, number: int) -> None:
        self.at, self.number, self.calls, self.refused = at, number, 0, ""
        for name in CALLS:
            monkeypatch.setattr(os, name, self._guarded(name, getattr(os, name)))
        opened = self._guarded("open", io.open)
        for module in (io, builtins):
            monkeypatch.setattr(module, "open", lambda *given, **named: Writing(opened(*given, **named), self))

    def _guarded(self, name, honest):
        def call(*given, **named):
            if name == "close":
                honest(*given, **named)  # as Linux does: the descriptor is closed, whatever is answered
                self.count(name, None)
                return None
            self.count(name, given[0] if given and isinstance(given[0], (str, os.PathLike)) else None)
            return honest(*given, **named)

        return call

    def count(self, name, place):
        self.calls += 1
        if self.calls == self.at:
            self.refused = name
            raise OSError(self.number, os.strerror(self.number), *([os.fspath(place)] if place else []))


class Writing:
    """A file whose writes can fail, as its opening can."""

    def __init__(self, file, refusing: Refusing) -> None:
        self._file, self._refusing = file, refusing

    def write(self, content):
        self._refusing.count("write", None)
        return self._file.write(content)

    def flush(self):
        self._refusing.count("flush", None)
        return self._file.flush()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __iter__(self):
        return iter(self._file)


RECORD = Proposal("s" * 64, "d" * 64, "birds", "triplet", 0, {"margin": 0.5}, "random")
TEXTS = {"studies/s.yaml": "study: s\n", "protocols/p.yaml": "protocol: p\n", "protocols/spaces/v.yaml": "{}\n"}
HALF = Half("d" * 64, ("a", "b"), (0, 1), ("a/1.png", "b/1.png"), ("1" * 16, "2" * 16))
MANIFEST = Manifest(HALF, HALF)


def append(folder: Path) -> None:
    Ledger(folder).append(RECORD)


def note(folder: Path) -> None:
    Ledger(folder).note("done", {"id": "a"})


def pack(folder: Path) -> None:
    ledger = Ledger(folder)
    ledger.append(RECORD)
    ledger.pack(TEXTS)


def cache_json(folder: Path) -> None:
    publish_json(folder / "cache" / "present.json", {"a": 1})


def manifest(folder: Path) -> None:
    write_manifest(folder / "manifests" / "birds.json.gz", MANIFEST)


def page(folder: Path) -> None:
    write_texts(folder / "reports", {"index.html": "a page"})


def read_packed(folder: Path) -> None:
    read_loose(folder)


def read_loose(folder: Path) -> None:
    """Of a ledger that another one wrote; one that cannot be read is not an empty one."""
    ledger = Ledger(folder)
    assert ledger.records == {RECORD.id: RECORD}
    assert [one["id"] for one in ledger.notes()] == ["a"]


def whole(folder: Path) -> None:
    """Every file is the whole one, or is not there."""
    ledger = Ledger(folder)
    assert ledger.records in ({}, {RECORD.id: RECORD})
    assert {one["id"] for one in ledger.notes()} <= {"a"}
    if (folder / "cache" / "present.json").exists():
        assert read_meta(folder / "cache" / "present") == {"a": 1}
    assert read_manifest(folder / "manifests" / "birds.json.gz") in (None, MANIFEST)
    if (folder / "reports" / "index.html").exists():
        assert (folder / "reports" / "index.html").read_text() == "a page"


def prepared(folder: Path, action) -> Path:
    if action in (read_loose, read_packed):
        append(folder)
        note(folder)
    if action is read_packed:
        pack(folder)
        shutil.rmtree(folder / "ledger")
        shutil.rmtree(folder / "attempts")
    return folder


@pytest.mark.parametrize("action", [append, note, pack, cache_json, manifest, page, read_loose, read_packed])
def test_every_refusal_at_every_call_is_one_sentence(tmp_path, action):
    refused: dict[str, int] = {}
    refusals = REFUSALS if action is append else REFUSALS[:8]
    for number in refusals:
        at, done = 0, False
        while not done:
            at += 1
            folder = prepared(tmp_path / f"{number}-{at}", action)
            with pytest.MonkeyPatch.context() as patch:
                refusing = Refusing(patch, at, number)
                try:
                    action(folder)
                except StorageError as error:
                    assert str(folder) in str(error)
                    assert os.strerror(number) in str(error)
                    assert len(str(error).splitlines()) == 1
                    refused[refusing.refused] = refused.get(refusing.refused, 0) + 1
            whole(folder)
            action(folder)
            whole(folder)
            done = refusing.calls < at
    assert refused.keys() >= ({"open"} if action in (read_loose, read_packed) else {"mkdir", "open", "fsync"}), refused
    assert sum(refused.values()) > 2 * len(refusals)


def _mounted(folder: Path) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def test_a_full_disk_takes_whole_records_until_it_is_full_and_again_when_it_is_not(tmp_path):
    if not _mounted(tmp_path):
        pytest.skip("this user may not mount a small file system")
    try:
        ledger, kept = Ledger(tmp_path / "study"), []
        with pytest.raises(StorageError, match="No space left on device"):
            for slot in range(1000):
                record = Proposal("s" * 64, "d" * 64, "birds", "triplet", slot, {"margin": 0.5}, "random")
                ledger.append(record)
                kept.append(record.id)
        assert len(kept) > 3
        assert set(Ledger(tmp_path / "study").records) == set(kept)
        subprocess.run(["mount", "-o", "remount,size=1m", str(tmp_path)], check=True)
        assert ledger.append(record)
        assert set(Ledger(tmp_path / "study").records) == {*kept, record.id}
    finally:
        subprocess.run(["umount", str(tmp_path)], check=False)
