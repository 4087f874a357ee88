"""Independent uniform draws, on the scale of each range; also the sampler of the start-up trials."""

from __future__ import annotations

from optuna.samplers import BaseSampler, RandomSampler

from realitycheck.search.samplers.base import Turn


def random(turn: Turn) -> BaseSampler:
    """The sampler of one slot; it ignores all trials before it."""
    return RandomSampler(seed=turn.seed)
