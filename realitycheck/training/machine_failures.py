"""Which exceptions are a fault of the machine: attempts, and never a result of the loss that met them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import torch

TYPES = (
    OSError,
    MemoryError,
    ImportError,
    subprocess.SubprocessError,
    torch.OutOfMemoryError,
    torch.AcceleratorError,
)

TEXTS = (
    *("CUDA", "CUBLAS_STATUS", "cuBLAS", "CUDNN_STATUS", "cuDNN", "CUSOLVER_STATUS", "cusolver error"),
    *("CUFFT_STATUS", "cuFFT", "CUSPARSE_STATUS", "cuSPARSE", "NCCL", "NVRTC", "nvrtc", "NVML", "HIP error"),
    "out of memory",
    "DefaultCPUAllocator",
    "can't allocate memory",
    "does not have a deterministic implementation",
    "Deterministic behavior was enabled",
    "can't start new thread",
    *("shared memory", "unable to mmap", "Too many open files", "No space left on device"),
)
"""What torch and its libraries write into a plain `RuntimeError`."""


def is_machine_failure(error: BaseException) -> bool:
    """Return whether an exception, or one that it was raised from, is a fault of the machine or its installation."""
    return any(_is_one(raised) for raised in _chain(error))


def _is_one(error: BaseException) -> bool:
    if isinstance(error, TYPES):
        return True
    compiler = type(error).__module__.startswith("torch._inductor")
    return compiler or (isinstance(error, RuntimeError) and any(text in str(error) for text in TEXTS))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Iterate over an exception and those that it was explicitly raised from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__
