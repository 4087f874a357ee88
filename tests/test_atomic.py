"""Files appear whole or not at all, whatever fails and wherever it fails."""

from __future__ import annotations

import errno
import multiprocessing
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from realitycheck.atomic import draft_of, link_new, publish, sha256_of

OLD, NEW = b"old" * 1000, b"new" * 2000


@pytest.fixture(params=[True, False], ids=["hard links", "no hard links"])
def links(request, monkeypatch):
    """A file system with hard links, and one that answers as Linux does on exFAT."""
    if not request.param:
        monkeypatch.setattr(os, "link", no_link)
    return request.param


def no_link(source, target):
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), os.fspath(source), None, os.fspath(target))


def replace(path: Path) -> None:
    with draft_of(path) as draft:
        draft.write_bytes(NEW)
        publish(draft, path)


def test_the_first_writer_wins(tmp_path, links):
    assert link_new(tmp_path / "deep" / "a", OLD)
    assert not link_new(tmp_path / "deep" / "a", NEW)
    assert (tmp_path / "deep" / "a").read_bytes() == OLD
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a"]


def test_an_earlier_file_is_replaced(tmp_path):
    (tmp_path / "a").write_bytes(OLD)
    replace(tmp_path / "a")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": NEW}


def test_a_folder_is_published_whole_and_over_no_other_one(tmp_path):
    for fails in (False, True):
        with draft_of(tmp_path / "data") as draft:
            draft.mkdir()
            (draft / "file").write_bytes(NEW)
            if fails:
                with pytest.raises(OSError, match="not empty"):
                    publish(draft, tmp_path / "data")
            else:
                publish(draft, tmp_path / "data")
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["data", "data/file"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o007, 0o660), (0o077, 0o600)])
def test_permissions_are_those_of_the_umask(tmp_path, links, umask, mode):
    before = os.umask(umask)
    try:
        link_new(tmp_path / "new", NEW)
        replace(tmp_path / "replaced")
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "replaced")] == [mode, mode]


def test_the_digest_is_that_of_the_standard(tmp_path):
    """FIPS 180-2, appendix B.1."""
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


STEPS = """
import errno, os, signal, sys
from pathlib import Path
from realitycheck import atomic, claims

def no_link(source, target):
    raise OSError(errno.EPERM, "no links")

def link_new(path, content):
    atomic.link_new(path, content)

def replace(path, content):
    with atomic.draft_of(path) as draft:
        draft.write_bytes(content)
        atomic.publish(draft, path)

def act(step, how):
    '''End, or raise, when so many lines of the module have run.'''
    left = step
    def trace(frame, event, _):
        nonlocal left
        if frame.f_code.co_filename not in (atomic.__file__, claims.__file__):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                if how == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise OSError(errno.ENOSPC, "the disk is full")
        return trace
    sys.settrace(trace)
    try:
        WHAT(PATH, b"new" * 2000)
    except OSError:
        os._exit(3)
    os._exit(0 if left > 0 else 4)

folder, what, links, how, old = Path(sys.argv[1]), *sys.argv[2:]
WHAT = {"link_new": link_new, "replace": replace}[what]
if links == "without":
    os.link = no_link
claims.CLAIM_SECONDS = 0.05
step, whole = 0, 0
while True:
    step += 1
    PATH = folder / str(step) / "a"
    PATH.parent.mkdir()
    if old == "old":
        PATH.write_bytes(b"old" * 1000)
    child = os.fork()
    if not child:
        act(step, how)
    _, status = os.waitpid(child, 0)
    found = PATH.read_bytes() if PATH.exists() else None
    allowed = [b"new" * 2000, b"old" * 1000 if old == "old" else None]
    assert found in allowed, (step, found)
    drafts = [path.name for path in PATH.parent.iterdir() if path.name != "a"]
    assert all(name.startswith(".") for name in drafts), drafts
    if os.waitstatus_to_exitcode(status) == 0:
        break
    WHAT(PATH, b"new" * 2000)  # tried again, it comes through
    assert PATH.read_bytes() == (b"old" * 1000 if old == "old" and what == "link_new" else b"new" * 2000), step
print(step)
"""


@pytest.mark.parametrize("how", ["kill", "raise"])
@pytest.mark.parametrize(
    ("what", "on", "old"),
    [
        ("link_new", "with", "none"),
        ("link_new", "without", "none"),
        ("link_new", "with", "old"),
        ("link_new", "without", "old"),
        ("replace", "with", "none"),
        ("replace", "with", "old"),
    ],
)
def test_no_step_leaves_a_torn_file(tmp_path, what, on, old, how):
    """Killed or refused before every single line: the file is the old one, the new one or absent, never another."""
    command = [sys.executable, "-c", STEPS, str(tmp_path), what, on, how, old]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 15, "the steps are lines of the module"


@pytest.mark.parametrize("refused", ["fsync", "link"])
def test_a_refusal_of_the_system_leaves_nothing(tmp_path, monkeypatch, refused):
    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, refused, refuse)
    with pytest.raises(OSError, match="No space left"):
        link_new(tmp_path / "a", NEW)
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_that_syncs_no_folders_is_taken_as_it_is(tmp_path, monkeypatch):
    honest = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        honest(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert link_new(tmp_path / "a", NEW)


def _write(folder, name, won):
    for number in range(30):
        if link_new(folder / str(number), f"{name}".encode() * 1000):
            won.put((number, name))
    won.close()
    won.join_thread()


def test_of_many_writers_one_wins_each_file(tmp_path, links):
    context = multiprocessing.get_context("fork")
    won = context.Queue()
    writers = [context.Process(target=_write, args=(tmp_path, name, won)) for name in range(2, 8)]
    for writer in writers:
        writer.start()
    winners = [won.get(timeout=60) for _ in range(30)]
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert sorted(number for number, _ in winners) == list(range(30)) and won.empty()
    for number, name in winners:
        assert (tmp_path / str(number)).read_bytes() == f"{name}".encode() * 1000
    assert len(list(tmp_path.iterdir())) == 30
