"""Where a study's cache keeps things; readable without torch. All of it may be deleted: it is made again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from realitycheck.errors import RunError


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


def publish_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    draft.write_text(json.dumps(content), encoding="utf-8")
    publish(draft, path)


def read_meta(path: Path) -> dict[str, Any]:
    """What stands beside a finished store's numbers.

    Raises:
        RunError: the store is not there, or unfinished.
    """
    try:
        meta: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{path}: no finished pixel store is here. `run` the study again: it is made first.") from error
    return meta


def forget_weights(cache: Path, run_id: str) -> None:
    """Delete the weights of a run that is scored."""
    weights_path(cache, run_id).unlink(missing_ok=True)
