"""The machine as the recipe wants it: threads, kernels, precision."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

import torch

from realitycheck.protocol.recipe import Recipe


def prepare_machine(recipe: Recipe, device: str) -> torch.device:
    """Pin threads and kernels as the recipe says; the device to compute on (`auto`: CUDA where there is one)."""
    torch.set_num_threads(recipe.threads)
    name = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda"):
        # cuBLAS needs the workspace stated before its first use to repeat its sums in one order.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.use_deterministic_algorithms(mode=True)
    return torch.device(name)


def autocast(precision: str, device: torch.device) -> AbstractContextManager[None]:
    """The precision of the forward pass, as the recipe names it."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def accelerator() -> str:
    """What runs compute on here, in words."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none, the CPU is used"
