"""`clean`: what a study's cache holds, and its removal. Everything in it is made again when it is needed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from realitycheck.atomic import storage_errors
from realitycheck.errors import InputError
from realitycheck.records.leases import at_work
from realitycheck.verbs.folders import evidence_of

PARTS: Mapping[str, str] = {
    "stores": "decoded images, and features of a frozen trunk",
    "weights": "models that wait for their scores",
    "checkpoints": "runs that have not ended",
}
"""Folder of a cache → what it holds."""

FREE = ("stores",)
"""What costs no training to make again."""


def cache_sizes(study: Path | str) -> dict[str, int]:
    """The bytes of each part of a study's cache, in the order of `PARTS`.

    Example:
        >>> from realitycheck.verbs.cache_parts import cache_sizes
        >>> cache_sizes("studies/none.yaml")
        {'stores': 0, 'weights': 0, 'checkpoints': 0}
    """
    cache = evidence_of(Path(study)) / "cache"
    return {part: _bytes_below(cache / part) for part in PARTS}


def clean_study(study: Path | str, *, everything: bool) -> dict[str, int]:
    """Delete the stores of a study's cache, which take no training to make again; the bytes of what was deleted.

    Records, notes and reports are not in the cache.

    Args:
        study: the study's file, which need not exist where its evidence does.
        everything: whether weights and checkpoints go as well: runs that wait for a score are then trained again.

    Raises:
        InputError: there is neither such a file nor a folder of its evidence, or a run is at work on the study.
    """
    evidence, sizes = evidence_of(Path(study)), cache_sizes(study)
    if not (Path(study).exists() or evidence.is_dir()):
        says = f"missing study: there is no such file, and no folder {evidence}. Check the path."
        raise InputError.one(str(study), "study-missing", says)
    if titles := at_work(evidence):
        says = f"a run is at work on this study: {titles[0]}. Stop it first, or wait until it is done."
        raise InputError.one(str(study), "study-at-work", says)
    cache = evidence / "cache"
    parts = list(PARTS) if everything else list(FREE)
    for part in parts:
        with storage_errors(cache / part):
            if (cache / part).is_dir():
                shutil.rmtree(cache / part)
    return {part: sizes[part] for part in parts}


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
