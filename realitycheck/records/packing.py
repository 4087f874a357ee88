"""Lines in one gzip file, as a packed ledger has them."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from realitycheck.atomic import draft_of, publish, storage_errors
from realitycheck.errors import LedgerError


def pack(path: Path, lines: list[str]) -> None:
    """Write lines as one gzip file, whose bytes depend on the lines alone."""
    content = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=content, mode="wb", mtime=0, compresslevel=9) as packed:
        packed.write("".join(f"{line}\n" for line in lines).encode())
    with storage_errors(path), draft_of(path) as draft:
        draft.write_bytes(content.getvalue())
        publish(draft, path)


def unpacked(path: Path) -> Iterator[bytes]:
    """The lines of a packed file, none where it does not exist.

    Raises:
        LedgerError: the file is damaged, or has no line: none is written so.
    """
    with storage_errors(path):
        if not path.exists():
            return
    line = b""
    try:
        with storage_errors(path), gzip.open(path, "rb") as lines:
            for line in lines:
                yield line
        if not line:
            raise EOFError("the file is empty")
    except (gzip.BadGzipFile, FileNotFoundError, EOFError, zlib.error) as error:
        raise LedgerError(f"{path} cannot be read: {error}. Restore it from a good copy.") from error
