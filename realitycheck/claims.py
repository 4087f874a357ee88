"""Rename without replacing, on file systems without hard links.

A claim is an empty file of a name of its own, made exclusively, that is held while the draft is renamed. One that
outlives its time is of a killed process, and is taken over by one of those who wait.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CLAIM = ".claim"
"""How the names of claims end."""

CLAIM_SECONDS = 5.0
"""A claim older than this belongs to a killed process: it is held for one rename."""

TICK = 0.01
"""Seconds between two looks at the claim of another process."""


def rename_new(draft: Path, path: Path) -> bool:
    """Rename a draft and return True, or return False where `path` exists: the first one wins."""
    claim = path.with_name(f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]}{CLAIM}")
    owner = _take(claim)
    try:
        if path.exists():
            return False
        if _version(claim) != owner:  # taken over while this process was stopped
            return rename_new(draft, path)
        draft.replace(path)
    finally:
        if _version(claim) == owner:
            claim.unlink(missing_ok=True)
    return True


def _take(claim: Path) -> int | None:
    """Make the claim, or wait for its end; one that outlives its time is renamed away, by one of those who wait."""
    seen, since = None, time.monotonic()
    while True:
        try:
            claim.touch(exist_ok=False)
        except FileExistsError:
            if (now := _version(claim)) != seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since <= CLAIM_SECONDS or not _rename_away(claim, seen):
                time.sleep(TICK)
        else:
            return _version(claim)


def _rename_away(claim: Path, seen: int | None) -> bool:
    """Remove the claim of a killed process; False while another process does, or has a claim of its own by now."""
    away = claim.with_name(f"{claim.name.removesuffix(CLAIM)}-{secrets.token_hex(4)}{CLAIM}")
    with suppress(FileNotFoundError), _alone(claim.parent) as alone:
        # Between the two steps no other process may put its own claim in the place of this one.
        if alone and _version(claim) == seen:
            claim.rename(away)
            away.unlink()
            return True
    return False


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Lock a folder; False where another process has the lock. Where a file system has no locks, nothing is locked."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield _locked(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks here
        return True
    return True


def _version(claim: Path) -> int | None:
    """What two claims of one name differ in; None where there is none."""
    with suppress(FileNotFoundError):
        return claim.stat().st_mtime_ns  # an inode's number need not last where there are no hard links
    return None
