"""Scan a folder with one sub-folder of images per class, and name what in it is not read."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from realitycheck.datasets.reading.decode import SUFFIXES
from realitycheck.datasets.reading.listing import ImageList, repeated
from realitycheck.errors import InputError, Problem, first_few

CLUTTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini"})
"""Files that systems put beside images. They are ignored in silence, as hidden files are."""


@dataclass(frozen=True, slots=True)
class ClassFolders:
    """What a folder of class folders holds.

    Args:
        classes: names of the class folders, sorted.
        listing: the images of the classes without a problem.
        problems: what keeps classes from being read.
        warnings: files that are not read.
    """

    classes: tuple[str, ...]
    listing: ImageList
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Contents:
    """Names of a folder's images, of its other files and of its sub-folders, sorted."""

    images: tuple[str, ...]
    others: tuple[str, ...]
    folders: tuple[str, ...]


def class_folders(root: Path, *, skip: frozenset[str], exclude: Sequence[str]) -> ClassFolders:
    """Scan a folder with one sub-folder per class; classes and files are sorted by name.

    Args:
        root: path of the folder.
        skip: names of sub-folders that are not classes.
        exclude: patterns of what is left out, as in `Exclusion`.

    Raises:
        InputError: if the folder cannot be listed, or there is no class.
    """
    exclusion = Exclusion(exclude)
    try:
        top = exclusion.rest("", _contents(root))
    except OSError as error:
        raise InputError(str(root), [_unlisted("root", error)]) from error
    names = tuple(name for name in top.folders if name not in skip)
    if not names:
        says = "missing class folders; put the images into one sub-folder per class."
        raise InputError.one(str(root), "root-layout", says, where="root")
    inside: dict[str, _Contents] = {}
    problems = []
    for name in names:
        try:
            inside[name] = exclusion.rest(f"{name}/", _contents(root / name))
        except OSError as error:
            problems.append(_unlisted(name, error))
    wrong = [*_problems(inside), *exclusion.unmatched()]
    sound = [name for name in inside if name not in {problem.where for problem in wrong}]
    paths = tuple(f"{name}/{image}" for name in sound for image in inside[name].images)
    labels = repeated([len(inside[name].images) for name in sound])
    listing = ImageList(paths, labels, tuple(sound), in_test=None, complete=())
    warnings = (*_beside(top), *_unread(inside), *exclusion.warnings())
    return ClassFolders(names, listing, (*problems, *wrong), warnings)


class Exclusion:
    """What patterns leave out of a folder: `*`, `?` and `[…]` as in a shell, on paths below the root.

    `thumbs` leaves out a class, `*/small` a folder within every class, `*/*_mask.png` images of all classes. `*` also
    matches a slash; capital and small letters differ.

    Args:
        patterns: as the study has them.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._excluded: dict[str, list[str]] = {pattern: [] for pattern in patterns}

    def rest(self, above: str, contents: _Contents) -> _Contents:
        """The contents of a folder that no pattern matches; `above` is its path with a slash."""
        kept = ([name for name in names if not self._matches(above + name)] for names in _parts(contents))
        return _Contents(*map(tuple, kept))

    def unmatched(self) -> Iterator[Problem]:
        """Yield a problem for each pattern that matches nothing."""
        for pattern in [pattern for pattern, paths in self._excluded.items() if not paths]:
            says = "matches nothing below the root. Correct the pattern, or remove it."
            yield Problem(0, pattern, says, "exclude-unmatched")

    def warnings(self) -> Iterator[Problem]:
        """What each pattern leaves out, with its number."""
        for pattern, paths in self._excluded.items():
            says = f"excluded by `{pattern}`: {len(paths):,} files or folders ({first_few(paths)})."
            yield Problem(0, "", says, "images-excluded")

    def _matches(self, path: str) -> bool:
        matching = [pattern for pattern in self._excluded if fnmatchcase(path, pattern)]
        for pattern in matching:
            self._excluded[pattern].append(path)
        return bool(matching)


def _parts(contents: _Contents) -> tuple[tuple[str, ...], ...]:
    return contents.images, contents.others, contents.folders


def _contents(folder: Path) -> _Contents:
    images: list[str] = []
    others: list[str] = []
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() in CLUTTER:
                continue
            known = folders if _is_folder(entry) else images if entry.name.lower().endswith(SUFFIXES) else others
            known.append(entry.name)
    return _Contents(*(tuple(sorted(names)) for names in (images, others, folders)))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or into a folder without permission
        return False


def _unlisted(where: str, error: OSError) -> Problem:
    says = f"the folder cannot be listed: {error.strerror or error}. Make it readable, or remove it."
    return Problem(0, where, says, "folder-unreadable")


def _problems(inside: dict[str, _Contents]) -> Iterator[Problem]:
    """Yield a problem for each class whose images would be omitted silently."""
    for name, contents in inside.items():
        if contents.folders:
            folders = first_few(contents.folders)
            says = f"sub-folders are not allowed here: {folders}. Move their images up, or remove them."
            yield Problem(0, name, says, "class-nested")
        elif contents.others and not contents.images:
            says = f"no file of this class is read: {_by_suffix(contents.others)}. {_FIX}"
            yield Problem(0, name, says, "class-empty")


_FIX = f"Convert images to a format that is read ({', '.join(SUFFIXES[:6])}, …), or remove them."


def _beside(top: _Contents) -> Iterator[Problem]:
    if names := sorted((*top.images, *top.others)):
        says = f"{_counted(names)} beside the class folders, not read: {first_few(names)}. Move images into classes."
        yield Problem(0, "", says, "files-beside-classes")


def _unread(inside: dict[str, _Contents]) -> Iterator[Problem]:
    if names := [f"{name}/{other}" for name, contents in inside.items() for other in contents.others]:
        yield Problem(
            0, "", f"{_counted(names)} in class folders, not read: {_by_suffix(names)}. {_FIX}", "files-unread"
        )


def _counted(names: Sequence[str]) -> str:
    return f"{len(names):,} file{'' if len(names) == 1 else 's'}"


def _by_suffix(names: Sequence[str]) -> str:
    """Numbers and names of files by suffix, the most frequent first: `7 .heic (a/1.heic, …), 1 .txt (a/x.txt)`."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[PurePath(name).suffix.lower() or "without a suffix"].append(name)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return ", ".join(f"{len(group):,} {suffix} ({first_few(group)})" for suffix, group in ordered)
