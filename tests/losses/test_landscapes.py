"""Landscapes: gradients against differences of values, and where the minimum of a loss is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from realitycheck.errors import InputError
from realitycheck.losses import landscapes
from realitycheck.losses.build import build
from realitycheck.losses.landscapes import landscape, similarity_plane
from realitycheck.losses.menu import MENU
from realitycheck.protocol.knobs import own_knobs, phase_knobs
from realitycheck.protocol.paper_settings import first_setting

WITHOUT_VECTORS = {"ccl"}
"""Losses on class vectors that they do not learn."""

OTHER_SLOPES = {"circle_class", "sphereface_r", "proxy_gml"}
"""Losses with weights without gradient, and one that changes the classes it compares with between places."""

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


def test_every_landscape_has_the_values_and_the_slopes_of_its_loss(monkeypatch):
    """In four places; tests/extended has a grid."""
    monkeypatch.setattr(landscapes, "STEPS", 1)
    names = [name for name, entry in MENU.items() if entry.family == "proxies" and not entry.wraps]
    for name in (name for name in names if name not in WITHOUT_VECTORS):
        compare_with_differences(name, classes=4, points=2)
    assert len(names) >= 20


def compare_with_differences(name: str, *, classes: int, points: int) -> None:
    """By the loss in float64, and by its central differences where no weight of the loss is without gradient."""
    knobs = dict(own_knobs(phase_knobs(first_setting(name, None) or {}, "normal")))
    knobs |= {"inner_slope": 1.0} if "inner_slope" in knobs else {}  # the handicap of a warp has no gradient
    loss = build(name, num_classes=classes, embedding_dim=2, seed=0, **knobs)
    drawn = landscape(loss, classes=classes, extent=1.3, points=points)
    expected = np.array([[around(loss.double(), x, y) for x in drawn.axis] for y in drawn.axis])
    np.testing.assert_allclose(drawn.values, expected[..., 0], rtol=1e-3, atol=1e-3, err_msg=name)
    if name not in OTHER_SLOPES:
        tolerance = 0.01 * np.abs(expected[..., 1:]).max() + 1e-3
        np.testing.assert_allclose(drawn.slopes, expected[..., 1:], atol=tolerance, rtol=0, err_msg=name)


def around(loss: torch.nn.Module, x: float, y: float, step: float = 1e-5) -> list[float]:
    """The loss of one embedding of class 0 at (x, y), and its differences by x and y."""

    def at(one: float, other: float) -> float:
        with torch.no_grad():
            return float(loss(torch.tensor([[one, other]], dtype=torch.float64), torch.zeros(1, dtype=torch.int64)))

    along, across = at(x + step, y) - at(x - step, y), at(x, y + step) - at(x, y - step)
    return [at(x, y), along / (2 * step), across / (2 * step)]
