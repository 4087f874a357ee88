"""How long a complete run trains: it has no validation left, so its lengths come from fold runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from realitycheck.protocol.model import Phase
from realitycheck.records.schema import Run

EPOCH_MULTIPLE = 5
"""DeMoor and Prevost (2024), Appendix D-B: epoch counts are rounded up to a multiple of five."""


def complete_phases(
    fold_runs: Sequence[Run], *, rule: str, phases: Sequence[Phase], epoch: int | str, batch_size: int
) -> tuple[Mapping[str, Any], ...] | None:
    """The phases of a complete run, `{"name", "iterations", "record_every"}` each, or None if no fold run completed.

    The means of its training curve are over `record_every` iterations, the evaluation interval of the fold runs.

    Args:
        fold_runs: runs whose selected checkpoints count: of all replicates under `appendix_d`, of one
            replicate under `per_replicate`. Diverged ones are passed over.
        rule: `appendix_d`: the mean total and the mean follow-up epochs up to the selected checkpoint, each rounded
            up to a multiple of five; normal is the difference. `per_replicate`: the mean iterations of each phase,
            rounded up to one evaluation interval.
        phases: the protocol's phases.
        epoch: iterations of an epoch, or `pass` for one pass over the training images.
        batch_size: images of a batch; used by `pass`.
    """
    done = [run for run in fold_runs if not run.diverged]
    if not done:
        return None
    if rule == "per_replicate":
        lengths = [
            _round_up(_mean([_selected(run, phase.name) for run in done]), phase.evaluate_every) for phase in phases
        ]
    else:
        lengths = _appendix_d(done, phases=phases, epoch=epoch, batch_size=batch_size)
    return tuple(
        {"name": phase.name, "iterations": length, "record_every": phase.evaluate_every}
        for phase, length in zip(phases, lengths, strict=True)
        if length
    )


def _appendix_d(done: Sequence[Run], *, phases: Sequence[Phase], epoch: int | str, batch_size: int) -> list[int]:
    def epochs(run: Run, names: Sequence[str]) -> Fraction:
        iterations = sum(_selected(run, name) for name in names)
        return Fraction(iterations, _epoch_length(epoch, images=run.images.train, batch_size=batch_size))

    every = [phase.name for phase in phases]
    total = _round_up(_mean([epochs(run, every) for run in done]), EPOCH_MULTIPLE)
    followup = _round_up(_mean([epochs(run, every[1:]) for run in done]), EPOCH_MULTIPLE)
    images = done[0].images.train + done[0].images.val
    length = _epoch_length(epoch, images=images, batch_size=batch_size)
    return [(total - followup) * length, followup * length][: len(phases)]


def _selected(run: Run, name: str) -> int:
    """Iterations of one phase up to the selected checkpoint; 0 where the phase brought no new best."""
    return sum(phase.best_iteration for phase in run.phases if phase.name == name)


def _epoch_length(epoch: int | str, *, images: int, batch_size: int) -> int:
    return epoch if isinstance(epoch, int) else math.ceil(images / batch_size)


def _mean(values: Sequence[int | Fraction]) -> Fraction:
    return Fraction(sum(values)) / len(values)


def _round_up(value: Fraction, multiple: int) -> int:
    return math.ceil(value / multiple) * multiple
