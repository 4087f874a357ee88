"""Whether this machine can compute in a protocol's arithmetic."""

from __future__ import annotations

import torch

from realitycheck.arithmetic import MENU, obstacle
from realitycheck.check.rules.base import Found, not_allowed, rule


@rule("protocol.recipe.arithmetic")
def arithmetic_is_possible(name: str) -> Found:
    """This machine has the processor that a class of arithmetic needs."""
    reason = obstacle(name)
    if MENU[name].device == "cuda" and not torch.cuda.is_available():
        reason = "it needs a GPU with CUDA, and this machine has none"
    if reason:
        fix = "Use another machine, or a protocol with another class."
        yield not_allowed("arithmetic-unavailable", f"'{name}'", f"{reason}, so nothing can run on this machine", fix)
