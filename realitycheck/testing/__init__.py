"""Contracts as tests: subclass one in a test file, define `make`, and pytest checks your plug-in.

class TestMyLoss(LossContract):
    def make(self):
        return MyLoss(margin=0.1)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realitycheck.testing.dataset_contract import DatasetContract
    from realitycheck.testing.executor_contract import ExecutorContract
    from realitycheck.testing.loss_contract import LossContract

__all__ = ["DatasetContract", "ExecutorContract", "LossContract"]

_MODULES = {
    "DatasetContract": "dataset_contract",
    "ExecutorContract": "executor_contract",
    "LossContract": "loss_contract",
}


def __getattr__(name: str) -> Any:
    """Import a contract when it is used: a process that does a job of one contract needs not wait for torch."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
