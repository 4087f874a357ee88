"""Who does which job of a study: leases on a shared folder, so that several workers share one ledger.

`<study>/leases/<job id>.json` is made by the first worker that takes the job, and removed when its record is written.
The worker renews it by its time stamp, which the file system sets. A lease is stale where its stamp did not change for
its whole period, as another worker sees it on its own clock: the clocks of two machines are never compared. Time in
which that worker did not look does not count: what stopped it may have stopped all of them, as Slurm suspends a job. On
the same machine a lease is stale as soon as its process has ended.

A worker can keep an answer beside its lease that is no record: a job that it gave up, or one that waits for others.

A lease is advice. Two workers that hold one job cost a repeated run and nothing else: the first record wins, and the
second is compared with it.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from realitycheck.atomic import Lasts, draft_of, link_new, move_aside, storage_errors
from realitycheck.canonical import canonical_json
from realitycheck.processes import has_ended, this_process
from realitycheck.runs import Body

PERIOD = 180.0
"""Seconds without a renewal after which a lease is stale; network file systems show a change after 60 at most."""

LONGEST = 3_600.0
"""A lease that asks for more, or for no number, is damaged."""

RENEWALS = 6
"""Renewals, and checks of the others' stamps, in one period."""

LEASE = ".json"
KEPT = ".kept.json"
"""How the name of an answer ends that its worker holds back: one that waits for others, or a job given up."""


@dataclass(slots=True)
class _Seen:
    """A lease of another worker: what it says, its stamp, since when as far as we looked, and when it was read."""

    content: Body
    stamp: tuple[int, int]
    since: float
    checked: float

    def is_stale(self, now: float) -> bool:
        """Whether its worker is gone, as far as can be seen from here."""
        return has_ended(self.content) or now - self.since > _period(self.content)


