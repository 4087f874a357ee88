"""Losses of deep metric learning: `names()` lists the menu, `build(name, …)` builds one."""

from realitycheck.losses.build import build, names

__all__ = ["build", "names"]
