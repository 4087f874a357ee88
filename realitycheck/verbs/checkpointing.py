"""Checkpoints of the runs of a study: how often they are written, and when they are deleted."""

from __future__ import annotations

from pathlib import Path

from realitycheck.runs import Body
from realitycheck.search.campaign import Campaign
from realitycheck.stores.cache import forget_checkpoints

CHECKPOINT_SECONDS = 300.0
"""Longest time between two checkpoints in a run, unless a person says otherwise."""


def with_checkpoints(place: Body, *, kind: str, seconds: float | None) -> Body:
    """Return the place of a job; a training writes checkpoints there."""
    return place | {"checkpoint_seconds": seconds} if kind == "run" else place


def sweep_checkpoints(cache: Path, campaign: Campaign) -> None:
    """Delete the checkpoints that are left of a complete study: damaged ones, and drafts of killed processes."""
    if not (campaign.left or campaign.set_aside or campaign.given_up or campaign.stopped):
        forget_checkpoints(cache)
