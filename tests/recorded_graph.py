"""A CUDA graph as the CPU can have one: operations that are recorded below autograd, and repeated on the same memory.

As on a GPU, Python is not called again, and a value that Python held at the recording is held for ever. Unlike there,
the recording computes; so the state is put back afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from host_reads import HostReads, Refused
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class RecordedGraphs:
    """`captured_steps.Capture` on a CPU.

    Args:
        tensors: returns what has to be put back after a recording.
        fails: an exception to raise in place of a recording.
        changes: whether a replay comes out different, as from a kernel with another order of sums.
    """

    def __init__(self, tensors: Callable[[], list], *, fails: Exception | None = None, changes: bool = False) -> None:
        self.tensors, self.fails, self.changes = tensors, fails, changes
        self.warmed = self.recorded = 0

    def prepare(self, optimizers: Any) -> None:
        pass

    def warm(self, step: Callable[[], None]) -> None:
        self.warmed += 1
        step()

    def refusing_waits(self) -> AbstractContextManager[Any]:
        return HostReads(Refused())

    def record(self, step: Callable[[], None]) -> Callable[[], None]:
        if self.fails is not None:
            raise self.fails
        self.recorded += 1
        kept = [(tensor, tensor.clone()) for tensor in self.tensors()]
        with _Recorder() as recorder:
            step()
        for tensor, value in kept:
            tensor.copy_(value)
        return lambda: self._again(recorder.calls)

    @torch.no_grad()
    def _again(self, calls: list) -> None:
        for function, args, kwargs, results in calls:
            made = function(*args, **kwargs)
            for old, new in zip(tree_leaves(results), tree_leaves(made), strict=True):
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)
        if self.changes:
            self.tensors()[0].flatten()[0] += 1e-6


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        results = func(*args, **(kwargs or {}))
        if func._schema.name not in ("aten::detach", "aten::alias"):
            self.calls.append((func, args, kwargs or {}, results))
        return results
