"""Compare a dataset's list of images with the files below its root."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

from realitycheck.datasets.reading.decode import SUFFIXES
from realitycheck.datasets.reading.listing import ImageList, is_inside
from realitycheck.errors import InputError, Problem, first_few

EntryKind = Literal["file", "outside", "irregular"]

KIND_PROBLEMS: dict[EntryKind, tuple[str, str]] = {
    "outside": ("file-outside", "not allowed here: a link leads outside the root. Replace it with a file."),
    "irregular": ("file-irregular", "not a regular file, but a pipe, a device or a broken link. Remove it."),
}
"""Kind of a directory entry → code and message of its problem."""


def needed_folder(root: str, *, layout: str) -> Path:
    """Return the root as a path.

    Args:
        root: root as the study names it.
        layout: expected contents, for the error.

    Raises:
        InputError: if it is not a folder.
    """
    if not Path(root).is_dir():
        raise InputError.one(root, "root-missing", f"missing folder; it must have {layout}.")
    return Path(root)


def disk_problems(root: Path, listing: ImageList) -> Iterator[Problem]:
    """Yield one problem for each kind of fault: files that are missing, unlisted, outside the root or irregular.

    Only folders are scanned, not single files: 120,053 images are checked in a second of processor time.
    """
    listed = {path for path in listing.paths if is_inside(path)}
    on_disk = dict(_entries(root, _folders(root, listed, listing.complete)))
    if missing := sorted(listed - on_disk.keys()):
        yield Problem(0, first_few(missing), "missing or unreadable; extract the archive again.", "file-missing")
    kinds = {path: on_disk[path] for path in sorted(listed & on_disk.keys())}
    for kind, (code, says) in KIND_PROBLEMS.items():
        if bad := [path for path, actual in kinds.items() if actual == kind]:
            yield Problem(0, first_few(bad), says, code)
    if extra := sorted(path for path in on_disk.keys() - listed if _must_be_listed(path, listing.complete)):
        yield Problem(0, first_few(extra), "not in the dataset's lists. Remove it.", "file-unlisted")


def _folders(root: Path, listed: Iterable[str], complete: Iterable[str]) -> set[str]:
    """Return the folders of listed images, and all folders in which every image must be listed."""
    folders = {path.rpartition("/")[0] or "." for path in listed}
    for top in complete:
        for folder, inner, _ in os.walk(root / top):
            inner[:] = [name for name in inner if not name.startswith(".")]
            folders.add(Path(folder).relative_to(root).as_posix())
    return folders


def _entries(root: Path, folders: Iterable[str]) -> Iterator[tuple[str, EntryKind]]:
    inside = os.path.realpath(root)
    for folder in sorted(folders):
        try:
            entries = list(os.scandir(root / folder))
        except OSError:  # its files are reported as missing
            continue
        outside = not _is_below(os.path.realpath(root / folder), inside)
        for entry in entries:
            if kind := _kind(entry, inside, outside=outside):
                yield entry.name if folder == "." else f"{folder}/{entry.name}", kind


def _kind(entry: os.DirEntry[str], inside: str, *, outside: bool) -> EntryKind | None:
    """Return the kind of a directory entry after resolving links; None for folders."""
    if outside or (entry.is_symlink() and not _is_below(os.path.realpath(entry.path), inside)):
        return "outside"
    try:
        return None if entry.is_dir() else "file" if entry.is_file() else "irregular"
    except OSError:  # a link to itself
        return "irregular"


def _is_below(path: str, inside: str) -> bool:
    return path == inside or path.startswith(inside.rstrip(os.sep) + os.sep)


def _must_be_listed(path: str, complete: Iterable[str]) -> bool:
    name = path.rpartition("/")[2]
    if name.startswith(".") or not name.lower().endswith(SUFFIXES):
        return False
    return any(top == "." or PurePosixPath(path).is_relative_to(top) for top in complete)
