"""The record of which trial a search chose, where the protocol does not take the best one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from realitycheck.canonical import digest
from realitycheck.runs import RESULTS_VERSION, Body


@dataclass(frozen=True, slots=True)
class Selection:
    """The trial that a search chose by the posterior mean of a Gaussian process over its trials.

    Args:
        search: digest of the search.
        slot: number of the chosen trial: the highest mean, ties to the lowest number.
        means: the posterior mean of the validation MAP@R of every trial, by slot; None for one that diverged.
    """

    kind: ClassVar[str] = "selection"

    search: str
    slot: int
    means: tuple[float | None, ...]

    @property
    def id(self) -> str:
        """Digest of the search and of its number of trials."""
        return selection_id(self.search, len(self.means))

    def to_json(self) -> Body:
        """The body of the record."""
        return {
            "kind": self.kind,
            "id": self.id,
            "results_version": RESULTS_VERSION,
            "search": self.search,
            "slot": self.slot,
            "means": list(self.means),
        }


def selection_id(search: str, trials: int) -> str:
    """The id of a search's selection among its first trials."""
    return digest({"selection": search, "select": "posterior_mean", "trials": trials})
