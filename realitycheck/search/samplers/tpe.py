"""Tree-structured Parzen estimator, multivariate: draws where good trials are denser than the others, by Optuna.

Source: Bergstra, Bardenet, Bengio and Kégl, *Algorithms for Hyper-Parameter Optimization*, NeurIPS 2011; multivariate
as by Falkner, Klein and Hutter, *BOHB*, ICML 2018.
"""

from __future__ import annotations

from optuna.samplers import BaseSampler, TPESampler

from realitycheck.search.samplers.base import Turn


def tpe(turn: Turn) -> BaseSampler:
    """The sampler of one slot. Arguments that Optuna deprecates are left out: they have one value in all versions."""
    return TPESampler(
        seed=turn.seed,
        multivariate=True,
        group=False,
        n_startup_trials=1,
        n_ei_candidates=24,
        constant_liar=True,  # trials of the same round count as poor ones, so that they are not proposed again
    )
