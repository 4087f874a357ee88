"""The file of a checkpoint: a tree, its tensors, and digests of both, written whole."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from realitycheck.atomic import draft_of, publish
from realitycheck.canonical import canonical_json
from realitycheck.runs import Body
from realitycheck.training.value_trees import Tree, tensor_digest


def write_checkpoint(path: Path, head: Body, tree: Tree) -> None:
    """Write a tree to a file in place of an earlier one, whole or not at all; equal tensors are written once.

    Args:
        path: the file.
        head: what the tree belongs to, as plain JSON.
        tree: lists, scalars and tensors.
    """
    tensors: dict[str, Tensor] = {}

    def reference(tensor: Tensor) -> dict[str, str]:
        key = tensor_digest(tensor)
        if key not in tensors:
            value = tensor.cpu().contiguous()
            whole = value.untyped_storage().nbytes() == value.numel() * value.element_size()
            tensors[key] = value if whole else value.clone()  # safetensors refuses views of one memory
        return {"tensor": key}

    texts = {"head": canonical_json(head), "tree": json.dumps(tree, default=reference)}
    with draft_of(path) as draft:
        save_file(tensors, draft, metadata=texts | {"sha256": _digest(texts)})
        publish(draft, path)


def read_checkpoint(path: Path) -> tuple[Body, Tree]:
    """Read the head and the tree of a file.

    Raises:
        OSError: if it cannot be read.
        SafetensorError, KeyError, TypeError, ValueError: if it is damaged.
    """
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        texts = {name: metadata[name] for name in ("head", "tree")}
        if metadata["sha256"] != _digest(texts):
            raise ValueError("its text does not have its SHA-256")
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    if damaged := [key for key, value in tensors.items() if tensor_digest(value) != key]:
        raise ValueError(f"{len(damaged)} of its {len(tensors)} tensors do not have their SHA-256")

    tree = json.loads(texts["tree"], object_hook=lambda reference: tensors[reference["tensor"]])
    return json.loads(texts["head"]), tree


def _digest(texts: dict[str, str]) -> str:
    return hashlib.sha256("\n".join((texts["head"], texts["tree"])).encode()).hexdigest()
