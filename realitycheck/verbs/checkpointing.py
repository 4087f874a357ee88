"""Checkpoints of the runs of a study: how often they are written, and when they are deleted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from realitycheck.runs import Body
from realitycheck.search.campaign import Campaign
from realitycheck.stores.cache import forget_checkpoints

CHECKPOINT_SECONDS = 300.0
"""Longest time between two checkpoints in a run, unless a person says otherwise."""


@dataclass(frozen=True, slots=True)
class JobPlace:
    """Where jobs compute, and after what to leave.

    Args:
        device: see `run_study`.
        every: longest time between two checkpoints of a run.
        graphs: whether steps of runs are replayed.
        until: see `run_study`.
    """

    device: str
    every: float | None
    graphs: bool
    until: Literal["search"] | None

    def of(self, place: Body, *, kind: str) -> Body:
        """Return the place of a job; a training writes checkpoints there."""
        return place | {"checkpoint_seconds": self.every, "graphs": self.graphs} if kind == "run" else place


def sweep_checkpoints(cache: Path, campaign: Campaign) -> None:
    """Delete the checkpoints that are left of a complete study: damaged ones, and drafts of killed processes."""
    if not (campaign.left or campaign.set_aside or campaign.given_up or campaign.stopped):
        forget_checkpoints(cache)
