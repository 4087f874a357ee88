"""The losses' names as the report prints them."""

from __future__ import annotations

from collections.abc import Mapping

from realitycheck.losses import menu
from realitycheck.protocol.model import Study

RECONSTRUCTION = "reconstruction"
"""The status of a loss of which too little is published to follow it."""

FOOTNOTE = (
    "(reconstruction): no official code or full formula of this loss is published; its gaps were filled here, so its "
    "scores need not be those of the authors' own."
)
"""What stands below every table that names a reconstruction."""


def statuses(study: Study) -> dict[str, str]:
    """Label → `exact`, `variant` or `reconstruction`, by the menu; empty for a loss that is not on it."""
    entries = {choice.label: menu.entry(choice.address) for choice in study.losses}
    return {label: entry.status if entry else "" for label, entry in entries.items()}


def shown(label: str, known: Mapping[str, str]) -> str:
    """`label`, or `label (reconstruction)` where the statuses say so."""
    return f"{label} ({RECONSTRUCTION})" if known.get(label) == RECONSTRUCTION else label
