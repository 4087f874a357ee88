"""The ranges of v3: one rule for all losses, equal functions alike, and published values inside."""

from __future__ import annotations

from pathlib import Path

import pytest

from realitycheck.catalog import resolve_loss
from realitycheck.losses.build import lengths_of
from realitycheck.protocol.paper_settings import published
from realitycheck.protocol.read import read_spaces
from realitycheck.protocol.space import Bounds, Choice, LogUniform, contains
from realitycheck.protocol.units import LengthUnit, powers_of

SPACES = Path(__file__).parents[2] / "protocols" / "spaces"
V2, V3 = (read_spaces(SPACES / f"{version}.yaml").value for version in ("v2", "v3"))

RATES = (1e-6, 10.0)

HEADS = (6.53, 64.0)
"""Of 128 dims by torch's default, and by Kaiming over 2,048 features."""

SETTINGS = [(loss, name) for loss, settings in published().items() for name in settings]

LIKE_SGD = {("proxy_nca_pp", "paper"), ("proxy_nca_pp", "sop"), ("warped_softmax", "sop")}
"""Their rates of class vectors, 225 to 400, are of Adam with an epsilon of 1, which steps like SGD."""


def bounds_of(loss: str, knob: str) -> tuple[float, float]:
    return V3[loss][knob].bounds


def test_it_has_the_losses_and_knobs_of_v2():
    assert {loss: set(space) for loss, space in V3.items()} == {loss: set(space) for loss, space in V2.items()}


def test_only_lengths_rates_and_one_temperature_have_other_ranges():
    """`moco` is compared with pairs, and has the temperatures of pairs."""
    changed = {(loss, knob) for loss, space in V3.items() for knob in space if space[knob] != V2[loss][knob]}
    rates = {(loss, "loss_lr") for loss, space in V3.items() if "loss_lr" in space}
    lengths = {(loss, knob) for loss, space in V3.items() for knob in powers_of(space, lengths_of(*resolve_loss(loss)))}
    assert changed - rates - lengths == {("moco", "temperature"), ("moco", "followup_temperature")}
    assert rates <= changed
    assert lengths <= changed


def test_every_rate_of_a_loss_has_one_range():
    rates = {space["loss_lr"] for space in V3.values() if "loss_lr" in space}
    assert rates == {LogUniform(log_uniform=RATES)}


def test_equal_functions_have_equal_ranges():
    """T is a temperature, a scale its inverse; a squared distance of unit vectors is 2 - 2cos, so its scale is half."""
    low, high = bounds_of("normalized_softmax", "temperature")
    scales = pytest.approx((1 / high, 1 / low))
    for loss, knob in [
        ("cosface", "scale"),
        ("arcface", "scale"),
        ("arcface_periodic", "scale"),
        ("soft_triple", "scale"),
        ("cosine_cross_entropy", "scale"),
        ("sphereface_r", "scale"),
        ("magface", "scale"),
        ("proxy_anchor", "alpha"),
        ("sgsl", "scale"),
        ("euclidean_softmax", "temperature"),
        ("warped_softmax", "temperature"),
        ("softmax_ablation", "temperature"),
    ]:
        assert bounds_of(loss, knob) == scales, loss
    for loss in ("proxy_nca", "proxy_nca_pp", "hist"):
        assert tuple(2 * end for end in bounds_of(loss, "scale")) == scales
    assert bounds_of("ccl", "temperature") == (low, high)
    assert (
        bounds_of("nt_xent", "temperature") == bounds_of("sup_con", "temperature") == bounds_of("moco", "temperature")
    )
    assert bounds_of("lifted_structure", "neg_margin") == bounds_of("generalized_lifted", "neg_margin")
    assert bounds_of("contrastive", "neg_margin") == bounds_of("lifted_structure", "neg_margin")


@pytest.mark.parametrize(("loss", "name"), SETTINGS)
@pytest.mark.parametrize("head", HEADS)
def test_published_values_are_inside(loss, name, head):
    """In units of the length of their own model, or where it is not known of ours; lengths not on a bound."""
    setting, space = published()[loss][name], V3[loss]
    unit = LengthUnit(setting.belongs.length or head, powers_of(space, lengths_of(*resolve_loss(loss))))
    for knob, value in unit.relative(setting.knobs).items():
        bounds = space.get(knob, value)
        if isinstance(bounds, Bounds | Choice):
            assert contains(bounds, value), (knob, value)
        else:
            assert bounds == (pytest.approx(value, rel=0.01) if knob in unit.powers else value), knob
        if isinstance(bounds, Bounds) and knob in unit.powers:
            assert value not in bounds.bounds or value == 0


@pytest.mark.parametrize(("loss", "name"), [pair for pair in SETTINGS if pair not in LIKE_SGD])
def test_published_rates_are_inside(loss, name):
    rate = published()[loss][name].belongs.loss_lr
    assert rate is None or RATES[0] < rate < RATES[1]


def test_rates_like_those_of_sgd_are_outside():
    assert all(published()[loss][name].belongs.loss_lr > RATES[1] for loss, name in LIKE_SGD)
