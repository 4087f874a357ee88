"""Where a study's cache keeps things; readable without torch. All of it may be deleted: it is made again."""

from __future__ import annotations

import os
from pathlib import Path


def weights_path(cache: Path, run_id: str) -> Path:
    """Where a run's weights lie."""
    return cache / "weights" / f"{run_id}.safetensors"


def stored_weights(cache: Path) -> set[str]:
    """Ids of the runs whose weights are here."""
    return {path.stem for path in (cache / "weights").glob("*.safetensors")}


def publish(draft: Path, path: Path) -> None:
    """Put a written file in its place, whole even after a power cut."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(path)


def forget_weights(cache: Path, run_id: str) -> None:
    """Delete the weights of a run that is scored."""
    weights_path(cache, run_id).unlink(missing_ok=True)
