"""The sampler `gp_guarded`: fewer proposals on bounds, and an optimum on a face is still found."""

from __future__ import annotations

import math

import pytest
from optuna.distributions import FloatDistribution
from optuna.samplers import BaseSampler
from optuna.study import create_study
from optuna.trial import create_trial

from realitycheck.executors.base import unheard
from realitycheck.search.propose import propose
from realitycheck.search.samplers.base import Turn
from realitycheck.search.samplers.gp_guarded import GuardedSampler, share_of
from realitycheck.search.samplers.qmc import value_at

SPACE = {"a": {"uniform": [0.0, 1.0]}, "b": {"log_uniform": [1e-4, 1.0]}, "c": {"uniform": [-1.0, 1.0]}}
STARTUP, TRIALS = 6, 14


def shares(knobs) -> list[float]:
    """Where a setting is in its ranges, each on its scale."""
    return [knobs["a"], math.log10(knobs["b"]) / 4 + 1, knobs["c"] / 2 + 0.5]


def searched(sampler: str, optimum, *, search: str):
    """The settings of a search of a smooth hill, on which every knob has weight: else no bound would be a waste."""
    history = []
    for slot in range(TRIALS):
        names = {"id": "i", "search": search, "data": "d", "dataset": "x", "loss": "l", "slot": slot, "root": 1}
        rule = {
            "space": SPACE,
            "sampler": sampler,
            "startup_trials": STARTUP,
            "startup": "random",
            "published": {},
            "pending": [],
        }
        knobs = propose({**names, **rule, "history": history}, tell=unheard)["knobs"]
        apart = sum(
            weight * (share - best) ** 2 for weight, share, best in zip((3, 2, 1), shares(knobs), optimum, strict=True)
        )
        history.append({"knobs": knobs, "value": 0.3 + 0.3 * math.exp(-apart)})
    return history


def on_bounds(history) -> int:
    """How many proposals after the start-up have a knob on a bound."""
    places = [shares(trial["knobs"]) for trial in history[STARTUP:]]
    return sum(any(min(share, 1 - share) < 1e-9 for share in place) for place in places)


def test_fewer_proposals_lie_on_bounds():
    """The optimum is inside the box, so a proposal on a bound is a wasted one: over three searches, half as many."""
    inside = {"0": (0.4, 0.6, 0.5), "1": (0.6, 0.3, 0.4), "2": (0.3, 0.5, 0.7)}
    plain, guarded = (
        sum(on_bounds(searched(sampler, optimum, search=search)) for search, optimum in inside.items())
        for sampler in ("gp", "gp_guarded")
    )
    assert plain >= 6  # a quarter of 24
    assert guarded <= plain / 2


@pytest.mark.parametrize("face", [0.0, 1.0])
def test_an_optimum_on_a_face_is_found(face):
    history = searched("gp_guarded", (face, 0.5, 0.5), search="s")
    best = max(history, key=lambda trial: trial["value"])
    assert abs(best["knobs"]["a"] - face) < 0.05


class Listening(BaseSampler):
    """Keep what the study holds when it is asked."""

    def infer_relative_search_space(self, study, trial):
        return dict(trial.distributions)

    def sample_relative(self, study, trial, search_space):
        self.heard = study.get_trials()
        return {}

    def sample_independent(self, study, trial, param_name, param_distribution):
        raise AssertionError


def pseudo(values: dict[float, float]):
    """The pseudo-observations that a sampler sees, after trials at places of a range with these values."""
    space = {"x": FloatDistribution(1.0, 3.0)}
    study, sampler = create_study(direction="maximize"), Listening()
    for place, value in values.items():
        study.add_trial(create_trial(params={"x": place}, distributions=space, value=value))
    guard = GuardedSampler(Turn(slot=9, seed=1, search_seed=2, space=space), sampler)
    guard.sample_relative(study, study.ask()._get_latest_trial(), space)
    heard = [trial for trial in sampler.heard[len(values) :] if trial.values]
    return [(trial.params["x"], trial.value) for trial in heard]


def test_both_faces_have_the_lowest_value():
    assert sorted(pseudo({1.9: 0.5, 2.0: 0.2, 2.1: 0.4})) == [(1.0, 0.2)] * 2 + [(3.0, 0.2)] * 2


def test_a_face_that_the_three_best_approach_has_none():
    """A fifth of the range is 0.4; the fourth best, far from the face, keeps nothing."""
    assert pseudo({1.39: 0.3, 1.1: 0.5, 1.2: 0.4, 3.0: 0.1}) == [(3.0, 0.1)] * 2
    assert len(pseudo({1.41: 0.3, 1.1: 0.5, 1.2: 0.4, 3.0: 0.1})) == 4
    assert len(pseudo({1.1: 0.5, 1.2: 0.4})) == 4


def test_no_face_has_any_before_a_trial_has_a_value():
    assert pseudo({}) == []


@pytest.mark.parametrize("distribution", [FloatDistribution(-2.0, 6.0), FloatDistribution(1e-4, 10.0, log=True)])
def test_a_share_is_the_inverse_of_a_value(distribution):
    for share in (0.0, 0.125, 0.5, 1.0):
        assert share_of(distribution, value_at(distribution, share)) == pytest.approx(share)
