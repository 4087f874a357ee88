"""Which settings are near-best, and how much a validation value varies: by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from small_study import PROTOCOL, write_study

from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import read_study
from realitycheck.protocol.space import Choice, IntUniform, LogIntUniform, LogUniform, Uniform, place_in
from realitycheck.records.curves import Best, Images
from realitycheck.records.evidence import Replicate, SearchEvidence, Trial
from realitycheck.records.near_settings import kept_trials, near_trials, runner_up_run, validation_noise
from realitycheck.records.schema import Run
from realitycheck.runs import Outcome, Stage
from realitycheck.statistics.near_best import retraining_noise

NEAR = PROTOCOL.replace("trials: 3,", "trials: 6,").replace("level: 0.95", "level: 0.95, runners_up: 2")


@pytest.fixture
def plan(tmp_path) -> DatasetPlan:
    study = read_study(write_study(tmp_path, protocol=NEAR)).study
    return DatasetPlan(study=study, dataset="pictures", data="d" * 64, test="t" * 64)


@pytest.fixture
def search(plan):
    """The search of the triplet loss, with `margin: {uniform: [0, 1]}`."""
    return plan.losses[1].searches[0]


def run(spec, value):
    best = Best(10, "normal", {"map_at_r": value, "r_precision": value, "precision_at_1": value})
    return Run(spec, Outcome.COMPLETED, None, best, (), (), Images(60, 20), "w" * 64, ())


def trial(search, slot, margin, *values):
    """A trial with the value of each fold; None where the run is missing."""
    specs = search.trial_runs(slot=slot, knobs={"margin": margin})
    runs = tuple(None if value is None else run(spec, value) for spec, value in zip(specs, values, strict=True))
    return Trial(slot, {"margin": margin}, "random", runs)


def replicate(search, index, *values):
    specs = search.replicate_runs(index=index, knobs={"margin": 0.5})
    runs = tuple(None if value is None else run(spec, value) for spec, value in zip(specs, values, strict=True))
    return Replicate(index, 0, runs, None, {})


@pytest.mark.parametrize(
    ("bounds", "value", "place"),
    [
        (Uniform(uniform=(1.0, 3.0)), 1.5, 0.25),
        (LogUniform(log_uniform=(0.01, 100.0)), 1.0, 0.5),
        (IntUniform(int_uniform=(1, 5)), 2, 0.25),
        (LogIntUniform(log_int_uniform=(1, 16)), 4, 0.5),
        (Choice(choice=("soft", "hard")), "hard", "hard"),
        (Choice(choice=(1, 2)), 2, "2"),
        (0.3, 0.3, 0.0),
    ],
)
def test_the_place_of_a_value_on_the_scale_of_its_range(bounds, value, place):
    assert place_in(bounds, value) == (pytest.approx(place) if isinstance(place, float) else place)


def test_noise_is_pooled_within_settings():
    # Squares around their means: 0.01² + 0.01² with 1 degree of freedom, 2 · 0.02² with 2, none of the single value.
    noise = retraining_noise([[0.50, 0.52], [0.30, 0.32, 0.28], [0.9]])
    assert noise == pytest.approx(math.sqrt((2 * 0.01**2 + 2 * 0.02**2) / 3))
    assert retraining_noise([[0.5], [], [0.7]]) == 0.0


def evidence(trials, replicates, *, planned):
    chosen = max(trials, key=lambda each: each.value)
    return SearchEvidence(0, "s", planned, tuple(trials), chosen, tuple(replicates))


def of_trials(trials, *, means=()):
    return SearchEvidence(0, "s", len(trials), tuple(trials), None, (), means=means)


def test_noise_is_known_when_every_fold_run_of_every_replicate_is(plan, search):
    trials = [trial(search, 0, 0.5, 0.6, 0.6)]
    whole = evidence(trials, [replicate(search, 0, 0.50, 0.54), replicate(search, 1, 0.48, 0.48)], planned=1)
    # The values 0.52 and 0.48 have a standard deviation of 0.04 / √2.
    assert validation_noise(plan.protocol, [whole]) == pytest.approx(0.04 / math.sqrt(2))
    part = replace(whole, replicates=(whole.replicates[0], replicate(search, 1, 0.48, None)))
    assert validation_noise(plan.protocol, [whole, part]) is None
    assert validation_noise(plan.protocol, [whole, replace(whole, planned=2)]) is None
    rule = plan.protocol.interval.model_copy(update={"runners_up": 0})
    assert validation_noise(plan.protocol.model_copy(update={"interval": rule}), [whole]) is None


def test_near_trials_are_apart_in_the_declared_range_and_inside_the_window(search):
    trials = [
        trial(search, 0, 0.50, 0.60, 0.60),
        trial(search, 1, 0.55, 0.59, 0.59),  # nearer than a tenth of the range to the best
        trial(search, 2, 0.70, 0.58, 0.58),
        trial(search, 3, 0.20, 0.57, 0.57),
        trial(search, 4, 0.90, 0.56, 0.56),  # two runners-up are taken
    ]
    assert [each.slot for each in near_trials(search, of_trials(trials), noise=1.0)] == [0, 2, 3]
    # 1.96 · √2 · 0.01 = 0.0277: 0.58 is inside of the window, 0.57 is not.
    assert [each.slot for each in near_trials(search, of_trials(trials), noise=0.01)] == [0, 2]


def test_near_trials_of_a_search_that_chose_by_posterior_mean_are_near_in_it(search):
    trials = [trial(search, 0, 0.5, 0.60, 0.60), trial(search, 1, 0.7, 0.58, 0.58), trial(search, 2, 0.2, 0.55, 0.55)]
    chosen = near_trials(search, of_trials(trials, means=(0.57, 0.59, 0.565)), noise=0.01)
    assert [each.slot for each in chosen] == [1, 0, 2]  # all inside of 0.0277 below 0.59


def test_kept_are_the_unfinished_and_the_best_distinct_ones(search):
    trials = [
        trial(search, 0, 0.1, 0.1, 0.1),
        trial(search, 1, 0.5, 0.6, 0.6),
        trial(search, 2, 0.3, 0.2, 0.2),
        trial(search, 3, 0.9, 0.3, 0.3),
        trial(search, 4, 0.2, 0.9, None),
    ]
    assert [each.slot for each in kept_trials(search, of_trials(trials), noise=None)] == [4, 1, 3, 2]
    assert [each.slot for each in kept_trials(search, of_trials(trials[:4]), noise=0.01)] == [1]


def test_a_dropped_trial_comes_back_where_a_better_one_displaces_its_neighbour(search):
    """0.43 is close to 0.50 and 0.36; 0.50 and 0.36 are apart."""
    before = [trial(search, 0, 0.43, 0.6, 0.6), trial(search, 1, 0.36, 0.5, 0.5)]
    assert [each.slot for each in kept_trials(search, of_trials(before), noise=None)] == [0]
    after = [*before, trial(search, 2, 0.50, 0.7, 0.7)]
    assert [each.slot for each in kept_trials(search, of_trials(after), noise=None)] == [2, 1]


def test_the_complete_run_of_a_runner_up_waits_for_its_folds(search):
    assert runner_up_run(search, trial(search, 3, 0.5, 0.6, None)) is None
    spec = runner_up_run(search, trial(search, 3, 0.5, 0.6, 0.6))
    assert (spec.stage, spec.index, spec.fold, spec.dims) == (Stage.FINAL, 0, None, 16)
