"""Finished stores of other studies of a home as hard links: one copy on the disk, however many studies use it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from realitycheck.atomic import link_same


def borrow(folder: Path, others: Iterable[Path]) -> list[Path]:
    """Link the finished stores that other folders of this name have and this one lacks; what was linked.

    The name is a digest of all that pixels depend on, as the names of features are, and a finished store is never
    written to. So a link is as good as a copy, and outlives the other study. A file that is in this folder under
    another name was set aside as damaged, and is not linked again. Without hard links nothing is borrowed.

    Args:
        folder: of the stores of a dataset in one size.
        others: folders of stores of the same content.
    """
    linked = []
    for other in others:
        for facts in sorted(other.glob("*.json")) if other != folder else ():
            path = folder / facts.stem
            if not path.with_suffix(".json").exists() and _link(other / facts.stem, path):
                linked.append(path)
    return linked


def _link(store: Path, path: Path) -> bool:
    """Link both files of a store, the JSON file last: a store without it is unfinished."""
    files = [store.with_suffix(".npy"), store.with_suffix(".json")]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = [
            file for file in path.parent.iterdir() if file.stem != path.name or file.suffix not in (".npy", ".json")
        ]
        if any(file.samefile(known) for file in files for known in aside):
            return False
        return all(link_same(path.with_suffix(file.suffix), file) for file in files)
    except OSError:  # another file system, one without links, or files that are being deleted
        return False
