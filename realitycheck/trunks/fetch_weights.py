"""Download a file of weights atomically."""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from realitycheck.atomic import draft_of, publish
from realitycheck.errors import InputError
from realitycheck.https import opened, require_https

LARGEST = 2 * 10**9
"""Limit in bytes, so that a wrong address cannot fill the disk."""

CHUNK = 1 << 20


def download(url: str, path: Path, *, accept: Callable[[Path], object]) -> None:
    """Download a file and publish it once it is accepted; safe for several processes at the same time.

    Args:
        url: `https://` address, or `http://` of this machine.
        path: path of the file; its folder is created.
        accept: called with the downloaded file; raises an exception if it is not the expected one.

    Raises:
        InputError: if the address is not secure or does not answer, or the file is too large.
    """
    require_https(url)
    with draft_of(path) as draft:
        _fetch(url, draft, target=path)
        accept(draft)
        publish(draft, path)


def _fetch(url: str, draft: Path, *, target: Path) -> None:
    try:
        with opened(url, start=0) as response, draft.open("wb") as file:
            for chunk in iter(lambda: response.read(CHUNK), b""):
                file.write(chunk)
                if file.tell() > LARGEST:
                    says = f"out of range: the file exceeds {LARGEST} bytes. Give the path of a file instead."
                    raise InputError.one(url, "download-too-large", says)
            _require_complete(url, response)
    except (OSError, HTTPException) as error:
        says = (
            f"download failed ({type(error).__name__}: {error}). Try again, or download the file by other means and "
            f"put it at {target.absolute()}."
        )
        raise InputError.one(url, "download-failed", says) from error


def _require_complete(url: str, response: HTTPResponse) -> None:
    """Raise an error if bytes of the announced length are missing: `read` with a size does not."""
    if response.length:
        says = f"download failed ({response.length} bytes are missing). Try again."
        raise InputError.one(url, "download-failed", says)
