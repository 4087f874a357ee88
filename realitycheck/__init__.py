"""Reality Check: when every loss gets the same data, model, tuning budget and seeds, which losses really differ?"""

from __future__ import annotations

import importlib
from typing import Any

_VERBS = ("load_study", "plan_study", "report_study", "run_study", "verify_study")
_ROOMS = ("losses", "metrics")

__all__ = ["load_study", "losses", "metrics", "plan_study", "report_study", "run_study", "verify_study"]


def __getattr__(name: str) -> Any:
    """Load a part of the API on its first use, so that a report does not wait for torch."""
    if name in _VERBS:
        return getattr(importlib.import_module("realitycheck.verbs"), name)
    if name in _ROOMS:
        return importlib.import_module(f"realitycheck.{name}")
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("realitycheck")
    raise AttributeError(f"module 'realitycheck' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the API as well, although its parts are loaded on first use."""
    return sorted({*globals(), *__all__, "__version__"})
