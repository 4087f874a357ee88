"""Paths and files of a study's cache, without torch. The cache can be deleted at any time; it is made again."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from realitycheck.atomic import draft_of, publish, storage_errors
from realitycheck.errors import RunError


def weights_path(cache: Path, run_id: str) -> Path:
    """Return the path of a run's weights."""
    return cache / "weights" / f"{run_id}.safetensors"


def stored_weights(cache: Path) -> set[str]:
    """Return the ids of the runs with weights in the cache."""
    return {path.stem for path in (cache / "weights").glob("*.safetensors")}


def set_aside(path: Path) -> Path:
    """Rename a damaged file of the cache, so that it is made again; return its new name."""
    aside = path.with_name(f"{path.name}.damaged")
    with storage_errors(path), suppress(FileNotFoundError):  # another process did it
        path.replace(aside)
    return aside


def publish_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file, whole or not at all."""
    with draft_of(path) as draft:
        draft.write_text(json.dumps(content), encoding="utf-8")
        publish(draft, path)


def read_meta(path: Path) -> dict[str, Any]:
    """Read the JSON file of a finished store.

    Raises:
        RunError: if the store is missing, unfinished or damaged.
    """
    facts = path.with_suffix(".json")
    try:
        meta: dict[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{path}: no finished store found; `run` the study again to make it.") from error
    except ValueError as error:  # invalid JSON or UTF-8
        raise RunError(f"{facts}: the file is damaged. Remove {path.parent} and `run` the study again.") from error
    return meta


def forget_weights(cache: Path, run_id: str) -> None:
    """Delete the weights of a run that has been scored."""
    weights_path(cache, run_id).unlink(missing_ok=True)
