"""Extract untrusted archives: only regular files and folders, into one new folder, or nothing at all.

The filter of `tarfile` does not protect on older patch releases of Python: a chain of links within an archive could
write outside the target in spite of `filter="data"` (CVE-2025-4517). This module never creates a link.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from realitycheck.atomic import draft_of, publish
from realitycheck.datasets.fetching.archive_entries import CHUNK, Limits, Member, Refused, members
from realitycheck.errors import InputError

LIMITS = Limits(members=2_000_000, total=64 * 2**30, ratio=100)
"""Above every dataset of the menu: at most 120,053 files and 16 GiB, and images that compress little."""


def extract(archive: Path, folder: Path, *, limits: Limits) -> None:
    """Extract a zip, or a tar with or without gzip or bzip2, into a new folder.

    The archive is extracted beside the folder, under a name that begins with a dot, and renamed when all files are on
    disk. So a folder of the given name is complete; what an interrupted call leaves behind can be removed.

    Args:
        archive: path of the archive.
        folder: path of the new folder; it must not exist.
        limits: limits on members, bytes and compression ratio.

    Raises:
        InputError: if the archive is damaged or has a member that is not allowed; no files are left behind.
    """
    if folder.exists():
        says = "the folder exists already. Remove it, or choose another folder."
        raise InputError.one(str(folder), "folder-exists", says)
    try:
        with draft_of(folder) as draft:
            draft.mkdir()
            _write_all(archive, draft, limits)
            publish(draft, folder)
    except Refused as error:
        raise InputError.one(str(archive), error.code, error.says, where=error.member) from error
    except OSError as error:
        says = f"cannot be written: {error}. Free disk space, or choose another folder."
        raise InputError.one(str(folder), "folder-unwritable", says) from error


def _write_all(archive: Path, target: Path, limits: Limits) -> None:
    budget = limits.budget(archive.stat().st_size)
    taken: dict[str, bool] = {}
    for count, member in enumerate(members(archive, limits), start=1):
        if count > limits.members:
            says = f"member {count:,} is out of range: an archive may have at most {limits.members:,}. Check it."
            raise Refused(member.name, "archive-members", says)
        parts = _parts(member)
        if parts:
            _claim(parts, member, taken)
            budget -= _write(member, target.joinpath(*parts), budget=budget)


def _parts(member: Member) -> tuple[str, ...]:
    """Return the parts of a member's name, without a leading `.`; none for the root itself."""
    name = member.name.rstrip("/") if member.is_folder else member.name
    parts = [part for index, part in enumerate(name.split("/")) if part != "." or index]
    bad = any(part in ("", ".", "..") or len(os.fsencode(part)) > 255 for part in parts)
    if bad or any(char in "\\:" or ord(char) < 32 for char in name):
        says = "not allowed here: the name is not a plain relative path. Do not trust the archive."
        raise Refused(member.name, "archive-path", says)
    return tuple(parts)


def _claim(parts: tuple[str, ...], member: Member, taken: dict[str, bool]) -> None:
    """Require unique names without regard to case, because on some systems `A` and `a` are one file."""
    names = ["/".join(parts[: end + 1]).casefold() for end in range(len(parts))]
    for name in names[:-1]:
        if not taken.setdefault(name, True):
            says = "not allowed here: its parent is a file. Do not trust the archive."
            raise Refused(member.name, "archive-below-file", says)
    duplicate = names[-1] in taken
    if duplicate and not (member.is_folder and taken[names[-1]]):
        raise Refused(member.name, "archive-duplicate", "duplicate member. Do not trust the archive.")
    taken[names[-1]] = member.is_folder


def _write(member: Member, path: Path, *, budget: int) -> int:
    """Write a member and return the bytes that were written, whatever the archive's header claims."""
    if member.is_folder:
        path.mkdir(parents=True, exist_ok=True)
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with path.open("xb") as file:
        for chunk in _chunks(member.read):
            written += len(chunk)
            if written > budget:
                says = "out of range: the extracted bytes exceed the limit or the compression ratio. Check the archive."
                raise Refused(member.name, "archive-size", says)
            file.write(chunk)
    return written


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(CHUNK):
        yield chunk
