"""What killed processes left is removed, and what live ones write is not."""

from __future__ import annotations

import os
import signal
import time

import pytest

from realitycheck import leftovers
from realitycheck.atomic import draft_of
from realitycheck.leftovers import sweep


def left_by_a_killed_process(path, after=lambda: None) -> None:
    """A draft whose process was killed while it wrote."""
    ready, written = os.pipe()
    child = os.fork()
    if child == 0:
        with draft_of(path) as draft:
            draft.write_bytes(b"half")
            os.write(written, b"1")
            signal.pause()
    os.read(ready, 1)
    try:
        after()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(ready)
        os.close(written)


def drafts(folder):
    return sorted(path.name for path in folder.rglob(".*"))


def test_a_draft_goes_when_its_process_is_gone_and_not_before(tmp_path):
    path = tmp_path / "ledger" / "run" / "a.json"

    def beside_the_living():
        assert sweep(tmp_path) == []
        assert len(drafts(tmp_path)) == 1

    left_by_a_killed_process(path, beside_the_living)
    assert len(drafts(tmp_path)) == 1
    (gone,) = sweep(tmp_path)
    assert gone.parent == path.parent and drafts(tmp_path) == []


@pytest.mark.parametrize("name", [".a.00000000-1.01234567.partial", ".a.01234567.partial", ".0123456789abcdef.claim"])
def test_what_names_no_process_of_this_machine_goes_a_day_after_it_was_written_to(tmp_path, name):
    (tmp_path / name).write_bytes(b"half")
    assert sweep(tmp_path) == []
    late = time.time() - leftovers.DAY - 60
    os.utime(tmp_path / name, (late, late))
    assert sweep(tmp_path) == [tmp_path / name]


def test_old_empty_folders_go_and_files_stay(tmp_path):
    for folder in ("old/older", "new", "full"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "full" / ".hidden").touch()
    (tmp_path / "full" / "a.partial").touch()  # no draft: it is not hidden
    late = time.time() - 3600
    for folder in ("old/older", "old", "full"):
        os.utime(tmp_path / folder, (late, late))
    assert sweep(tmp_path) == [tmp_path / "old" / "older"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "new", "old"]
    assert sorted(path.name for path in (tmp_path / "full").iterdir()) == [".hidden", "a.partial"]


def test_a_file_is_published_although_its_folder_is_swept_meanwhile(tmp_path, monkeypatch):
    from pathlib import Path

    from realitycheck import atomic

    honest, swept = Path.open, []

    def swept_first(path, *given, **named):
        if not swept:
            swept.append(path.parent.rmdir())
        return honest(path, *given, **named)

    monkeypatch.setattr(Path, "open", swept_first)
    assert atomic.link_new(tmp_path / "run" / "a", b"new")
    assert (tmp_path / "run" / "a").read_bytes() == b"new"


def test_there_need_be_nothing(tmp_path):
    assert sweep(tmp_path / "none") == []