class Leases:
    """The leases of this worker, and those of others.

    Args:
        folder: the study's folder.
        seconds: the period of this worker's leases.

    Attributes:
        others: job ids that other workers do, as last seen.
    """

    def __init__(self, folder: Path, *, seconds: float = PERIOD) -> None:
        self.folder = folder / "leases"
        self.seconds = seconds
        self.worker = secrets.token_hex(8)
        self.others: dict[str, str] = {}
        self._seen: dict[str, _Seen] = {}
        self._mine: set[str] = set()
        self._kept: set[str] = set()
        self._beginning: int | None = None
        self._ended = threading.Event()
        self._renewing: threading.Thread | None = None

    def take(self, job_id: str, *, title: str) -> bool:
        """Take a job that nobody does, or whose worker is gone; whether it is ours.

        Raises:
            StorageError: the folder cannot be written.
        """
        if job_id in self._mine:
            return True
        seen = self._look_at(job_id, now=time.monotonic())
        if seen is not None and not seen.is_stale(time.monotonic()):
            return False
        if seen is not None:
            self._remove(job_id, seen)
        path = self._path(job_id)
        with storage_errors(path):
            taken = link_new(path, canonical_json(self._content(title)).encode(), lasts=Lasts.UNSURE)
        if taken:
            self._mine.add(job_id)
            self._seen.pop(job_id, None)
            self.others.pop(job_id, None)
            self._renew_from_now_on()
        else:
            self._look_at(job_id, now=time.monotonic())
        return taken

    def release(self, job_id: str) -> None:
        """Give a job back whose record is written."""
        if job_id in self._kept:
            self._kept.discard(job_id)
            self._kept_path(job_id).unlink(missing_ok=True)
        self._give_back(job_id)

    def keep(self, job_id: str, answer: Body) -> None:
        """Show the other workers the answer to a job that is no record; later ones do not follow it."""
        if job_id in self._mine and job_id not in self._kept:
            path = self._kept_path(job_id)
            with storage_errors(path):
                path.unlink(missing_ok=True)
                link_new(path, canonical_json({"worker": self.worker, **answer}).encode())
            self._kept.add(job_id)

    def look(self) -> None:
        """See what others do, and which of them are gone."""
        self._began()
        now, leased = time.monotonic(), set(self._listed(LEASE))
        for gone in set(self._seen) - leased:
            self._seen.pop(gone, None)
            self.others.pop(gone, None)
        for job_id in leased - self._mine:
            seen = self._look_at(job_id, now=now)
            if seen is None or seen.is_stale(now):
                self.others.pop(job_id, None)

    def is_taken(self, job_id: str) -> bool:
        """Whether there is a lease on a job, stale or not."""
        return job_id in self._mine or self._path(job_id).exists()

    def kept(self) -> Iterator[tuple[str, Body]]:
        """The answers that other workers hold back: job id and answer.

        One that was there before this worker began counts as long as its lease; it is removed with it.
        """
        for job_id in sorted(self._listed(KEPT)):
            path = self._kept_path(job_id)
            if job_id in self._kept or not (stamp := _stamp(path)):
                continue
            content, seen = _read(path), self._seen.get(job_id)
            alive = seen and job_id in self.others and seen.content.get("worker") == content.get("worker")
            if alive or stamp >= self._began():
                yield job_id, content
            elif job_id not in self.others:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Give everything back; answers that were held back stay, for workers that have not read them yet."""
        self._ended.set()
        if self._renewing:
            self._renewing.join()
        for job_id in list(self._mine):
            self._give_back(job_id)

    def _look_at(self, job_id: str, *, now: float) -> _Seen | None:
        """What another worker's lease says; its stamp is read again now and then. None where there is no lease."""
        seen = self._seen.get(job_id)
        if seen is not None:
            gap, interval = now - seen.checked, self._interval(seen.content)
            if gap < interval:
                return seen
            seen.since += max(0.0, gap - 2 * interval)  # longer than we look apart: we were stopped, or at work
        try:
            with self._path(job_id).open("rb") as file:  # opening asks a network file system for the present state
                facts = os.fstat(file.fileno())
                content = _body_of(file.read())
        except (IsADirectoryError, PermissionError):
            with storage_errors(self._path(job_id)):
                raise  # not a lease that is gone: waiting for its end would have no end
        except OSError:
            self._seen.pop(job_id, None)
            self.others.pop(job_id, None)
            return None
        stamp = (facts.st_ino, facts.st_mtime_ns)
        if seen is None or seen.stamp != stamp or seen.content != content:
            seen = _Seen(content, stamp, now, now)
        seen.checked = now
        self._seen[job_id] = seen
        self.others[job_id] = f"{content.get('title', 'a job')} ({content.get('host')}, {content.get('process')})"
        return seen

    def _remove(self, job_id: str, seen: _Seen) -> None:
        """Remove a stale lease: one worker alone can move it away, and puts a newer one back."""
        path = self._path(job_id)
        moved = move_aside(path)
        if moved is None:
            return
        content = moved.read_bytes()
        if _body_of(content).get("worker") != seen.content.get("worker"):
            link_new(path, content)
        moved.unlink(missing_ok=True)
        self._seen.pop(job_id, None)

    def _renew_from_now_on(self) -> None:
        if self._renewing is None:
            self._renewing = threading.Thread(target=self._renew, name="leases", daemon=True)
            self._renewing.start()

    def _renew(self) -> None:
        """In a thread of its own: the time stamp alone changes, so that no lease of another worker is overwritten."""
        while not self._ended.wait(self.seconds / RENEWALS):
            for job_id in list(self._mine):
                with suppress(OSError):  # the next renewal may do better; the last resort is a repeated run
                    if self._is_mine(job_id):
                        os.utime(self._path(job_id))

    def _is_mine(self, job_id: str) -> bool:
        return _read(self._path(job_id)).get("worker") == self.worker

    def _interval(self, content: Body) -> float:
        return min(self.seconds, _period(content)) / RENEWALS

    def _began(self) -> int:
        """When this worker began, by the clock of the file system, in nanoseconds."""
        if self._beginning is None:
            with storage_errors(self.folder), draft_of(self.folder / "beginning") as draft:
                draft.touch()
                self._beginning = draft.stat().st_mtime_ns
        return self._beginning

    def _give_back(self, job_id: str) -> None:
        if job_id in self._mine:
            self._mine.discard(job_id)
            with suppress(OSError):
                if self._is_mine(job_id):
                    self._path(job_id).unlink()

    def _listed(self, ending: str) -> Iterator[str]:
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                name = entry.name.removesuffix(ending)
                if entry.name.endswith(ending) and "." not in name:
                    yield name

    def _content(self, title: str) -> Body:
        taken = datetime.now(UTC).isoformat(timespec="seconds")
        return {"worker": self.worker, "title": title, "taken": taken, "seconds": self.seconds, **this_process()}

    def _path(self, job_id: str) -> Path:
        return self.folder / f"{job_id}.json"

    def _kept_path(self, job_id: str) -> Path:
        return self.folder / f"{job_id}{KEPT}"


def at_work(folder: Path) -> tuple[str, ...]:
    """The titles of the jobs of a study that are leased, by the clock of this machine, to workers that have not ended.

    Args:
        folder: the study's folder.
    """
    leases = Leases(folder)
    held = ((leases.folder / f"{name}{LEASE}") for name in sorted(leases._listed(LEASE)))
    known = [(content, _stamp(path)) for path in held if (content := _read(path))]
    now = time.time_ns()
    running = (
        content
        for content, stamp in known
        if not has_ended(content) and now - stamp <= _period(content) * 1_000_000_000
    )
    return tuple(str(content.get("title", "a job")) for content in running)


def _period(content: Body) -> float:
    seconds = content.get("seconds")
    return float(seconds) if isinstance(seconds, int | float) and 0 < seconds <= LONGEST else PERIOD


def _read(path: Path) -> Body:
    """What a lease says; nothing where it is gone or damaged."""
    try:
        return _body_of(path.read_bytes())
    except OSError:
        return {}


def _stamp(path: Path) -> int:
    """When a file was written, by the clock of the file system; 0 where it is gone."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _body_of(content: bytes) -> Body:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
