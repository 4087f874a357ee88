"""Scores of embeddings: exact retrieval scores, and the other functions of `menu`, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from realitycheck.metrics.menu import MENU

if TYPE_CHECKING:
    from realitycheck.metrics.clustering import nmi as nmi
    from realitycheck.metrics.recall import recall_at_k as recall_at_k
    from realitycheck.metrics.retrieval import retrieval_scores as retrieval_scores

_FUNCTIONS = {name: entry for entry in MENU for _, _, name in [entry.function.partition(":")]}


def __getattr__(name: str) -> Any:
    """The functions of the menu are imported on first use, so that reading the menu never loads torch."""
    if name in _FUNCTIONS:
        return _FUNCTIONS[name].load()
    raise AttributeError(f"module 'realitycheck.metrics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*_FUNCTIONS, *globals()]
