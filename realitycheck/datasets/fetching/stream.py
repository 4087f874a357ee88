"""A stream with a limit on the bytes that can be read."""

from __future__ import annotations

import io
import tarfile
from typing import IO

PIECE = 8 * 2**20
"""Largest single read: `tarfile` reads a header of names in one piece, whatever size it claims."""


class CountedStream(io.RawIOBase):
    """The decompressed bytes of a tar, up to a limit.

    Args:
        source: decompressed tar.
        budget: maximum number of bytes.
    """

    def __init__(self, source: IO[bytes], budget: int) -> None:
        self._source = source
        self._budget = budget
        self._last = b""

    def read(self, size: int = -1, /) -> bytes:
        """Read the next bytes.

        Raises:
            ValueError: if they exceed the limit, in total or in one piece.
        """
        if size > PIECE:
            raise ValueError(f"a header of {size:,} bytes exceeds the limit of {PIECE:,}")
        self._last = self._source.read(size)
        self._check()
        return self._last

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to another position; skipped bytes are decompressed, too, and count."""
        position = self._source.seek(min(offset, self._budget + 1), whence)
        self._check()
        return position

    def tell(self) -> int:
        """Return the number of bytes so far."""
        return self._source.tell()

    def finish(self) -> None:
        """Read to the end, so that gzip and bzip2 verify their checksums.

        Raises:
            EOFError: if the tar has no final empty block: `tarfile` mistakes a damaged header for the end.
        """
        if len(self._last) < tarfile.BLOCKSIZE or self._last.strip(b"\0"):
            raise EOFError("unexpected end of the archive")
        while self.read(2**20):
            pass

    def _check(self) -> None:
        if self._source.tell() > self._budget:
            raise ValueError(f"the extracted archive exceeds the limit of {self._budget:,} bytes")
