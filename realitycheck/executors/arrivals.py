"""A file that arrives in chunks."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from pathlib import Path

from realitycheck.atomic import draft_of, publish, storage_errors
from realitycheck.errors import RunError


class Arrival:
    """A file that is written chunk by chunk, and published whole or not at all.

    Args:
        path: its place; a file there is replaced.

    Raises:
        StorageError: it cannot be written; so do the methods.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sha = hashlib.sha256()
        self._stack = ExitStack()
        self._draft = self._stack.enter_context(draft_of(path))
        self._file = self._stack.enter_context(self._draft.open("wb"))

    def write(self, chunk: bytes) -> None:
        """Add a chunk."""
        self._sha.update(chunk)
        with storage_errors(self._path):
            self._file.write(chunk)

    def finish(self, sha256: str) -> None:
        """Publish the file.

        Raises:
            RunError: it does not have this digest; it is not published.
        """
        with self._stack:
            self._file.close()
            if self._sha.hexdigest() != sha256:
                raise RunError(f"{self._path.name}: the file arrived damaged, without the SHA-256 {sha256[:16]}.")
            publish(self._draft, self._path)

    def abandon(self) -> None:
        """Remove what has arrived, unless it is published."""
        self._stack.close()
