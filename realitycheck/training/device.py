"""Threads, deterministic kernels and precision, as the recipe sets them, and what the machine is."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from realitycheck.arithmetic import MENU, assignments, cpu_model, obstacle, unpinned
from realitycheck.errors import RunError
from realitycheck.protocol.recipe import Recipe


def prepare_machine(recipe: Recipe, device: str) -> torch.device:
    """Set threads and deterministic kernels, and return the device; `auto` is that of the recipe's arithmetic.

    Raises:
        RunError: this process, machine or device does not compute in the recipe's arithmetic.
    """
    return prepare_arithmetic(recipe.arithmetic, threads=recipe.threads, device=device)


def prepare_arithmetic(name: str, *, threads: int, device: str) -> torch.device:
    """Do the same for a class of arithmetic.

    Raises:
        RunError: this process, machine or device does not compute in it.
    """
    wanted = MENU[name]
    chosen = wanted.device if device == "auto" else device
    if chosen.partition(":")[0] != wanted.device:
        raise RunError(f"device '{device}' is not allowed here: arithmetic {name} computes on {wanted.device}.")
    if reason := obstacle(name):
        raise RunError(f"arithmetic {name} is not possible on this machine: {reason}.")
    if missing := unpinned(name):
        raise RunError(f"this process is not pinned to arithmetic {name}: start it with {assignments(missing)}.")
    torch.set_num_threads(threads)
    if wanted.device == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = wanted.tf32
        torch.backends.cudnn.allow_tf32 = wanted.tf32
        torch.use_deterministic_algorithms(mode=True)
        # Else each `torch.empty` starts a kernel that fills it, also where an operation makes its own result.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    return torch.device(chosen)


def autocast(precision: str, device: torch.device) -> AbstractContextManager[None]:
    """Return a context that runs the forward pass in the recipe's precision (`float32` or `bfloat16`)."""
    if precision == "float32":  # a disabled autocast costs 3 µs, twice in a step with a teacher
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def wait_for(device: torch.device) -> None:
    """Wait until a GPU has computed what it was given; a CPU has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def has_cuda() -> bool:
    """Return whether this machine has a GPU that torch can use."""
    return torch.cuda.is_available()


def gpus() -> int:
    """Return the number of GPUs that torch can use."""
    return torch.cuda.device_count()


def accelerator() -> str:
    """Return the name of the GPU, or a phrase that none is available."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none, the CPU is used"


def machine(device: str) -> str:
    """Return what can change the last bits of a result beside its class of arithmetic: processor and versions."""
    if device.startswith("cuda"):
        cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
        versions = (f"CUDA {torch.version.cuda}", f"cuDNN {cudnn}", f"driver {_driver()}")
        return ", ".join((torch.cuda.get_device_name(device), f"torch {torch.__version__}", *versions))
    return f"{cpu_model()}, torch {torch.__version__}, MKL {_mkl()}"


def _mkl() -> str:
    version = re.search(r"Math Kernel Library Version (\S+?)-", torch.__config__.show())
    return version[1] if version else "none"


def _driver() -> str:
    """Return the version of NVIDIA's kernel module, or `unknown` where the system does not show it."""
    try:
        text = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "unknown"
    version = re.search(r"\b(\d+\.\d+(?:\.\d+)?)\b", text)
    return version[1] if version else "unknown"
