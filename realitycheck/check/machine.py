"""Whether this machine can compute in a protocol's arithmetic."""

from __future__ import annotations

from realitycheck.arithmetic import MENU, obstacle
from realitycheck.check.rules.base import Found, not_allowed, rule


@rule("protocol.recipe.arithmetic", cuda="made.cuda")
def arithmetic_is_possible(name: str, *, cuda: bool) -> Found:
    """This machine has the processor that a class of arithmetic needs; `cuda` is whether it has a GPU."""
    reason = obstacle(name)
    if MENU[name].device == "cuda" and not cuda:
        reason = "it needs a GPU with CUDA, and this machine has none"
    if reason:
        fix = "Use another machine, or a protocol with another class."
        yield not_allowed("arithmetic-unavailable", f"'{name}'", reason, fix)
