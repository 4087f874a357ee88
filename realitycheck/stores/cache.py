"""Paths and files of a study's cache, without torch. The cache can be deleted at any time; it is made again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from realitycheck.errors import RunError


def weights_path(cache: Path, run_id: str) -> Path:
    """Return the path of a run's weights."""
    return cache / "weights" / f"{run_id}.safetensors"


def stored_weights(cache: Path) -> set[str]:
    """Return the ids of the runs with weights in the cache."""
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
    """Read the JSON file of a finished store.

    Raises:
        RunError: if the store is missing or unfinished.
    """
    try:
        meta: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{path}: no finished store found; `run` the study again to make it.") from error
    return meta


def forget_weights(cache: Path, run_id: str) -> None:
    """Delete the weights of a run that has been scored."""
    weights_path(cache, run_id).unlink(missing_ok=True)
