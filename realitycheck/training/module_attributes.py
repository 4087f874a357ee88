"""What modules hold beside their `state_dict`: plain attributes, buffers that are not persistent, and what is trained.

Losses and trunks of plug-ins can keep state in any of these, and then resume with the same bits as well.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from realitycheck.training.restored_values import Decoder
from realitycheck.training.value_trees import Encoder, NotKept, Tree, seal

INTERNAL = frozenset(vars(nn.Module()))
"""Attributes that torch itself keeps in a module; `state_dict` and the constructor cover them."""


def attributes_tree(parts: Mapping[str, nn.Module]) -> Tree:
    """Return what the modules of all parts hold beside their `state_dict`.

    Raises:
        NotKept: if a checkpoint cannot hold it.
    """
    named = _named(parts)
    storages = [value.untyped_storage().data_ptr() for value in named.values() if isinstance(value, torch.Tensor)]
    encoder = Encoder(names={id(value): name for name, value in named.items()}, storages=storages)
    return [
        [
            name,
            [[key, encoder.tree(value, f"{name}.{key}")] for key, value in _attributes(module)],
            [[key, encoder.tree(module._buffers[key], f"{name}.{key}")] for key in _fleeting(module)],
            [parameter.requires_grad for parameter in module.parameters(recurse=False)],
        ]
        for name, module in _modules(parts)
    ]


def restore_attributes(parts: Mapping[str, nn.Module], tree: Tree, *, device: torch.device) -> None:
    """Give new modules what `attributes_tree` read of others that were built alike.

    Raises:
        NotKept: if they were built in another way, or hold a value that differs and that only the constructor can make.
    """
    modules = dict(_modules(parts))
    decoder = Decoder(named=_named(parts), device=device)
    if [name for name, *_ in tree] != list(modules):
        raise NotKept("the modules are not those of the checkpoint")
    for name, attributes, buffers, trained in tree:
        module = modules[name]
        for key, item in buffers:
            module._buffers[key] = decoder.value(item)
        made = {key: _made(decoder, item, vars(module).get(key), where=f"{name}.{key}") for key, item in attributes}
        for key in {key for key, _ in _attributes(module)} - set(made):
            del vars(module)[key]
        vars(module).update(made)
        for parameter, gradient in zip(module.parameters(recurse=False), trained, strict=True):
            parameter.requires_grad_(gradient)


def _made(decoder: Decoder, item: Tree, here: Any, *, where: str) -> Any:
    try:
        return decoder.value(item, here)
    except NotKept as error:
        raise NotKept(f"{where}: {error}") from error


def outside_seal(addresses: Collection[str]) -> str:
    """Return a digest of what plug-ins keep outside of their objects: globals of their files, attributes of classes.

    A checkpoint does not hold these. Values of unknown kinds count by their type alone.
    """
    names = sorted({address.partition(":")[0] for address in addresses})
    return seal([[name, *_outside(sys.modules[name])] for name in names if name in sys.modules])


def _outside(module: Any) -> Iterator[Tree]:
    for name, value in sorted(vars(module).items()):
        if not name.startswith("__"):
            yield [name, _sealed(value)]
            if isinstance(value, type) and value.__module__ == module.__name__:
                own = sorted((key, held) for key, held in vars(value).items() if not key.startswith("__"))
                yield [name, [[key, _sealed(held)] for key, held in own]]


def _sealed(value: Any) -> str:
    try:
        return seal(Encoder(names={}, storages=None, sealing=True).tree(value, ""))
    except (NotKept, RecursionError, ValueError):  # an empty closure has no contents
        return str(type(value))


def _modules(parts: Mapping[str, nn.Module]) -> Iterator[tuple[str, nn.Module]]:
    for part, root in parts.items():
        for name, module in root.named_modules():
            yield f"{part}.{name}" if name else part, module


def _named(parts: Mapping[str, nn.Module]) -> dict[str, Any]:
    """Modules, parameters and persistent buffers by name, to which attributes can refer."""
    modules = dict(_modules(parts))
    members: dict[str, Any] = dict(modules)
    for name, module in modules.items():
        kept = {key: value for key, value in module._buffers.items() if key not in _fleeting(module)}
        for key, value in {**module._parameters, **kept}.items():
            if value is not None:
                members[f"{name}.{key}"] = value
    return members


def _attributes(module: nn.Module) -> list[tuple[str, Any]]:
    return [(key, value) for key, value in vars(module).items() if key not in INTERNAL]


def _fleeting(module: nn.Module) -> list[str]:
    return sorted(module._non_persistent_buffers_set)
