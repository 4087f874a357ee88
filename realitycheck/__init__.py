"""Reality Check: when every loss gets the same data, model, tuning budget and seeds, which losses really differ?"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["load_study", "plan_study", "report_study", "run_study"]


def __getattr__(name: str) -> Any:
    """The verbs are loaded on first use, so that a report never waits for torch."""
    if name in __all__:
        return getattr(importlib.import_module("realitycheck.verbs"), name)
    raise AttributeError(f"module 'realitycheck' has no attribute {name!r}")
