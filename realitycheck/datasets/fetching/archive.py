"""Unpack what came from elsewhere: regular files and folders, below one new folder, or nothing at all.

`tarfile`'s own filter is no guard on older patch releases of Python: a chain of links within an archive led out of
the target in spite of `filter="data"` (CVE-2025-4517). Here no link is ever made.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from realitycheck.datasets.fetching.archive_entries import CHUNK, Limits, Member, Refused, members
from realitycheck.errors import InputError, Problem

LIMITS = Limits(members=2_000_000, total=64 * 2**30, ratio=100)
"""Larger than every dataset of the menu: 120,053 files, 16 GiB, images that hardly shrink."""


def extract(archive: Path, folder: Path, *, limits: Limits) -> None:
    """Unpack a zip, or a tar with or without gzip or bzip2, into a new folder.

    It is unpacked beside the folder, under a name that begins with a dot, and renamed when all of it is on the disk: a
    folder of that name is whole. What a kill leaves behind can be removed.

    Args:
        archive: the file.
        folder: the new folder; it must not exist.
        limits: of members, bytes and ratio.

    Raises:
        InputError: the archive is damaged, or holds what is not taken; it names the member. Nothing is left behind.
    """
    if folder.exists():
        says = "must not exist yet; it does. Remove it, or choose another folder."
        raise InputError(str(folder), [Problem(0, "", says)])
    partial = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.partial"
    partial.mkdir(parents=True)
    try:
        _write_all(archive, partial, limits)
        os.sync()  # a rename can reach the disk before the files do
        partial.rename(folder)
    except Refused as error:
        raise InputError(str(archive), [Problem(0, error.member, error.says)]) from error
    except OSError as error:
        says = f"must be a place to write to, with room for the images; got {error}. Make room."
        raise InputError(str(folder), [Problem(0, "", says)]) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_all(archive: Path, target: Path, limits: Limits) -> None:
    budget = limits.budget(archive.stat().st_size)
    taken: dict[str, bool] = {}
    for count, member in enumerate(members(archive, limits), start=1):
        if count > limits.members:
            raise Refused(member.name, f"is member {count:,}; at most {limits.members:,} are taken. Check the archive.")
        parts = _parts(member)
        if parts:
            _claim(parts, member, taken)
            budget -= _write(member, target.joinpath(*parts), budget=budget)


def _parts(member: Member) -> tuple[str, ...]:
    """The name's parts, without a leading `.`; none for the root itself."""
    name = member.name.rstrip("/") if member.is_folder else member.name
    parts = [part for place, part in enumerate(name.split("/")) if part != "." or place]
    bad = any(part in ("", ".", "..") or len(os.fsencode(part)) > 255 for part in parts)
    if bad or any(char in "\\:" or ord(char) < 32 for char in name):
        says = "must be a plain relative name that leads nowhere else; it is not. Do not trust the archive."
        raise Refused(member.name, says)
    return tuple(parts)


def _claim(parts: tuple[str, ...], member: Member, taken: dict[str, bool]) -> None:
    """Each name once, whatever the case of its letters: on some systems `A` and `a` are one file."""
    names = ["/".join(parts[: end + 1]).casefold() for end in range(len(parts))]
    for name in names[:-1]:
        if not taken.setdefault(name, True):
            raise Refused(member.name, "must not lie below a file; it does. Do not trust the archive.")
    again = names[-1] in taken
    if again and not (member.is_folder and taken[names[-1]]):
        raise Refused(member.name, "must be there once; it is there again. Do not trust the archive.")
    taken[names[-1]] = member.is_folder


def _write(member: Member, path: Path, *, budget: int) -> int:
    """Bytes written: those that came out, whatever the archive claims."""
    if member.is_folder:
        path.mkdir(parents=True, exist_ok=True)
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with path.open("xb") as file:
        for chunk in _chunks(member.read):
            written += len(chunk)
            if written > budget:
                raise Refused(member.name, "unpacks to more than is taken, in bytes or beside the archive's size.")
            file.write(chunk)
    return written


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(CHUNK):
        yield chunk
