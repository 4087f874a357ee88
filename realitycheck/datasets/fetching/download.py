"""Download a file with a known digest, and resume interrupted downloads."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from pathlib import Path
from typing import IO

from realitycheck.atomic import publish, sha256_of
from realitycheck.errors import InputError
from realitycheck.https import opened, require_https

CHUNK = 2**20

DownloadProgress = Callable[[int, int], None]
"""Called with the downloaded bytes and the size of the file."""


def download(address: str, target: Path, *, sha256: str, size: int, progress: DownloadProgress) -> None:
    """Download a file; an unfinished one is kept as `<name>.part`, and the next call resumes it.

    Args:
        address: https address.
        target: path of the file; if it exists with the expected digest, nothing is done.
        sha256: SHA-256 of the whole file, in hex.
        size: size of the whole file in bytes; a longer file is rejected.
        progress: called after every chunk.

    Raises:
        InputError: if the address is not https or does not answer, or the file is not the expected one.
    """
    require_https(address)
    if target.exists() and sha256_of(target) == sha256:
        return
    part = target.with_name(f"{target.name}.part")
    try:
        _fetch(address, part, size=size, progress=progress)
    except (OSError, http.client.HTTPException) as error:
        says = f"download failed: {error}. Run it again; it resumes where it stopped."
        raise InputError.one(address, "download-failed", says) from error
    if (actual := sha256_of(part)) != sha256:
        part.unlink()
        says = f"SHA-256 mismatch: expected {sha256}, got {actual}. Run it again; if this recurs, report an issue."
        raise InputError.one(address, "digest-mismatch", says)
    publish(part, target)


def _fetch(address: str, part: Path, *, size: int, progress: DownloadProgress) -> None:
    have = part.stat().st_size if part.exists() else 0
    if have >= size:
        return
    with opened(address, start=have) as answer:
        # A server without support for ranges answers 200 with the whole file.
        resumes = have and answer.status == http.HTTPStatus.PARTIAL_CONTENT
        with part.open("ab" if resumes else "wb") as file:
            _copy(answer, file, address, have=have if resumes else 0, size=size, progress=progress)


def _copy(
    answer: IO[bytes], file: IO[bytes], address: str, *, have: int, size: int, progress: DownloadProgress
) -> None:
    while chunk := answer.read(CHUNK):
        have += len(chunk)
        if have > size:
            Path(file.name).unlink()  # the next call must not resume it
            says = f"size mismatch: expected {size:,} bytes, got more. The address serves another file."
            raise InputError.one(address, "size-mismatch", says)
        file.write(chunk)
        progress(have, size)
    if have < size:
        raise OSError(f"{have:,} of {size:,} bytes")
