"""Trees of `value_trees` back to values."""

from __future__ import annotations

import random
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realitycheck.training.value_trees import MAPPINGS, SEQUENCES, Encoder, NotKept, Tree, is_plain, qualified, seal


class Decoder:
    """Trees to values.

    Args:
        named: what the encoder kept as a name, by name.
        device: where tensors go that were not on the CPU.
    """

    def __init__(self, *, named: Mapping[str, Any], device: torch.device) -> None:
        self._named = named
        self._names = {id(value): name for name, value in named.items()}
        self._device = device
        self._made: dict[int, Any] = {}
        self._used: set[int] = set()

    def value(self, tree: Tree, current: Any = None) -> Any:
        """Return the value of a tree; objects and generators are those of `current`, changed in place.

        Raises:
            NotKept: if `current` has another structure, or a fixed value differs.
        """
        if not isinstance(tree, list):
            return tree
        if tree[0] == "name":
            return self._named[tree[1]]
        if tree[0] == "same":
            return self._made[tree[1]]
        kind, number, *rest = tree
        return getattr(self, f"_{kind}")(number, current, *rest)

    def _list(self, number: int, current: Any, _: None, items: Sequence[Tree]) -> Any:
        return self._filled(number, current, [], items)

    def _deque(self, number: int, current: Any, most: int | None, items: Sequence[Tree]) -> Any:
        return self._filled(number, current, deque(maxlen=most), items)

    def _tuple(self, number: int, current: Any, _: None, items: Sequence[Tree]) -> Any:
        self._made[number] = tuple(self._filled(-1, current, [], items))
        return self._made[number]

    def _filled(self, number: int, current: Any, made: Any, items: Sequence[Tree]) -> Any:
        self._made[number] = made
        there = list(current) if type(current) in SEQUENCES else []
        for at, item in enumerate(items):
            made.append(self.value(item, there[at] if at < len(there) else None))
        return made

    def _mapping(self, number: int, current: Any, made: Any, items: Sequence[Sequence[Tree]]) -> Any:
        self._made[number] = made
        there = current if type(current) in MAPPINGS else {}
        for key, item in items:
            name = self.value(key)
            made[name] = self.value(item, there.get(name))
        return made

    def _dict(self, number: int, current: Any, _: None, items: Sequence[Sequence[Tree]]) -> Any:
        return self._mapping(number, current, {}, items)

    def _ordered(self, number: int, current: Any, _: None, items: Sequence[Sequence[Tree]]) -> Any:
        return self._mapping(number, current, OrderedDict(), items)

    def _counter(self, number: int, current: Any, _: None, items: Sequence[Sequence[Tree]]) -> Any:
        return self._mapping(number, current, Counter(), items)

    def _defaultdict(self, number: int, current: Any, default: Tree, items: Sequence[Sequence[Tree]]) -> Any:
        factory = self.value(default, getattr(current, "default_factory", None))
        return self._mapping(number, current, defaultdict(factory), items)

    def _bytes(self, number: int, _: Any, text: str) -> bytes:
        self._made[number] = bytes.fromhex(text)
        return bytes.fromhex(text)

    def _tensor(
        self, number: int, _: Any, stride: Sequence[int] | None, moved: object, gradient: object, data: Tensor
    ) -> Tensor:
        made = torch.empty_strided(data.shape, stride or data.stride(), dtype=data.dtype).copy_(data)
        made = made.to(self._device) if moved else made
        self._made[number] = made.requires_grad_(bool(gradient))
        return made

    def _array(self, number: int, _: Any, scalar: object, order: str, data: Tensor) -> Any:
        made = data.numpy().copy(order="F" if order == "F" else "C")
        self._made[number] = made[()] if scalar else made
        return self._made[number]

    def _generator(self, number: int, current: Any, kind: str, state: Tree) -> Any:
        self._take(number, current, same=type(current).__name__ == kind)
        _set_state(current, self.value(state))
        return current

    def _object(self, number: int, current: Any, kind: str, attributes: Sequence[Sequence[Tree]]) -> Any:
        self._take(number, current, same=is_plain(current) and qualified(type(current)) == kind)
        there = vars(current)
        made = {name: self.value(item, there.get(name)) for name, item in attributes}
        there.clear()
        there.update(made)
        return current

    def _fixed(self, number: int, current: Any, sealed: str) -> Any:
        tree = Encoder(names=self._names, storages=None, sealing=True).tree(current, "")
        self._take(number, current, same=seal(tree) == sealed, shared=True)
        return current

    def _take(self, number: int, current: Any, *, same: bool, shared: bool = False) -> None:
        """Use a value that is there already, and to which no other one is restored, unless it may be `shared`."""
        if not same or (id(current) in self._used and not shared):
            raise NotKept(f"a value of {qualified(type(current))} is not the one of the checkpoint")
        self._used.add(id(current))
        self._made[number] = current


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, random.Random):
        generator.setstate(state)
    elif isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        generator.set_state(state)
