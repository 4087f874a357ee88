"""Copies from the host to a device for which the host does not wait."""

from __future__ import annotations

import torch
from torch import Tensor


def on(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor of the CPU on a device; on a CPU the tensor itself.

    A copy of pageable memory makes the host wait for a GPU; one of pinned memory does not. PyTorch keeps the pinned
    memory until the copy is done.
    """
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return pinned(tensor, device).to(device, non_blocking=True)


def pinned(tensor: Tensor, device: torch.device) -> Tensor:
    """Return a tensor of the CPU in memory from which a GPU copies by itself; for a CPU the tensor itself."""
    if device.type != "cuda":
        return tensor
    with torch.cuda.device(device):  # a thread begins with the first GPU
        return tensor.pin_memory()
