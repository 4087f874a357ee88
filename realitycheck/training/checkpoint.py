"""Training state in memory, and weights on disk until they are scored."""

from __future__ import annotations

import copy
import hashlib
import json
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from realitycheck.atomic import draft_of, move_aside, publish, storage_error
from realitycheck.canonical import canonical_json
from realitycheck.errors import RunError
from realitycheck.runs import RunSpec
from realitycheck.stores.cache import weights_path


class Stateful(typing.Protocol):
    """An object with a state, such as a module or an optimiser."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state by name."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Load a state."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of the whole training state at one evaluation, by part."""

    states: Mapping[str, dict[str, Any]]

    @classmethod
    def take(cls, parts: Mapping[str, Stateful]) -> Snapshot:
        """Copy the state; later training steps do not change the copy."""
        return cls({name: copy.deepcopy(dict(part.state_dict())) for name, part in parts.items()})

    def restore(self, parts: Mapping[str, Stateful]) -> None:
        """Load the state into the same parts, or into new ones of the same shapes."""
        for name, part in parts.items():
            part.load_state_dict(copy.deepcopy(self.states[name]))


def weights_digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of tensors: name, type, shape and bytes of each, in the order of the names."""
    hasher = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        hasher.update(canonical_json([name, str(value.dtype), list(value.shape)]).encode())
        hasher.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return hasher.hexdigest()


def save_weights(cache: Path, spec: RunSpec, model: nn.Module) -> None:
    """Write a model's weights and its spec to the cache atomically.

    Raises:
        StorageError: they cannot be written.
    """
    path = weights_path(cache, spec.id)
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    with draft_of(path) as draft:
        save_file(tensors, draft, metadata={"spec": canonical_json(spec.to_json())})
        publish(draft, path)


def load_weights(cache: Path, run_id: str, *, digest: str) -> tuple[RunSpec, dict[str, Tensor]]:
    """Load the spec and the weights of a run, whose record holds this digest of them.

    Raises:
        RunError: if the file is gone, or if it is damaged, of another run, or holds other weights than those of the
            record; then it is set aside, so that the run is trained again.
        StorageError: the file cannot be read.
    """
    path = weights_path(cache, run_id)
    try:
        with safe_open(path, framework="pt") as file:
            spec = RunSpec.from_json(json.loads(file.metadata()["spec"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        if spec.id != run_id:
            raise ValueError(f"it holds the weights of run {spec.id[:12]}")
        if weights_digest(tensors) != digest:
            raise ValueError("their SHA-256 is not the one in the run's record")
    except OSError as error:
        if failure := storage_error(error, path):
            raise failure from error
        raise RunError(f"{path}: the weights of run {run_id[:12]} cannot be read: {error}") from error
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        aside = move_aside(path)
        kept = f"They are kept as {aside.name}, and made again." if aside else "They are made again."
        says = f"the weights of run {run_id[:12]} cannot be used: {error}. {kept}"
        raise RunError(f"{path}: {says}") from error
    return spec, tensors
