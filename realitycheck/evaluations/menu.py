"""The menu of evaluations: what is measured of finished models on the test half, readable without torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvaluationEntry:
    """What is known of one evaluation.

    Args:
        address: `module:Class` of the `Evaluation`.
        trained: whether trained models are measured; untrained ones always are.
        embedder: whether the embedder is part of what is measured; it is drawn at random.
        untrained_row: the label of the row that shows the untrained models under this evaluation.
    """

    address: str
    trained: bool
    embedder: bool
    untrained_row: str


_HERE = "realitycheck.evaluations"

MENU: dict[str, EvaluationEntry] = {
    "clean": EvaluationEntry(f"{_HERE}.clean:Clean", trained=True, embedder=True, untrained_row="untrained embedder"),
    "trunk": EvaluationEntry(
        f"{_HERE}.trunk:TrunkFeatures", trained=False, embedder=False, untrained_row="untrained trunk"
    ),
}
"""Name → entry."""

TRAINED = tuple(name for name, entry in MENU.items() if entry.trained)
"""The evaluations of trained models."""

UNTRAINED_ROWS = {entry.untrained_row: name for name, entry in MENU.items()}
"""Label of an untrained row → its evaluation."""
