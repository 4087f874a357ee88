"""Bayesian optimisation with a Gaussian process and expected improvement, by Optuna.

It is the nearest to the Bayesian optimisation of Musgrave, Belongie and Lim (ECCV 2020).
"""

from __future__ import annotations

import torch
from optuna.samplers import BaseSampler, GPSampler, RandomSampler

from realitycheck.search.samplers.base import Turn


def gp(turn: Turn) -> BaseSampler:
    """The sampler of one slot. Every argument is given: defaults have changed between Optuna's versions."""
    torch.set_num_threads(1)  # sums in another order move a proposal
    return GPSampler(
        seed=turn.seed,
        independent_sampler=RandomSampler(seed=turn.seed),
        n_startup_trials=1,
        deterministic_objective=False,
        constraints_func=None,
    )
