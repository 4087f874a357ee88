"""Paths and files of a study's cache, without torch. The cache can be deleted at any time; it is made again."""

from __future__ import annotations

import hashlib
import json
import shutil
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


def checkpoint_path(cache: Path, run_id: str) -> Path:
    """Return the path of the checkpoint of a run that has not ended."""
    return cache / "checkpoints" / f"{run_id}.safetensors"


def aside_path(checkpoint: Path) -> Path:
    """Return where the checkpoint of another kind of machine is set aside: one for a run, however often it moves."""
    return checkpoint.with_name(f"{checkpoint.name}.set-aside")


def stored_checkpoints(cache: Path) -> set[str]:
    """Return the ids of the runs with a checkpoint in the cache."""
    return {path.stem for path in (cache / "checkpoints").glob("*.safetensors")}


HEAD, MIDDLE = b'{"sha256": "', b'", "body": '
"""How the JSON file of a store begins, and what is between the digest and the body."""


def publish_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file with the SHA-256 of its content, whole or not at all."""
    body = json.dumps(content).encode()
    with draft_of(path) as draft:
        draft.write_bytes(_sealed(body))
        publish(draft, path)


def read_meta(path: Path) -> dict[str, Any]:
    """Read the JSON file of a finished store.

    Raises:
        RunError: if the store is missing, unfinished or damaged.
        StorageError: it cannot be read.
    """
    facts = path.with_suffix(".json")
    try:
        with storage_errors(facts):
            text = facts.read_bytes()
    except FileNotFoundError as error:
        raise RunError(f"{path}: no finished store found; `run` the study again to make it.") from error
    body = text[len(HEAD) + 64 + len(MIDDLE) : -1]
    if text != _sealed(body):
        raise RunError(f"{facts}: the file is damaged. `run` the study again: it is set aside and made again.")
    meta: dict[str, Any] = json.loads(body)
    return meta


def _sealed(body: bytes) -> bytes:
    return HEAD + hashlib.sha256(body).hexdigest().encode() + MIDDLE + body + b"}"


def forget_weights(cache: Path, run_id: str) -> None:
    """Delete the weights of a run that has been scored."""
    weights_path(cache, run_id).unlink(missing_ok=True)


def forget_checkpoint(cache: Path, run_id: str) -> None:
    """Delete the checkpoint of a run that has ended, and one that was set aside."""
    path = checkpoint_path(cache, run_id)
    path.unlink(missing_ok=True)
    aside_path(path).unlink(missing_ok=True)


def forget_checkpoints(cache: Path) -> None:
    """Delete every checkpoint of a study that is complete, also damaged ones and the drafts of killed processes."""
    shutil.rmtree(cache / "checkpoints", ignore_errors=True)
