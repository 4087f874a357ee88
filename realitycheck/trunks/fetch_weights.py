"""One file over HTTPS: whole and accepted, or not there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from realitycheck.https import opened, require_https, wrong

LARGEST = 2 * 10**9
"""Bytes: a wrong address must not fill the disk."""

CHUNK = 1 << 20


def download(url: str, path: Path, *, accept: Callable[[Path], object]) -> None:
    """Fetch a file beside its place, and move it there once it is accepted; several processes may do so at once.

    Args:
        url: `https://`, or `http://` of this machine.
        path: where the file goes; its folder is made.
        accept: raises if the file is not the wanted one.

    Raises:
        InputError: the address is not secure or cannot be reached, or the file is too large.
    """
    require_https(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".part", delete=False) as file:
        part = Path(file.name)
    try:
        _fetch(url, part, place=path)
        accept(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _fetch(url: str, part: Path, *, place: Path) -> None:
    try:
        with opened(url, start=0) as response, part.open("wb") as file:
            for chunk in iter(lambda: response.read(CHUNK), b""):
                file.write(chunk)
                if file.tell() > LARGEST:
                    raise wrong(url, f"must be at most {LARGEST} bytes; got more. Give the path of a file instead.")
            _whole(url, response)
    except (OSError, HTTPException) as error:
        says = f"must be an address that answers; got {type(error).__name__}: {error}."
        raise wrong(
            url, f"{says} Try again, or download the file by other means and put it at {place.absolute()}."
        ) from error


def _whole(url: str, response: HTTPResponse) -> None:
    """`read` with a size does not complain of a broken connection; what is left of the announced length does."""
    if response.length:
        raise wrong(url, f"must arrive whole; got {response.length} bytes too few. Try again.")
