"""Scores that cannot exist, because a run diverged."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.protocol.model import Protocol
from realitycheck.records.evidence import Replicate
from realitycheck.records.schema import Run
from realitycheck.runs import Category


def lost(replicates: Sequence[Replicate], protocol: Protocol, category: Category) -> list[bool]:
    """For each replicate of one search, whether it cannot have a score of this category."""
    if category is not Category.COMPLETE:
        return [any(map(_diverged, replicate.fold_runs)) for replicate in replicates]
    pooled = protocol.final.complete == "appendix_d"
    every = tuple(run for replicate in replicates for run in replicate.fold_runs)
    return [
        _diverged(replicate.complete_run) or _no_lengths(every if pooled else replicate.fold_runs)
        for replicate in replicates
    ]


def _no_lengths(fold_runs: tuple[Run | None, ...]) -> bool:
    """Whether every fold run diverged, so that a complete run has no phase lengths."""
    return bool(fold_runs) and all(_diverged(run) for run in fold_runs)


def _diverged(run: Run | None) -> bool:
    return run is not None and run.diverged
