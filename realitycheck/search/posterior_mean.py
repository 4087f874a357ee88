"""`select: posterior_mean`: choose the tried setting with the highest posterior mean of a Gaussian process.

The best of noisy values is the luckiest of the good ones. The posterior mean shrinks each value towards those of
similar settings. In simulated searches the standard deviation between searches was 4 to 12 % lower than with the best
value.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from realitycheck.executors.base import Tell
from realitycheck.plan.seeds import derive
from realitycheck.records.chosen_trial import Selection
from realitycheck.runs import Body
from realitycheck.statistics.near_best import Place

RESTARTS = 8
"""How often the fit of the kernel's parameters starts again from a random point; the most likely fit counts."""


def select(payload: Body, *, tell: Tell) -> Body:
    """The selection of one search; the body of its record.

    Args:
        payload: `search`; `places`: the hyper-parameters of each trial as shares of their ranges, or as options;
            `values`: its validation MAP@R, None for a diverged trial; `root`: the protocol's seed.
        tell: not called; a selection takes a second.
    """
    values = payload["values"]
    known = [slot for slot, value in enumerate(values) if value is not None]
    points = encoded([payload["places"][slot] for slot in known])
    seed = derive(payload["root"], payload["search"], "selection") % 2**32
    fitted = dict(zip(known, posterior_means(points, [values[slot] for slot in known], seed=seed), strict=True))
    means = tuple(fitted.get(slot) for slot in range(len(values)))
    return Selection(payload["search"], max(known, key=lambda slot: (fitted[slot], -slot)), means).to_json()


def posterior_means(points: NDArray[np.float64], values: Sequence[float], *, seed: int) -> list[float]:
    """Return the posterior mean of a Gaussian process at each of the points that it is fitted to.

    The kernel is a Matérn 5/2 with one length per dimension, times a variance, plus white noise. Values are
    standardised.

    Args:
        points: (N, D), in [0, 1].
        values: (N,), finite.
        seed: of the restarts of the fit.
    """
    # Imported here, because the import takes seconds.
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    if points.shape[1] == 0 or len(set(values)) == 1:
        return [float(np.mean(values))] * len(values)
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(np.ones(points.shape[1]), (0.05, 20.0), nu=2.5)
    model = GaussianProcessRegressor(
        kernel + WhiteKernel(0.1, (1e-4, 1.0)), normalize_y=True, n_restarts_optimizer=RESTARTS, random_state=seed
    )
    with warnings.catch_warnings(), threadpool_limits(limits=1):  # threads sum in another order
        warnings.simplefilter("ignore")  # a parameter on its bound is no fault: a flat dimension has no length
        model.fit(points, np.asarray(values))
        return [float(mean) for mean in model.predict(points)]


def encoded(places: Sequence[Mapping[str, Place]]) -> NDArray[np.float64]:
    """Return settings as points (N, D): numbers as they are, and one column per option of a category."""
    columns = []
    for name in places[0]:
        held = [place[name] for place in places]
        if isinstance(held[0], str):
            columns += [[float(value == option) for value in held] for option in sorted(map(str, set(held)))]
        elif len(set(held)) > 1:
            columns.append([float(value) for value in held])
    return np.array(columns, dtype=np.float64).reshape(len(columns), len(places)).T
