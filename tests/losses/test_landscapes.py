"""Landscapes: gradients against differences of values, and where the minimum of a loss is known."""

from __future__ import annotations

import numpy as np
import pytest

from realitycheck.errors import InputError
from realitycheck.losses import landscapes
from realitycheck.losses.build import build
from realitycheck.losses.landscapes import landscape, similarity_plane
from realitycheck.losses.menu import MENU
from realitycheck.protocol.knobs import own_knobs, phase_knobs
from realitycheck.protocol.paper_settings import first_setting

WITHOUT_VECTORS = {"ccl", "hist", "proxy_gml"}
"""Losses with class vectors of another kind."""

SOFTMAX = {"temperature": 3.0}
WARP = {**SOFTMAX, "point": 0.8, "inner_slope": 0.5, "outer_slope": 1.5, "handicap": 1.0}


def differences(values: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Central differences in the interior, by both coordinates."""
    step = axis[1] - axis[0]
    along = (values[1:-1, 2:] - values[1:-1, :-2]) / (2 * step)
    across = (values[2:, 1:-1] - values[:-2, 1:-1]) / (2 * step)
    return np.stack([along, across], axis=-1)


def test_gradients_are_differences_of_values():
    drawn = landscape(
        build("euclidean_softmax", num_classes=4, embedding_dim=2, **SOFTMAX), classes=4, extent=0.1, points=9
    )
    np.testing.assert_allclose(drawn.slopes[1:-1, 1:-1], differences(drawn.values, drawn.axis), atol=2e-3)
    assert drawn.vectors.round(6).tolist() == [[-1, 0], [0, 1], [1, 0], [0, -1]]


def test_values_by_hand():
    """Two classes, an embedding at (1, 0): distance 2 to its own vector and 0 (at least 1e-6) to the other."""
    drawn = landscape(
        build("euclidean_softmax", num_classes=2, embedding_dim=2, **SOFTMAX), classes=2, extent=1.0, points=3
    )
    assert drawn.values[1, 2] == pytest.approx(np.log1p(np.exp(6.0)), abs=1e-3)


def test_the_minimum_of_the_warp_is_at_its_point_of_attraction():
    """On the side of the own vector that is away from the other one, at the distance w."""
    drawn = landscape(build("warped_softmax", num_classes=2, embedding_dim=2, **WARP), classes=2, extent=2.4, points=5)
    assert len(drawn.minima) == 1
    np.testing.assert_allclose(drawn.minima[0], [-1 - WARP["point"], 0.0], atol=0.02)


def test_the_minimum_of_the_warp_among_four_classes():
    drawn = landscape(build("warped_softmax", num_classes=4, embedding_dim=2, **WARP), classes=4, extent=2.4, points=5)
    (place,) = drawn.minima
    assert np.linalg.norm(place - drawn.vectors[0]) == pytest.approx(WARP["point"], abs=0.02)
    assert place[0] < -1 and abs(place[1]) < 0.02


def test_a_loss_without_vectors_is_refused():
    with pytest.raises(InputError) as caught:
        landscape(build("triplet", num_classes=2, embedding_dim=2, margin=0.1), classes=2, extent=1.0, points=3)
    assert [problem.code for problem in caught.value.problems] == ["picture-without-vectors"]


def test_the_plane_of_a_triplet():
    """Two triplets, each max(0, d_p - d_n + m) with d the Euclidean distance of unit vectors: √(2 - 2 s)."""
    drawn = similarity_plane(build("triplet", num_classes=2, embedding_dim=3, margin=0.2), low=0.0, points=15)
    negative, positive = np.meshgrid(drawn.axis, drawn.axis)
    possible = ~np.isnan(drawn.values)
    assert np.array_equal(possible, negative < np.sqrt((1 + positive) / 2))
    expected = np.maximum(0, np.sqrt(2 - 2 * positive) - np.sqrt(2 - 2 * negative) + 0.2)
    np.testing.assert_allclose(drawn.values[possible], expected[possible], atol=1e-3)


@pytest.mark.parametrize("classes", [2, 4])
def test_every_landscape_has_the_gradients_of_its_values(monkeypatch, classes):
    """By central differences of values in float32; a margin or a maximum may have its edge between some points."""
    monkeypatch.setattr(landscapes, "STEPS", 1)
    drawn = {}
    for name, entry in MENU.items():
        if entry.family != "proxies" or entry.wraps or name in WITHOUT_VECTORS:
            continue
        knobs = own_knobs(phase_knobs(first_setting(name, None) or {}, "normal"))
        loss = build(name, num_classes=classes, embedding_dim=2, seed=0, **knobs)
        drawn[name] = landscape(loss, classes=classes, extent=0.9, points=10)
    for name, one in drawn.items():
        slopes, expected = one.slopes[1:-1, 1:-1], differences(one.values, one.axis)
        close = np.abs(slopes - expected) <= 0.1 * np.abs(slopes).max() + 1e-3
        assert close.mean() > 0.8, (name, close.mean())
    assert len(drawn) >= 18
