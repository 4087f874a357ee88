"""PED-ANOVA against optuna's evaluator, and by hand."""

import math
import warnings

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

from realitycheck.statistics.knob_importance import FEWEST, TOP, Axis, knob_importance

DISTRIBUTIONS = {
    "rate": FloatDistribution(1e-5, 1e-2, log=True),
    "margin": FloatDistribution(-1.0, 3.0),
    "centres": IntDistribution(1, 10),
    "size": IntDistribution(1, 500, log=True),
    "wide": IntDistribution(0, 400),
    "kind": CategoricalDistribution(["hard", "soft", "all"]),
}
AXES = {
    "rate": Axis(50),
    "margin": Axis(50),
    "centres": Axis(10),
    "size": Axis(math.ceil(math.log2(500)) + 1),
    "wide": Axis(50),
    "kind": Axis(3, ("hard", "soft", "all")),
}


def drawn(seed, trials):
    rng = np.random.default_rng(seed)
    places, params, values = [], [], []
    for _ in range(trials):
        at = {name: float(rng.random()) for name in ("rate", "margin")}
        centres, wide = int(rng.integers(1, 11)), int(rng.integers(0, 401))
        size = int(np.exp(rng.random() * math.log(500)))
        kind = ["hard", "soft", "all"][rng.integers(3)]
        params.append(
            {
                "rate": 1e-5 * 1000 ** at["rate"],
                "margin": -1 + 4 * at["margin"],
                **{"centres": centres, "size": size, "wide": wide, "kind": kind},
            }
        )
        shares = {"centres": (centres - 1) / 9, "size": math.log(size) / math.log(500), "wide": wide / 400}
        places.append({**at, **shares, "kind": kind})
        values.append(-((at["rate"] - 0.6) ** 2) + 0.02 * (kind == "soft") + 0.05 * float(rng.standard_normal()))
    return places, params, values


@pytest.mark.parametrize(("seed", "trials"), [(0, 25), (1, 50), (2, 200)])
def test_shares_equal_those_of_optuna(seed, trials):
    places, params, values = drawn(seed, trials)
    study = optuna.create_study(direction="maximize")
    study.add_trials(
        [
            optuna.trial.create_trial(params=own, distributions=DISTRIBUTIONS, value=value)
            for own, value in zip(params, values, strict=True)
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=TOP))
    ours = knob_importance(values, places, axes=AXES)
    # Optuna takes logarithms of probabilities and back, hence the rounding.
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert max(ours, key=ours.get) == "rate"


def test_a_knob_whose_best_trials_lie_like_all_trials_has_no_share():
    values = [float(number % 5 == 0) for number in range(50)]  # ten of the best, alike in both halves of `idle`
    places = [{"idle": "ab"[number // 5 % 2], "acts": "ab"[number % 5 == 0]} for number in range(50)]
    axes = {"idle": Axis(2, ("a", "b")), "acts": Axis(2, ("a", "b"))}
    shares = knob_importance(values, places, axes=axes)
    assert shares["idle"] == pytest.approx(0, abs=1e-9)
    assert shares["acts"] == pytest.approx(1)


def test_diverged_trials_and_few_trials():
    places, _, values = drawn(3, 24)
    full = knob_importance(values, places, axes=AXES)
    assert full
    with_holes = knob_importance([*values, None], [*places, places[0]], axes=AXES)
    assert with_holes == full
    few = math.floor((FEWEST - 1) / TOP)
    assert knob_importance(values[:few], places[:few], axes=AXES) == {}
    assert knob_importance(values[: few + 1], places[: few + 1], axes=AXES)
