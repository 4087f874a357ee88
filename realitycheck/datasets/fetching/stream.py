"""A stream that nobody can make longer than was agreed."""

from __future__ import annotations

import io
import tarfile
from typing import IO

PIECE = 8 * 2**20
"""Longest single read: `tarfile` reads a header of names in one piece, whatever size it claims to have."""


class CountedStream(io.RawIOBase):
    """What comes out of a tar, compressed or not, up to a number of bytes.

    Args:
        source: the tar, unpacked as it is read.
        budget: bytes that may come out.
    """

    def __init__(self, source: IO[bytes], budget: int) -> None:
        self._source = source
        self._budget = budget
        self._last = b""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes.

        Raises:
            ValueError: they are more than was agreed, in all or in one piece.
        """
        if size > PIECE:
            raise ValueError(f"a header of {size:,} bytes is more than {PIECE:,}")
        self._last = self._source.read(size)
        self._check()
        return self._last

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go on from another place; what is skipped has been unpacked, too."""
        place = self._source.seek(min(offset, self._budget + 1), whence)
        self._check()
        return place

    def tell(self) -> int:
        """Bytes that came out so far."""
        return self._source.tell()

    def finish(self) -> None:
        """Read to the end, where the checksum of gzip and bzip2 lies.

        Raises:
            EOFError: the tar ends without its empty block: `tarfile` takes a damaged header for the end.
        """
        if len(self._last) < tarfile.BLOCKSIZE or self._last.strip(b"\0"):
            raise EOFError("it ends in the middle")
        while self.read(2**20):
            pass

    def _check(self) -> None:
        if self._source.tell() > self._budget:
            raise ValueError(f"it unpacks to more than {self._budget:,} bytes")
