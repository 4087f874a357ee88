"""Which exceptions of a loss are the machine's."""

from __future__ import annotations

import errno
import subprocess

import pytest
import torch

from realitycheck.training.machine_failures import is_machine_failure


def chained() -> Exception:
    try:
        try:
            raise OSError(errno.EMFILE, "Too many open files")
        except OSError as error:
            raise ValueError("cannot read the table") from error
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        MemoryError(),
        ModuleNotFoundError("No module named 'triton'"),
        subprocess.CalledProcessError(1, ["cc"]),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm( handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"),
        RuntimeError("cdist_backward_cuda does not have a deterministic implementation, but you set ..."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("can't start new thread"),
        chained(),
    ],
)
def test_a_fault_of_the_machine(error):
    assert is_machine_failure(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("CUDA error: I only write about it"),
        RuntimeError("Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"),
        RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"),
        ZeroDivisionError(),
        NotImplementedError(),
    ],
)
def test_a_fault_of_the_loss(error):
    assert not is_machine_failure(error)
