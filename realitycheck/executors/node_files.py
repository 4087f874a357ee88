"""Files on a node that shares no disk with us: by digest, written once, and a folder for each job."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO

from realitycheck.atomic import move_aside
from realitycheck.executors.arrivals import Arrival
from realitycheck.leftovers import DAY, sweep
from realitycheck.processes import is_alive, this_machine

SLICE = 1 << 24
"""Bytes that are hashed before the clock is read again."""

CHECK_SECONDS = 1.0
"""How long one call may check a file that is on the node already; a further call continues."""

SOUND, MISSING, CHECKING = "sound", "missing", "checking"

_OWNER = re.compile(r"(?P<here>[0-9a-f]{8})-(?P<process>[0-9]{1,10})-[0-9a-f]{8}")


def default_root() -> Path:
    """Return the folder of this node's files: `$REALITYCHECK_NODE_CACHE`, or one in the user's cache."""
    if stated := os.environ.get("REALITYCHECK_NODE_CACHE"):
        return Path(stated)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "realitycheck" / "node"


class NodeFiles:
    """The files of one process on a node.

    Args:
        root: `files` below it is shared by all processes of the node, and `jobs` has a folder for each.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.own = root / "jobs" / f"{this_machine()}-{os.getpid()}-{token_hex(4)}"
        self.own.mkdir(parents=True)
        self._sound: set[Path] = set()
        self._checks: dict[Path, tuple[BinaryIO, Any]] = {}
        self._arrivals: dict[Path, Arrival] = {}
        sweep(root)
        _sweep_jobs(root / "jobs")

    def state_of(self, sha256: str, size: int, *, kept: bool) -> str:
        """Return whether a file is on the node and has its digest; for a large one this takes several calls.

        A damaged one is set aside, and is missing.
        """
        path = self._path(sha256, kept=kept)
        if path in self._sound and path.exists():
            return SOUND
        if not path.exists():
            return MISSING
        if path not in self._checks:
            self._checks[path] = (path.open("rb"), hashlib.sha256())
        file, sha = self._checks[path]
        end = time.monotonic() + CHECK_SECONDS
        while block := file.read(SLICE):
            sha.update(block)
            if time.monotonic() > end:
                return CHECKING
        file.close()
        del self._checks[path]
        if sha.hexdigest() != sha256 or path.stat().st_size != size:
            move_aside(path)
            return MISSING
        self._sound.add(path)
        return SOUND

    def receive(self, sha256: str, chunk: bytes, *, kept: bool, first: bool, last: bool) -> None:
        """Write a chunk of a file; the last one publishes it.

        Raises:
            RunError: what arrived does not have the digest.
        """
        path = self._path(sha256, kept=kept)
        if first:
            if before := self._arrivals.pop(path, None):
                before.abandon()
            self._arrivals[path] = Arrival(path)
        self._arrivals[path].write(chunk)
        if last:
            self._arrivals.pop(path).finish(sha256)
            self._sound.add(path)

    def lay_out(self, links: Mapping[str, tuple[str, bool]]) -> Path:
        """Make the folder of a job, with links to its files.

        Args:
            links: place in the folder → digest, and whether the node keeps the file.
        """
        folder = self.own / f"job-{token_hex(4)}"
        folder.mkdir()
        for place, (sha256, kept) in links.items():
            path = folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(self._path(sha256, kept=kept))
        return folder

    def forget_job(self, folder: Path) -> None:
        """Delete the folder of a job, and what was sent for it alone."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(self.own / "files", ignore_errors=True)
        self._sound = {path for path in self._sound if not path.is_relative_to(self.own)}

    def write_code(self, code: Mapping[str, bytes]) -> Path:
        """Write the modules of a study, and return their folder for the import path."""
        folder = self.own / "code"
        for name, content in code.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    def close(self) -> None:
        """Delete what belongs to this process alone."""
        for arrival in self._arrivals.values():
            arrival.abandon()
        for file, _ in self._checks.values():
            file.close()
        shutil.rmtree(self.own, ignore_errors=True)

    def _path(self, sha256: str, *, kept: bool) -> Path:
        return (self.root if kept else self.own) / "files" / sha256


def new_files(folder: Path, known: Mapping[str, tuple[int, int]]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Find finished files of a folder that are new or were replaced: place, and what distinguishes two versions."""
    for top, _, names in os.walk(folder):
        for path in (Path(top, name) for name in sorted(names) if not name.startswith(".")):
            with suppress(FileNotFoundError):
                stat = path.stat()
                version, place = (stat.st_ino, stat.st_mtime_ns), path.relative_to(folder).as_posix()
                if known.get(place) != version:
                    yield place, version


def _sweep_jobs(folder: Path) -> None:
    """Delete the folders of processes that have ended, and those of other machines a day after their last change."""
    for path in folder.iterdir():
        if owner := _OWNER.fullmatch(path.name):
            ours = owner["here"] == this_machine()
            with suppress(OSError):
                old = time.time() - path.stat().st_mtime > DAY
                if (ours and not is_alive(int(owner["process"]))) or (not ours and old):
                    shutil.rmtree(path, ignore_errors=True)
