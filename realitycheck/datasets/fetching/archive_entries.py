"""Iterate over the members of zip and tar archives."""

from __future__ import annotations

import bz2
import gzip
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from realitycheck.datasets.fetching.stream import CountedStream

CHUNK = 2**20

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
"""First bytes of a zip with members, and of an empty one."""

HARMLESS = 2**20
"""Bytes that are allowed for any archive: a small one is mostly padding and compresses a hundredfold."""

DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, OSError, ValueError, RuntimeError, NotImplementedError, LookupError, ArithmeticError),
)
"""Exceptions of the standard library on archives that are truncated, damaged, encrypted or of an unknown method, and on
members without a name."""


NOT_A_FILE = "not allowed here: a link or a device. Do not trust the archive."


class Refused(Exception):
    """A member that is not extracted, with the code and the message of the problem."""

    def __init__(self, member: str, code: str, says: str) -> None:
        super().__init__(f"{member}: {says}")
        self.member = member
        self.code = code
        self.says = says


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on what is extracted from one archive.

    Args:
        members: number of files and folders.
        total: bytes of all files.
        ratio: bytes of all files divided by the size of the archive.
    """

    members: int
    total: int
    ratio: int

    def budget(self, size: int) -> int:
        """Return the bytes that all files of an archive of `size` bytes may have."""
        return min(self.total, max(self.ratio * size, HARMLESS))

    def stream(self, size: int) -> int:
        """Return the bytes that a tar may have: files, a header and padding for each member, and the end."""
        return self.budget(size) + 2 * tarfile.BLOCKSIZE * self.members + HARMLESS


@dataclass(frozen=True, slots=True)
class Member:
    """A file or folder of an archive; `read(n)` returns its next bytes, none at the end."""

    name: str
    is_folder: bool
    read: Callable[[int], bytes]


def members(archive: Path, limits: Limits) -> Iterator[Member]:
    """Iterate over the members in the archive's order; a member must be read before the next one is requested.

    Raises:
        Refused: if the archive is damaged, or a member is neither a regular file nor a folder.
    """
    last = ""
    try:
        for member in _zip(archive) if _magic(archive) in ZIP else _tar(archive, limits):
            last = member.name
            yield member
    except DAMAGED as error:
        raise _damaged(f"after {last}" if last else "", error) from error


def _magic(archive: Path) -> bytes:
    """Return the first bytes. `zipfile.is_zipfile` would mistake a tar for a zip if it ends with one."""
    with archive.open("rb") as file:
        return file.read(4)


def _zip(archive: Path) -> Iterator[Member]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise Refused(info.orig_filename, "archive-kind", NOT_A_FILE)
            if info.is_dir():
                yield Member(info.orig_filename, is_folder=True, read=_nothing)
            else:
                with opened.open(info) as file:
                    yield Member(info.orig_filename, is_folder=False, read=_guarded(info.orig_filename, file.read))


def _tar(archive: Path, limits: Limits) -> Iterator[Member]:
    with archive.open("rb") as raw:
        source = CountedStream(_unpacked(raw, _magic(archive)), limits.stream(archive.stat().st_size))
        with tarfile.open(fileobj=cast(IO[bytes], source), mode="r:") as opened:
            while (info := opened.next()) is not None:
                if info.issparse() or info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE):
                    raise Refused(info.name, "archive-kind", NOT_A_FILE)
                file = None if info.isdir() else opened.extractfile(info)
                yield Member(
                    info.name, is_folder=file is None, read=_guarded(info.name, file.read) if file else _nothing
                )
                opened.members.clear()  # type: ignore[attr-defined]  # else headers of 2 million members stay in memory
        source.finish()


def _guarded(name: str, read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Wrap the reading of a member, so that errors about damaged data name it."""

    def guarded(size: int) -> bytes:
        try:
            return read(size)
        except DAMAGED as error:
            raise _damaged(name, error) from error

    return guarded


def _damaged(where: str, error: Exception) -> Refused:
    says = f"cannot be extracted: {str(error) or type(error).__name__}. Download the archive again."
    return Refused(where, "archive-damaged", says)


def _nothing(_: int) -> bytes:
    return b""


def _unpacked(raw: IO[bytes], magic: bytes) -> IO[bytes]:
    if magic.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.GzipFile(fileobj=raw))
    return cast(IO[bytes], bz2.BZ2File(raw)) if magic.startswith(b"BZh") else raw
