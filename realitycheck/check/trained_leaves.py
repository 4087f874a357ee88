"""The leaves of a loss's autograd graph: everything that its gradient changes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

DEPTH = 4
"""How many objects deep a tensor's name is looked for."""


def trained_leaves(value: Tensor) -> list[Tensor]:
    """Return the leaf tensors that the gradient of a value reaches, whatever holds them."""
    leaves, waiting, seen = [], [value.grad_fn], set()
    while waiting:
        node: Any = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):  # an AccumulateGrad node, which holds the leaf itself
            leaves.append(node.variable)
        waiting += [below for below, _ in node.next_functions]
    return leaves if value.grad_fn is not None else [value]


def name_of(tensor: Tensor, loss: nn.Module) -> str:
    """Return how the code reaches a tensor, such as `self.centres[0]`; its shape where that is not found."""
    start = [("self", loss), *((name, module) for name, module in _globals(loss))]
    waiting, seen = [(name, value, 0) for name, value in start], set()
    while waiting:
        name, value, depth = waiting.pop(0)
        if value is tensor:
            return name
        if depth < DEPTH and id(value) not in seen:
            seen.add(id(value))
            waiting += [(name + path, held, depth + 1) for path, held in _held(value)]
    return f"a tensor of shape {tuple(tensor.shape)}"


def _globals(loss: nn.Module) -> Iterator[tuple[str, object]]:
    """The tensors and containers of the module that defines the class."""
    module = sys.modules.get(type(loss).__module__)
    for name, value in vars(module).items() if module else ():
        if isinstance(value, Tensor | list | tuple | dict):
            yield name, value


def _held(value: object) -> Iterator[tuple[str, object]]:
    """What an object holds, with the path to it."""
    if isinstance(value, Tensor | str | bytes | type):
        return
    if isinstance(value, Mapping):
        yield from ((f"[{key!r}]", held) for key, held in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"[{place}]", held) for place, held in enumerate(value))
    elif closure := getattr(value, "__closure__", None):
        names = value.__code__.co_freevars  # type: ignore[attr-defined]
        yield from ((f".{name}", cell.cell_contents) for name, cell in zip(names, closure, strict=True))
    elif hasattr(value, "__dict__"):
        yield from ((f".{name}", held) for name, held in vars(value).items())
        if isinstance(value, nn.Module):
            members = (*value._buffers.items(), *value._modules.items())
            yield from ((f".{name}", held) for name, held in members if held is not None)
