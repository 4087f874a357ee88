"""What makes a record, for its notes: the machine and the versions."""

from __future__ import annotations

from importlib.metadata import version

from realitycheck.protocol.read import ReadStudy


def machine(read: ReadStudy, device: str) -> str:
    """The processor and the versions that can change last bits within a class of arithmetic."""
    from realitycheck.training import device as of_torch  # loads torch, which `status` and `report` do without

    names = [read.study.protocol.recipe.computes.device] if device == "auto" else device.split(",")
    return "; ".join(dict.fromkeys(of_torch.machine(name) for name in names))


def versions() -> str:
    """The versions of this package and of those that matter most to its numbers."""
    return " ".join(f"{name} {version(name)}" for name in ("realitycheck", "torch", "optuna", "numpy"))
