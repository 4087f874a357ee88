"""Check that a store holds the bytes that were written to it, and set a damaged one aside."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realitycheck.atomic import move_aside
from realitycheck.errors import Problem, RunError
from realitycheck.stores.cache import read_meta

BLOCK = 1 << 24
"""Bytes that are hashed between two reports of progress."""

BytesProgress = Callable[[int, int], None]
"""Called with the number of hashed bytes and the number of all."""

Version = tuple[int, int, int, int]
"""What two files of one name differ in: inode, size and both times."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A store that must not be used.

    Args:
        path: the store, without a suffix.
        cause: what is wrong with it, as the end of a sentence.
        seen: the versions of its two files that were examined; None for a missing one.
    """

    path: Path
    cause: str
    seen: tuple[Version | None, Version | None]


def file_facts(size: int, sha256: str) -> dict[str, Any]:
    """What the JSON file of a store says of its other file."""
    return {"file": {"bytes": size, "sha256": sha256}}


def visible_damage(path: Path) -> Damage | None:
    """Find damage of a finished store without reading its images: its JSON file, and the size of the other."""
    return _damage(path, watch=None)


def damage(path: Path, *, watch: BytesProgress) -> Damage | None:
    """Find any damage of a finished store; reads all of it."""
    return _damage(path, watch=watch)


def set_store_aside(harm: Damage) -> Problem | None:
    """Rename the files of a damaged store; a problem that names it, or None where another process was faster.

    A file that has been replaced since it was examined is kept. The JSON file goes first: without it a store is
    unfinished, and is made again.
    """
    names = []
    for file, seen in zip(_files(harm.path), harm.seen, strict=True):
        if seen is None or _version(file) != seen:
            continue
        if target := move_aside(file):
            names.append(target.name)
    if not names:
        return None
    says = f"{harm.cause}. The store is set aside as {' and '.join(names)}, and made again."
    return Problem(0, str(harm.path), says, "store-damaged")


def _damage(path: Path, *, watch: BytesProgress | None) -> Damage | None:
    facts, numbers = _files(path)
    seen = (_version(facts), _version(numbers))
    if seen[0] is None:
        return None
    cause = _cause(path, numbers, seen[1], watch)
    return Damage(path, cause, seen) if cause else None


def _cause(path: Path, numbers: Path, seen: Version | None, watch: BytesProgress | None) -> str | None:
    try:
        written = read_meta(path)["file"]
    except (RunError, KeyError):
        return f"the SHA-256 of {path.name}.json does not match"
    if seen is None:
        return f"{numbers.name} is missing"
    if seen[1] != written["bytes"]:
        return f"{numbers.name} has {seen[1]} bytes instead of {written['bytes']}"
    if watch is not None and _hashed(numbers, watch) != written["sha256"]:
        return f"the SHA-256 of {numbers.name} does not match"
    return None


def _hashed(path: Path, watch: BytesProgress) -> str:
    sha, done, size = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb", buffering=0) as file:
        block = memoryview(bytearray(BLOCK))
        while count := file.readinto(block):
            sha.update(block[:count])
            done += count
            watch(done, size)
    return sha.hexdigest()


def _files(path: Path) -> tuple[Path, Path]:
    return path.with_suffix(".json"), path.with_suffix(".npy")


def _version(file: Path) -> Version | None:
    try:
        stat = file.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
