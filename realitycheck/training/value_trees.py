"""Python values as trees of lists, scalars and tensors, which a file can hold.

A value is kept where its tree can be built up again: numbers, texts, tensors, arrays, generators, lists, dicts and
objects of Python classes. A function, a class or a set is fixed: the tree holds a digest, and the value in its place
must have the same one when the tree is restored. Every other value is refused. Nothing is pickled, because a pickle can
run any code.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import json
import logging
import random
import re
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from torch import Tensor

from realitycheck.canonical import canonical_json
from realitycheck.errors import RunError

Tree = Any
"""None, a bool, a number, a text, a tensor, or a list of trees."""

SCALARS = (type(None), bool, int, float, str)
SEQUENCES: Mapping[type, str] = {list: "list", tuple: "tuple", deque: "deque"}
MAPPINGS: Mapping[type, str] = {dict: "dict", OrderedDict: "ordered", Counter: "counter", defaultdict: "defaultdict"}
GENERATORS = (random.Random, np.random.RandomState, np.random.Generator, torch.Generator)
NAMED = (type, types.ModuleType, types.BuiltinFunctionType, logging.Logger)
"""Fixed values that their name identifies."""
WRITTEN = (enum.Enum, torch.dtype, torch.device, torch.Size, torch.memory_format, np.dtype, range, slice, complex)
"""Fixed values that their text identifies, with `PurePath` and `re.Pattern`."""

NAMES = ("__module__", "__qualname__", "__name__", "name")
MUTABLE = (list, deque, dict, Tensor, np.ndarray)

HEAP_TYPE = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: the class was made by Python code, or by C code at run time."""


class NotKept(RunError):
    """A value that a checkpoint cannot hold."""


class _Plain:
    """A class of Python code, for its size."""


