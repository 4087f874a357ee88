"""The settings that a job finds: those of a fresh process, whatever the caller's process has set before.

Some change the bits of a result, such as autocast or the default type, and no library says that they are set.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

_BACKENDS = {
    ("cudnn", "benchmark"): False,
    ("cudnn", "enabled"): True,
    ("mkldnn", "deterministic"): False,
    ("mkldnn", "enabled"): True,
}
"""Module of `torch.backends` and setting → its value in a fresh process."""

SMALLEST = 2.0**-149
"""The smallest float32 above 0: a processor that is set to flush such numbers makes it 0."""


@contextmanager
def usual_settings() -> Iterator[None]:
    """Compute with the settings of a fresh process for a while: of torch, NumPy and `warnings`, and its environment.

    Afterwards they, the working folder, the environment and `sys.path` are as they were before, whatever a job did.
    What a job replaces inside of modules stays replaced.
    """
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    with ExitStack() as stack:
        stack.enter_context(_own_process())
        stack.enter_context(warnings.catch_warnings())
        tolerate_warnings()
        if numpy:
            stack.enter_context(numpy.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        if torch:
            stack.enter_context(_of_torch(torch))
        yield


def tolerate_warnings() -> None:
    """Make no warning an error, as `PYTHONWARNINGS=error` does: a loss that warns would be recorded as diverged."""
    if any(entry[0] == "error" for entry in warnings.filters):
        warnings.simplefilter("default")


@contextmanager
def _own_process() -> Iterator[None]:
    """Set the working folder, the environment and the import path back afterwards."""
    folder, environment, path = _folder(), dict(os.environ), list(sys.path)
    try:
        yield
    finally:
        if _folder() != folder and folder is not None:
            os.chdir(folder)
        if os.environ != environment:
            os.environ.clear()
            os.environ.update(environment)
        sys.path[:] = path


def _folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it is gone
        return None


@contextmanager
def _of_torch(torch: ModuleType) -> Iterator[None]:
    with ExitStack() as stack:
        for change, before in _changes(torch):
            stack.callback(change, before)
        torch.set_default_dtype(torch.float32)
        torch.set_float32_matmul_precision("highest")
        torch.use_deterministic_algorithms(mode=False)
        torch.set_flush_denormal(False)
        for (backend, name), usual in _BACKENDS.items():
            setattr(getattr(torch.backends, backend), name, usual)
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        stack.enter_context(torch.inference_mode(mode=False))  # and with gradients
        for kind in ("cpu", "cuda"):
            stack.enter_context(torch.autocast(kind, enabled=False))
        yield


def _changes(torch: ModuleType) -> Iterator[tuple[Callable[[Any], object], Any]]:
    """Yield what sets each setting of this process, and what it is now."""
    yield torch.set_default_dtype, torch.get_default_dtype()
    yield torch.set_float32_matmul_precision, torch.get_float32_matmul_precision()
    yield torch.set_deterministic_debug_mode, torch.get_deterministic_debug_mode()
    yield torch.set_flush_denormal, (torch.full((1,), SMALLEST, dtype=torch.float32, device="cpu") * 1).item() == 0
    yield partial(_set_device, torch), torch.get_default_device()
    deterministic = torch.utils.deterministic
    yield partial(setattr, deterministic, "fill_uninitialized_memory"), deterministic.fill_uninitialized_memory
    for backend, name in _BACKENDS:
        module = getattr(torch.backends, backend)
        yield partial(setattr, module, name), getattr(module, name)


def _set_device(torch: ModuleType, device: Any) -> None:
    if torch.get_default_device() != device:
        torch.set_default_device(device)
