"""The files of a study's records and notes that are not packed."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from realitycheck.atomic import files_in, storage_errors


def record_files(folder: Path) -> list[Path]:
    """The files of the loose records of a study, by kind and id."""
    with storage_errors(folder / "ledger"):
        kinds = [kind for kind in files_in(folder / "ledger") if kind.is_dir()]
    return [path for kind in kinds for path in files_in(kind) if path.suffix == ".json"]


def note_files(folder: Path, *, kinds: Collection[str] | None) -> list[Path]:
    """The files of the loose notes of a study: those of some kinds, or with None of all."""
    paths = files_in(folder / "attempts")
    return [path for path in paths if path.suffix == ".json" and (kinds is None or path.stem[:-17] in kinds)]
