"""Files of records that have not been read yet."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from realitycheck.records.schema import RECORDS


def unread(folder: Path, *, known: Collection[str]) -> list[Path]:
    """The files of a ledger's folder whose ids are not known; names alone are read, for there may be many."""
    paths = []
    for kind in RECORDS:
        with suppress(FileNotFoundError), os.scandir(folder / kind) as entries:
            names = [entry.name.removesuffix(".json") for entry in entries if entry.name.endswith(".json")]
            paths += [folder / kind / f"{name}.json" for name in sorted(names) if name not in known and name[0] != "."]
    return paths
