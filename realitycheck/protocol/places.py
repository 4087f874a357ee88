"""Where the three files of a study are: in its home, or in the package where the home does not have them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from realitycheck.shipped import shipped_file


def home_of(study: Path) -> Path:
    """The folder that holds `protocols/`, `studies/` and `reports/` of a study's file."""
    folder = study.absolute().parent
    return folder.parent if folder.name == "studies" else folder


def name_in(home: Path, path: Path) -> str:
    """The path of a file below its home; its bare name where it is elsewhere."""
    whole = Path(os.path.normpath(path.absolute()))
    return whole.relative_to(home).as_posix() if whole.is_relative_to(home) else whole.name


def shown(path: Path) -> str:
    """A path as messages show it: relative to the current folder if it is inside of it."""
    here = Path.cwd()
    whole = here / path
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(whole)


def study_place(study: Path) -> str | None:
    """The place of a study in its home; None where the home does not exist, or the file is not among its studies."""
    folder = study.absolute().parent
    return f"studies/{study.name}" if folder.name == "studies" and is_folder(folder.parent) else None


def source_of(file: Path, place: str | None) -> Path:
    """The file to read: this one, or where the home does not have it the shipped one of the place."""
    if place is None or is_file(file):
        return file
    return shipped_file(place) or file


def is_file(path: Path) -> bool:
    """Whether there is such a file, or may be one in a folder that is closed to us; an impossible name is none.

    The shipped file must not silently take the place of a closed one: to open it says why it cannot be read.
    """
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether there is such a folder; a name that no folder can have is none."""
    try:
        return path.is_dir()
    except OSError:
        return False
