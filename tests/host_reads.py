"""Operations for which a GPU makes the host wait, found on the CPU.

`torch.cuda.set_sync_debug_mode` names them on a GPU. Here every call below autograd is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

READS = {
    "aten::_local_scalar_dense",  # item, tolist, float, bool of a tensor
    "aten::is_nonzero",
    "aten::equal",
    "aten::nonzero",
    "aten::masked_select",
    "aten::unique_dim",
    "aten::_unique2",
    "aten::unique_consecutive",
    "aten::bincount",
    "aten::repeat_interleave",  # of a tensor of counts: the length of the result is a value
}
"""The value of a tensor, or a result whose shape depends on values."""

INDEXED = {"aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_"}
"""A mask as an index is turned into positions by `nonzero`."""

COPIES = {"aten::_to_copy", "aten::copy_", "aten::_copy_from"}


class HostReads(TorchDispatchMode):
    """Collects the names of such operations in `found`.

    Tensors on the device `meta` stand for those of a GPU: a copy from or to the CPU is one of pageable memory.

    Args:
        found: the list that gets the names.
    """

    def __init__(self, found: list[str] | None = None) -> None:
        super().__init__()
        self.found: list[str] = [] if found is None else found
        self._python = _PythonReads(self.found)

    def __enter__(self) -> HostReads:
        self._python.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._python.__exit__(*error)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name
        if name in READS or (name in INDEXED and any(_masks(args[1]))):
            self.found.append(name)
        result = func(*args, **(kwargs or {}))
        if name in COPIES and len(_places([args, result])) > 1:
            self.found.append(f"{name} between devices")
        return result


class Refused(list):
    """A list that refuses names, as torch does on a GPU where it was asked to."""

    def append(self, name: str) -> None:
        raise RuntimeError(f"called a synchronizing operation: {name}")


class _PythonReads(TorchFunctionMode):
    """Collects reads of memory that call no operation, and values of Python that are copied to a device."""

    def __init__(self, found: list[str]) -> None:
        super().__init__()
        self.found = found

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in (torch.Tensor.tolist, torch.Tensor.numpy, torch.Tensor.__array__):
            self.found.append(func.__name__)
        if func in (torch.tensor, torch.as_tensor) and result.device.type != "cpu":
            self.found.append("a value of Python to a device")
        return result


def _masks(indices: Any) -> Iterator[bool]:
    return (index is not None and index.dtype in (torch.bool, torch.uint8) for index in indices)


def _places(tensors: Any) -> set[str]:
    return {leaf.device.type for leaf in tree_leaves(tensors) if isinstance(leaf, torch.Tensor)}
