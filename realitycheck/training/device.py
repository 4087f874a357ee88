"""Threads, deterministic kernels and precision, as the recipe sets them."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

import torch

from realitycheck.protocol.recipe import Recipe


def prepare_machine(recipe: Recipe, device: str) -> torch.device:
    """Set threads and deterministic kernels, and return the device; `auto` means CUDA if available, else the CPU."""
    torch.set_num_threads(recipe.threads)
    name = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda"):
        # cuBLAS is deterministic only if the workspace is configured before its first use (PyTorch, Reproducibility).
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cuda.matmul.allow_tf32 = recipe.tf32
        torch.backends.cudnn.allow_tf32 = recipe.tf32
        torch.use_deterministic_algorithms(mode=True)
    return torch.device(name)


def autocast(precision: str, device: torch.device) -> AbstractContextManager[None]:
    """Return a context that runs the forward pass in the recipe's precision (`float32` or `bfloat16`)."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def accelerator() -> str:
    """Return the name of the GPU, or a phrase that none is available."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none, the CPU is used"
