"""The posterior mean of the tried settings, against a Gaussian process by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg, optimize, stats
from standins import unheard

from realitycheck.errors import LedgerError
from realitycheck.records.from_json import read_record
from realitycheck.search.posterior_mean import encoded, posterior_means, select

RNG = np.random.default_rng(0)
POINTS = RNG.uniform(size=(20, 2))
VALUES = 0.5 + 0.1 * np.sin(5 * POINTS[:, 0]) - 0.1 * (POINTS[:, 1] - 0.4) ** 2 + 0.01 * RNG.standard_normal(20)


def covariance(points, parameters):
    """A Matérn 5/2 with one length per dimension, by its formula (Rasmussen and Williams 2006, eq. 4.17)."""
    scaled = points / np.exp(parameters[2:])
    apart = np.sqrt(5) * np.linalg.norm(scaled[:, None] - scaled[None], axis=2)
    return np.exp(parameters[0]) * (1 + apart + apart**2 / 3) * np.exp(-apart)


def by_hand(points, values):
    """The posterior mean under the most likely parameters of six random starts."""
    mean, spread = np.mean(values), np.std(values)
    standard = (np.asarray(values) - mean) / spread

    def whole(parameters):
        return covariance(points, parameters) + np.exp(parameters[1]) * np.eye(len(points))

    def unlikely(parameters):
        return -stats.multivariate_normal.logpdf(standard, cov=whole(parameters), allow_singular=True)

    lengths = [np.log((0.05, 20.0))] * points.shape[1]
    bounds = [np.log((1e-2, 1e2)), np.log((1e-4, 1.0)), *lengths]
    starts = np.random.default_rng(1).uniform(*np.transpose(bounds), size=(6, len(bounds)))
    fits = [optimize.minimize(unlikely, start, bounds=bounds, method="L-BFGS-B") for start in starts]
    best = min(fits, key=lambda fit: fit.fun).x
    return mean + spread * covariance(points, best) @ linalg.solve(whole(best), standard)


def test_it_is_the_posterior_mean_of_the_most_likely_process():
    found = posterior_means(POINTS, list(VALUES), seed=3)
    assert found == pytest.approx(by_hand(POINTS, VALUES), abs=2e-4)
    assert found == posterior_means(POINTS, list(VALUES), seed=3)


def chosen(places, values):
    payload = {"search": "s", "places": places, "values": values, "root": 7}
    return read_record(select(payload, tell=unheard))


LUCKY = ([0.20, 0.25, 0.30, 0.35, 0.40, 0.70, 0.71, 0.72], [0.49, 0.50, 0.51, 0.50, 0.49, 0.30, 0.52, 0.31])
"""The highest value has two neighbours that are far lower; five others are all nearly as high."""


def test_a_lucky_value_among_low_ones_is_not_chosen():
    places, values = LUCKY
    record = chosen([{"margin": place} for place in places], values)
    assert values[record.slot] != max(values)
    assert places[record.slot] <= 0.40
    assert record.means[6] < 0.45


def test_a_diverged_trial_is_no_value_and_cannot_be_chosen():
    places, values = LUCKY
    plain = chosen([{"margin": place} for place in places], values)
    record = chosen([{"margin": 0.3}, *({"margin": place} for place in places)], [None, *values])
    assert record.means[0] is None
    assert record.means[1:] == pytest.approx(plain.means, abs=1e-6)
    assert record.slot == plain.slot + 1


def test_equal_means_go_to_the_lowest_slot():
    assert chosen([{"margin": place} for place in (0.9, 0.1, 0.5)], [0.4, 0.4, 0.4]).slot == 0
    assert chosen([{}, {}, {}], [None, 0.4, 0.5]).slot == 1  # nothing is searched: all settings are one


def test_options_are_columns_of_their_own():
    places = [{"kind": "soft", "margin": 0.1, "fixed": 1.0}, {"kind": "hard", "margin": 0.3, "fixed": 1.0}]
    assert encoded(places).tolist() == [[0.0, 1.0, 0.1], [1.0, 0.0, 0.3]]


@pytest.mark.parametrize("changes", [{"slot": 0}, {"means": []}, {"means": [0.1, "0.2", None]}, {"slot": 2}])
def test_a_record_whose_slot_is_not_that_of_its_highest_mean_is_refused(changes):
    body = chosen([{"margin": place} for place in (0.1, 0.5, 0.9)], [0.1, 0.4, None]).to_json()
    assert body["slot"] == 1
    with pytest.raises(LedgerError):
        read_record(body | changes)
