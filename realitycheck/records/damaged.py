"""Damaged records and notes of a study: set aside, so that `run` makes the records again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from realitycheck.atomic import move_aside
from realitycheck.errors import LedgerError, Problem
from realitycheck.records.ledger import read_body, read_note
from realitycheck.records.loose_files import note_files, record_files
from realitycheck.runs import Body


def set_damaged_aside(folder: Path) -> list[Problem]:
    """Rename the damaged files among a study's loose records and notes; one problem for each.

    A packed ledger is not touched: it is in version control, from where it can be restored.

    Args:
        folder: the study's folder.

    Raises:
        InputError: a record is of another results version.
    """
    problems = []
    for path in record_files(folder):
        if aside := _set_aside(path, read_body):
            says = f"the record is damaged. It is set aside as {aside.name}, and made again."
            problems.append(Problem(0, str(path), says, "record-damaged"))
    for path in note_files(folder, kinds=None):
        if aside := _set_aside(path, read_note):
            says = f"the note is damaged. It is set aside as {aside.name}. No result depends on it."
            problems.append(Problem(0, str(path), says, "note-damaged"))
    return problems


def _set_aside(path: Path, read: Callable[[Path], Body]) -> Path | None:
    """Rename a file if it is damaged, and return its new path."""
    try:
        read(path)
    except LedgerError:
        return move_aside(path)
    return None
