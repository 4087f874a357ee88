"""What a run keeps: the best state in memory while it trains, and its weights on disk until they are scored."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from realitycheck.canonical import canonical_json
from realitycheck.errors import RunError
from realitycheck.runs import RunSpec
from realitycheck.stores.cache import publish, weights_path


class Stateful(Protocol):
    """What has a state: a module, or an optimiser."""

    def state_dict(self) -> dict[str, Any]:
        """The state, by name."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Take a state over."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole training state at one evaluation, by part."""

    states: Mapping[str, dict[str, Any]]

    @classmethod
    def take(cls, parts: Mapping[str, Stateful]) -> Snapshot:
        """Copy the state; later steps do not touch it."""
        return cls({name: copy.deepcopy(dict(part.state_dict())) for name, part in parts.items()})

    def restore(self, parts: Mapping[str, Stateful]) -> None:
        """Put the state back, into the same parts or into new ones of the same shapes."""
        for name, part in parts.items():
            part.load_state_dict(copy.deepcopy(self.states[name]))


def save_weights(cache: Path, spec: RunSpec, model: nn.Module) -> None:
    """Write a model's weights with the spec that made them, whole or not at all."""
    path = weights_path(cache, spec.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.part")
    tensors = {name: each.detach().cpu().contiguous() for name, each in model.state_dict().items()}
    save_file(tensors, draft, metadata={"spec": canonical_json(spec.to_json())})
    publish(draft, path)


def load_weights(cache: Path, run_id: str) -> tuple[RunSpec, dict[str, Tensor]]:
    """The spec and the weights of a run.

    Raises:
        RunError: they are not there, damaged, or another run's. Bad ones are deleted, so that the run makes them again.
    """
    path = weights_path(cache, run_id)
    try:
        with safe_open(path, framework="pt") as file:
            spec = RunSpec.from_json(json.loads(file.metadata()["spec"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        if spec.id != run_id:
            raise ValueError(f"it holds the weights of run {spec.id[:12]}")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        path.unlink(missing_ok=True)
        raise RunError(f"{path}: the weights of run {run_id[:12]} cannot be read: {error}") from error
    return spec, tensors
