"""The sampler `qmc` against the properties of a Sobol sequence, and scipy's discrepancy."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy.stats.qmc import discrepancy

from realitycheck.executors.base import unheard
from realitycheck.search.propose import propose
from realitycheck.search.samplers.qmc import sobol_point, value_at


def knobs(slot: int, space, *, sampler: str = "qmc", search: str = "s", startup: int = 0, history=()):
    names = {"id": "i", "search": search, "data": "d", "dataset": "x", "loss": "l", "slot": slot, "root": 1}
    rule = {
        "space": space,
        "sampler": sampler,
        "startup_trials": startup,
        "startup": "random",
        "published": {},
        "pending": [],
    }
    return propose({**names, **rule, "history": list(history)}, tell=unheard)["knobs"]


def points(slots: int, *, sampler: str, search: str) -> np.ndarray:
    """(slots, 3) values in the unit cube."""
    space = {name: {"uniform": [0.0, 1.0]} for name in "abc"}
    return np.array([list(knobs(slot, space, sampler=sampler, search=search).values()) for slot in range(slots)])


def test_it_covers_the_cube_more_evenly_than_random_draws():
    """Centred discrepancy (Hickernell, 1998) of 32 points; the worst of five sequences against the best of five."""
    even = [discrepancy(points(32, sampler="qmc", search=f"{n}")) for n in range(5)]
    chance = [discrepancy(points(32, sampler="random", search=f"{n}")) for n in range(5)]
    assert max(even) < min(chance)


def test_every_axis_has_one_of_each_power_of_two():
    """The first 2^m points of a digital net fall into all 2^m intervals of each axis, one in each."""
    cells = np.sort((points(16, sampler="qmc", search="s") * 16).astype(int), axis=0)
    assert (cells == np.arange(16)[:, None]).all()


def test_a_slot_is_a_point_of_one_sequence():
    sequence = torch.quasirandom.SobolEngine(3, scramble=True, seed=9).draw(20, dtype=torch.float64).tolist()
    assert [sobol_point(3, slot=slot, seed=9) for slot in range(20)] == sequence


def test_values_of_earlier_trials_do_not_matter():
    space = {"a": {"uniform": [0.0, 1.0]}}
    told = [{"knobs": {"a": 0.5}, "value": value} for value in (0.1, None, 0.9)]
    assert knobs(7, space, history=told) == knobs(7, space)


def test_start_up_trials_are_drawn_at_random_and_the_sequence_goes_on_at_its_slot():
    space = {"a": {"uniform": [0.0, 1.0]}}
    assert knobs(0, space, startup=1) == knobs(0, space, sampler="random")
    assert knobs(1, space, startup=1) == knobs(1, space)


def test_choices_and_integers_come_equally_often():
    space = {"rule": {"choice": ["a", "b"]}, "bins": {"int_uniform": [3, 6]}}
    drawn = [knobs(slot, space) for slot in range(16)]
    assert Counter(each["rule"] for each in drawn) == {"a": 8, "b": 8}
    assert Counter(each["bins"] for each in drawn) == {3: 4, 4: 4, 5: 4, 6: 4}


@pytest.mark.parametrize(
    ("distribution", "share", "value"),
    [
        (FloatDistribution(-1.0, 3.0), 0.25, 0.0),
        (FloatDistribution(0.01, 100.0, log=True), 0.75, 10.0),
        (IntDistribution(2, 5), 0.0, 2),
        (IntDistribution(2, 5), 0.49, 3),
        (IntDistribution(2, 5), 0.51, 4),
        (IntDistribution(2, 5), 0.25, 3),
        (IntDistribution(2, 5), 0.75, 5),
        (IntDistribution(2, 5), 0.999, 5),
        # ln 0.5 to ln 8.5: half of it ends at √(0.5 · 8.5) = 2.06; 1 has ln 3 / ln 17 = 0.388 of it.
        (IntDistribution(1, 8, log=True), 0.5, 2),
        (IntDistribution(1, 8, log=True), 0.387, 1),
        (IntDistribution(1, 8, log=True), 0.389, 2),
        (IntDistribution(1, 8, log=True), 0.9999, 8),
        (CategoricalDistribution((10, 20, 30)), 0.34, 20),
        (CategoricalDistribution((10, 20, 30)), 0.999, 30),
    ],
)
def test_quantiles_by_hand(distribution, share, value):
    found = value_at(distribution, share)
    assert found == pytest.approx(value, rel=1e-12, abs=1e-12)
    assert type(found) is type(value)
