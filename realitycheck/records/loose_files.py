"""The files of a study's records and notes that are not packed."""

from __future__ import annotations

from pathlib import Path

from realitycheck.atomic import files_in, storage_errors


def record_files(folder: Path) -> list[Path]:
    """The files of the loose records of a study, by kind and id."""
    with storage_errors(folder / "ledger"):
        kinds = [kind for kind in files_in(folder / "ledger") if kind.is_dir()]
    return [path for kind in kinds for path in files_in(kind) if path.suffix == ".json"]


def note_files(folder: Path) -> list[Path]:
    """The files of the loose notes of a study."""
    return [path for path in files_in(folder / "attempts") if path.suffix == ".json"]
