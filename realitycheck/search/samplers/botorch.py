"""Bayesian optimisation by BoTorch through optuna-integration: the engine below Ax, with which the original searched.

It proposes the point with the highest noisy expected improvement (Letham, Karrer, Ottoni and Bakshy, *Constrained
Bayesian optimization with noisy experiments*, Bayesian Analysis 14(2), 2019), as Ax did in 2020, in its logarithm
(Ament et al., *Unexpected improvements to expected improvement for Bayesian optimization*, NeurIPS 2023), which BoTorch
advises. The Gaussian process has the defaults of the installed BoTorch.
"""

from __future__ import annotations

import torch
from optuna.samplers import BaseSampler, RandomSampler
from torch import Tensor

from realitycheck.search.samplers.base import Turn

DRAWS, STARTS, RAW = 256, 10, 512
"""Draws of the expected improvement, starts of its optimisation, and points from which these are taken."""


def botorch(turn: Turn) -> BaseSampler:
    """The sampler of one slot. Every argument is given: defaults have changed between versions."""
    from optuna_integration import BoTorchSampler  # imported here, because the extra may be absent

    torch.set_num_threads(1)  # sums in another order move a proposal
    sampler: BaseSampler = BoTorchSampler(
        candidates_func=candidates,
        constraints_func=None,
        n_startup_trials=1,
        consider_running_trials=True,
        independent_sampler=RandomSampler(seed=turn.seed),
        seed=turn.seed,
        device=torch.device("cpu"),
    )
    return sampler


def candidates(
    points: Tensor, values: Tensor, constraints: Tensor | None, bounds: Tensor, pending: Tensor | None
) -> Tensor:
    """The next point (1, D); the sampler has seeded torch's generator.

    Args:
        points: of the trials so far, (N, D).
        values: theirs, (N, 1); higher is better.
        constraints: None; a protocol has none.
        bounds: of the points, (2, D).
        pending: points (P, D) without a value yet, or None.
    """
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.models.transforms import Standardize
    from botorch.optim import optimize_acqf
    from botorch.sampling import SobolQMCNormalSampler
    from botorch.utils.transforms import normalize, unnormalize
    from gpytorch.mlls import ExactMarginalLogLikelihood

    unit = normalize(points, bounds=bounds)
    model = SingleTaskGP(unit, values, outcome_transform=Standardize(m=1))
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    improvement = qLogNoisyExpectedImprovement(
        model=model,
        X_baseline=unit,
        sampler=SobolQMCNormalSampler(torch.Size((DRAWS,))),
        X_pending=None if pending is None else normalize(pending, bounds=bounds),
    )
    box = torch.stack([torch.zeros_like(bounds[0]), torch.ones_like(bounds[0])])
    best, _ = optimize_acqf(improvement, bounds=box, q=1, num_restarts=STARTS, raw_samples=RAW)
    point: Tensor = unnormalize(best.detach(), bounds=bounds)
    return point
