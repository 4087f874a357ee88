"""Which failures are a lack of memory on a device, after which a job has one to itself."""

from __future__ import annotations

import pytest
import torch

from realitycheck.executors.base import Job, unheard
from realitycheck.executors.call import answer_of, finished
from realitycheck.search.attempts import is_device_memory, is_last
from realitycheck.training.machine_failures import is_machine_failure

LACKING = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 8.00 GiB"),
    torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
    RuntimeError("CUDA driver error: out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN Frontend error: [x] CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`"),
]

OTHERS = [
    torch.AcceleratorError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm( handle)`"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory"),
    MemoryError("out of memory"),
    OSError("the disk is on fire"),
]

RAISED: list[BaseException] = []


def fail(payload, *, tell):
    """A job that ends as it was told."""
    raise RAISED[-1]


def reason_of(error):
    """What the note of a job says that ended by this exception."""
    RAISED.append(error)
    answer, _ = answer_of(f"{__name__}:fail", "{}", tell=unheard, passes=())
    return finished(Job("run", "a", "g", "a", {}), answer, seconds=0.0).failure


@pytest.mark.parametrize("error", LACKING, ids=repr)
def test_a_lack_of_memory_on_the_device(error):
    reason = reason_of(error)
    assert is_device_memory(reason)
    assert is_machine_failure(error)
    assert (is_last(1, reason=reason), is_last(2, reason=reason)) == (False, True)


@pytest.mark.parametrize("error", OTHERS, ids=repr)
def test_another_failure(error):
    reason = reason_of(error)
    assert not is_device_memory(reason)
    assert (is_last(2, reason=reason), is_last(3, reason=reason)) == (False, True)
