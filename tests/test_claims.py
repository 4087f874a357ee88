"""Without hard links the first writer wins by a claim, which one of those who wait takes over from a killed process."""

from __future__ import annotations

import errno
import hashlib
import multiprocessing
import os
import threading
import time
from pathlib import Path

import pytest

from realitycheck import claims
from realitycheck.atomic import link_new

OLD, NEW = b"old" * 1000, b"new" * 2000


def no_link(source, target):
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), os.fspath(source), None, os.fspath(target))


@pytest.fixture(autouse=True)
def _no_links(monkeypatch):
    monkeypatch.setattr(os, "link", no_link)


def test_the_claim_of_a_killed_process_is_taken_over(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "CLAIM_SECONDS", 0.2)
    claim = tmp_path / f".{hashlib.sha256(b'a').hexdigest()[:16]}.claim"
    claim.touch()
    assert link_new(tmp_path / "a", NEW)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def _write_once(path, name, go, won):
    go.wait()
    won.put(name if link_new(path, name.encode() * 1000) else "")
    won.close()
    won.join_thread()


def test_of_many_who_wait_for_the_claim_of_a_killed_process_one_wins(tmp_path, monkeypatch):
    monkeypatch.setattr(claims, "CLAIM_SECONDS", 1.0)
    honest = Path.replace

    def late(path, target):
        time.sleep(0.02)  # two in the same place would overwrite each other
        return honest(path, target)

    monkeypatch.setattr(Path, "replace", late)
    (tmp_path / f".{hashlib.sha256(b'a').hexdigest()[:16]}.claim").touch()
    context = multiprocessing.get_context("fork")
    won, go = context.Queue(), context.Event()
    writers = [context.Process(target=_write_once, args=(tmp_path / "a", name, go, won)) for name in "stuvwxyz"]
    for writer in writers:
        writer.start()
    go.set()
    winners = "".join(won.get(timeout=60) for _ in writers)
    for writer in writers:
        writer.join()
    assert len(winners) == 1
    assert (tmp_path / "a").read_text() == winners * 1000
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_claim_that_another_process_has_by_now_is_not_renamed_away(tmp_path, monkeypatch):
    """Unlocked, the second writer takes over between the first one's look at the claim and its renaming; both win."""
    monkeypatch.setattr(claims, "CLAIM_SECONDS", 1.0)
    rename, replace, others, won = Path.rename, Path.replace, [], {}
    replacing, renamed = threading.Event(), threading.Event()

    def write(content):
        won[content] = link_new(tmp_path / "a", content)

    def paused(path, target):
        if not others:
            others.append(threading.Thread(target=write, args=(OLD,)))
            others[0].start()
            replacing.wait(1.5)
        result = rename(path, target)
        renamed.set()
        return result

    def slow(path, target):
        replacing.set()
        renamed.wait(10)
        time.sleep(0.2)
        return replace(path, target)

    monkeypatch.setattr(Path, "rename", paused)
    monkeypatch.setattr(Path, "replace", slow)
    (tmp_path / f".{hashlib.sha256(b'a').hexdigest()[:16]}.claim").touch()
    write(NEW)
    others[0].join()
    assert sorted(won.values()) == [False, True]
    assert won[(tmp_path / "a").read_bytes()]
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_process_whose_claim_was_taken_over_does_not_overwrite(tmp_path, monkeypatch):
    """Stopped before its rename, as by Ctrl-Z, for longer than a claim holds."""
    monkeypatch.setattr(claims, "CLAIM_SECONDS", 0.1)
    honest, others = Path.exists, []

    def stopped(path):
        found = honest(path)
        if path == tmp_path / "a" and not others:
            others.append(path)
            assert link_new(tmp_path / "a", OLD)  # waits for the claim, and takes it over
        return found

    monkeypatch.setattr(Path, "exists", stopped)
    assert not link_new(tmp_path / "a", NEW)
    assert (tmp_path / "a").read_bytes() == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_claim_that_is_held_is_waited_for(tmp_path, monkeypatch):
    claim = tmp_path / f".{hashlib.sha256(b'a').hexdigest()[:16]}.claim"
    claim.touch()

    def other() -> None:
        (tmp_path / "a").write_bytes(OLD)
        claim.unlink()

    timer = threading.Timer(0.2, other)
    timer.start()
    assert not link_new(tmp_path / "a", NEW)
    timer.join()
    assert (tmp_path / "a").read_bytes() == OLD
