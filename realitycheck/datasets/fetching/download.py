"""Download one file whose digest is known, and go on where it stopped."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Callable
from pathlib import Path
from typing import IO

from realitycheck.https import opened, require_https, wrong

CHUNK = 2**20

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes of the file."""


def download(address: str, target: Path, *, sha256: str, size: int, progress: Progress) -> None:
    """Fetch a file; an unfinished one lies beside it as `<name>.part`, and a second call goes on from there.

    Args:
        address: https, without a detour over http.
        target: the file; nothing is done if it is there with the right digest.
        sha256: of the whole file, in hex.
        size: of the whole file in bytes; no more are taken.
        progress: called after every piece.

    Raises:
        InputError: the address is no https or does not answer, or the file is another one.
    """
    require_https(address)
    if target.exists() and digest(target) == sha256:
        return
    part = target.with_name(f"{target.name}.part")
    try:
        _fetch(address, part, size=size, progress=progress)
    except (OSError, http.client.HTTPException) as error:
        raise wrong(address, f"must answer; got {error}. Try again: it goes on where it stopped.") from error
    if (found := digest(part)) != sha256:
        part.unlink()
        raise wrong(address, f"must have the SHA-256 {sha256}; got {found}. Try again, or tell us if it stays so.")
    part.rename(target)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(address: str, part: Path, *, size: int, progress: Progress) -> None:
    have = part.stat().st_size if part.exists() else 0
    if have >= size:
        return
    with opened(address, start=have) as answer:
        # A server that knows no ranges answers 200 with the whole file.
        goes_on = have and answer.status == http.HTTPStatus.PARTIAL_CONTENT
        with part.open("ab" if goes_on else "wb") as file:
            _copy(answer, file, address, have=have if goes_on else 0, size=size, progress=progress)


def _copy(answer: IO[bytes], file: IO[bytes], address: str, *, have: int, size: int, progress: Progress) -> None:
    while chunk := answer.read(CHUNK):
        have += len(chunk)
        if have > size:
            Path(file.name).unlink()  # the next call must not go on from it
            raise wrong(address, f"must be a file of {size:,} bytes; it goes on. It is another file.")
        file.write(chunk)
        progress(have, size)
    if have < size:
        raise OSError(f"{have:,} of {size:,} bytes")