class Encoder:
    """Values to trees. One encoder sees all values that may share parts, so that these are shared again afterwards.

    Args:
        names: id of a module, parameter or buffer → its name; a value that is one of these is kept as the name.
        storages: addresses of memory that no other tensor may share; None where tensors may.
        sealing: whether the trees are only digested. What is in a fixed value is sealed by an encoder of its own, so
            that its numbers do not depend on what else there is.
    """

    def __init__(self, *, names: Mapping[int, str], storages: Sequence[int] | None, sealing: bool = False) -> None:
        self._names = names
        self._storages = None if storages is None else set(storages)
        self._sealing = sealing
        # Ids of mutable values that fixed values hold: they stay, and are not built anew.
        self._within: set[int] = set()
        self._numbers: dict[int, int] = {}
        self._alive: list[object] = []  # so that no id is used twice

    def tree(self, value: Any, where: str) -> Tree:
        """Return the tree of a value.

        Args:
            value: the value.
            where: what it is called in an error.

        Raises:
            NotKept: if a checkpoint cannot hold it.
        """
        if type(value) in SCALARS:
            return value
        if id(value) in self._names:
            return ["name", self._names[id(value)]]
        if id(value) in self._numbers:
            return ["same", self._numbers[id(value)]]
        if id(value) in self._within:
            raise NotKept(f"{where}: a function or another fixed value holds it, too")
        number = self._numbers[id(value)] = len(self._numbers)
        self._alive.append(value)
        kind, *rest = self._parts(value, where)
        return [kind, number, *rest]

    def _parts(self, value: Any, where: str) -> list[Tree]:
        kind = type(value)
        if kind in SEQUENCES:
            most = value.maxlen if kind is deque else None
            return [SEQUENCES[kind], most, [self.tree(one, f"{where}[{at}]") for at, one in enumerate(value)]]
        if kind in MAPPINGS:
            default = self.tree(getattr(value, "default_factory", None), where)
            items = [[self.tree(key, where), self.tree(one, f"{where}[{key!r}]")] for key, one in value.items()]
            return [MAPPINGS[kind], default, items]
        if kind is bytes:
            return ["bytes", value.hex()]
        if isinstance(value, Tensor | np.ndarray | np.generic):
            return self._numeric(value, where)
        if kind in GENERATORS:
            return ["generator", kind.__name__, self.tree(_state_of(value), where)]
        if is_plain(value):
            attributes = [[name, self.tree(one, f"{where}.{name}")] for name, one in vars(value).items()]
            return ["object", qualified(kind), attributes]
        return ["fixed", self._fixed(value, where) if self._sealing else self._sealed(value, where)]

    def _sealed(self, value: Any, where: str) -> str:
        inner = Encoder(names=self._names, storages=None, sealing=True)
        tree = inner.tree(value, where)
        self._alive.extend(inner._alive)
        mutable = {id(one) for one in inner._alive if isinstance(one, MUTABLE)}
        if mutable & set(self._numbers):
            raise NotKept(f"{where}: it holds a value that is also kept by itself")
        self._within |= mutable
        return seal(tree)

    def _numeric(self, value: Any, where: str) -> list[Tree]:
        if type(value) is Tensor and value.grad_fn is None and value.layout is torch.strided:
            if not value.is_contiguous() and not torch.ops.aten.is_non_overlapping_and_dense(value):
                raise NotKept(f"{where}: a tensor with gaps or overlaps")
            self._own(value.untyped_storage().data_ptr(), value.numel(), where)
            stride = None if value.is_contiguous() else list(value.stride())
            return ["tensor", stride, value.device.type != "cpu", value.requires_grad, value.detach()]
        if isinstance(value, np.generic) or (type(value) is np.ndarray and value.flags.forc):
            array = np.asarray(value)
            if isinstance(value, np.ndarray):
                base = value.base if isinstance(value.base, np.ndarray) else value
                self._own(base.__array_interface__["data"][0], value.size, where)
            if array.dtype.isnative and array.dtype.kind in "biufc":
                order = "F" if array.flags.fnc else "C"
                return ["array", isinstance(value, np.generic), order, torch.from_numpy(np.array(array, order="C"))]
        raise NotKept(f"{where}: {qualified(type(value))} of another kind")

    def _own(self, address: int, size: int, where: str) -> None:
        if self._storages is not None and size:
            if address in self._storages:
                raise NotKept(f"{where}: it shares its memory with another tensor or array")
            self._storages.add(address)

    def _fixed(self, value: Any, where: str) -> Tree:
        if isinstance(value, NAMED) and not _is_bound(value):
            return [qualified(type(value)), *(str(getattr(value, name, "")) for name in NAMES)]
        if isinstance(value, (*WRITTEN, PurePath, re.Pattern)):
            return [qualified(type(value)), str(value)]
        if isinstance(value, types.FunctionType):
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            held = (cells, value.__defaults__, value.__kwdefaults__, vars(value))
            return [value.__module__, value.__qualname__, *(self.tree(one, where) for one in held)]
        if isinstance(value, types.MethodType):
            return [value.__func__.__qualname__, self.tree(value.__self__, where)]
        if type(value) is functools.partial:
            return [self.tree(one, where) for one in (value.func, value.args, value.keywords)]
        if type(value) in (set, frozenset):
            return sorted(seal(Encoder(names={}, storages=None, sealing=True).tree(one, where)) for one in value)
        raise NotKept(f"{where}: a value of {qualified(type(value))}")


def seal(tree: Tree) -> str:
    """Return the SHA-256 of a tree."""
    return hashlib.sha256(json.dumps(tree, default=tensor_digest).encode()).hexdigest()


def tensor_digest(tensor: Tensor) -> str:
    """Return the SHA-256 of a tensor's type, shape and bytes."""
    value = tensor.detach().cpu().contiguous()
    hasher = hashlib.sha256(canonical_json([str(value.dtype), list(value.shape)]).encode())
    hasher.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return hasher.hexdigest()


def is_plain(value: object) -> bool:
    """Return whether all that an object holds is in its `__dict__`: its classes are of Python code, without slots."""
    classes = type(value).__mro__[:-1]
    pythonic = all(kind.__flags__ & HEAP_TYPE and "__slots__" not in vars(kind) for kind in classes)
    return pythonic and type(value).__basicsize__ == _Plain.__basicsize__ and not isinstance(value, (*NAMED, enum.Enum))


def qualified(kind: type) -> str:
    """Return the name of a class with that of its module."""
    return f"{kind.__module__}.{kind.__qualname__}"


def _is_bound(value: object) -> bool:
    """Return whether a built-in function is a method of some value, such as `items.append`."""
    owner = getattr(value, "__self__", None)
    return isinstance(value, types.BuiltinFunctionType) and not isinstance(owner, type | types.ModuleType | None)


def _state_of(generator: Any) -> Any:
    if isinstance(generator, random.Random):
        return generator.getstate()
    return generator.bit_generator.state if isinstance(generator, np.random.Generator) else generator.get_state()
