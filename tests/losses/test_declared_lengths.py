"""Which hyper-parameters are lengths, checked against what each formula does when every length is scaled."""

from __future__ import annotations

import pytest
import torch

from realitycheck.catalog import middle_knobs, resolve_loss
from realitycheck.losses.build import build, knobs_of, lengths_of
from realitycheck.losses.menu import MENU
from realitycheck.protocol.read import read_spaces
from realitycheck.protocol.study_file import space_of
from realitycheck.protocol.units import LengthUnit

CLASSES, PER_CLASS, DIMS = 4, 4, 8
LABELS = torch.arange(CLASSES).repeat_interleave(PER_CLASS)
WRAPPED = {"pairs": "contrastive", "proxies": "proxy_anchor"}
NAMES = [f"{name}({WRAPPED[entry.wraps]})" if entry.wraps else name for name, entry in MENU.items()]

LEARNED = {"cross_entropy", "large_margin_softmax", "sphereface", "sgsl", "ibc", "hist"}
"""Losses on raw embeddings whose learned weights multiply them: their logits have no unit, and no knob is a length."""


def batch(length: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return length * torch.randn(CLASSES * PER_CLASS, DIMS, generator=generator, dtype=torch.float64)


def value(name: str, knobs: dict, *, length: float) -> float:
    """The loss of one batch; class vectors that live among the embeddings are scaled with them."""
    torch.manual_seed(5)
    loss = build(name, num_classes=CLASSES, embedding_dim=DIMS, **knobs).double()
    if name in ("euclidean_softmax", "warped_softmax", "softmax_ablation"):
        with torch.no_grad():
            loss.proxies.mul_(length)
    beside = {need.value: batch(length).flip(1) for need in getattr(loss, "needs", ())}
    return float(loss(batch(length), LABELS, **beside).detach())


EXACT = {
    "euclidean_softmax": {"temperature": 1.3},
    "warped_softmax": {"temperature": 1.3, "point": 3.5, "inner_slope": 0.7, "outer_slope": 1.4, "handicap": 1.5},
    "softmax_ablation": {
        "own": "inner_warp",
        "other": "log",
        "scale": 2.5,
        "temperature": 1.3,
        "point": 3.5,
        "inner_slope": 0.7,
        "outer_slope": 1.4,
        "handicap": 1.5,
    },
    "magface": {
        "lower_margin": 10.0,
        "margin_gap": 20.0,
        "lower_norm": 2.0,
        "upper_norm": 4.0,
        "norm_weight": 2.0,
        "scale": 8.0,
    },
    "snr_contrastive": {"pos_margin": 0.3, "neg_margin": 1.5, "regularizer": 0.4},
    "snr_contrastive_normalized": {"pos_margin": 0.3, "neg_margin": 1.5, "regularizer": 0.4},
}


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("factor", [0.1, 7.0])
def test_a_loss_is_the_same_when_all_its_lengths_are_scaled(name, factor):
    knobs = EXACT[name]
    unit = LengthUnit(factor, lengths_of(*resolve_loss(name)))
    there = value(name, unit.raw(knobs), length=factor)
    assert there == pytest.approx(value(name, knobs, length=1.0), rel=1e-9)
    for knob in unit.powers:  # and no power is one too many
        assert value(name, {**unit.raw(knobs), knob: knobs[knob]}, length=factor) != pytest.approx(there, rel=1e-6)


def test_the_penalty_of_n_pair_is_the_same():
    """The dot product has no temperature; what λ adds to it is its mean squared length."""
    unit = LengthUnit(7.0, lengths_of(*resolve_loss("n_pair")))

    def penalty(l2: float, length: float) -> float:
        return value("n_pair", {"l2": l2}, length=length) - value("n_pair", {"l2": 0.0}, length=length)

    assert penalty(unit.raw({"l2": 0.02})["l2"], 7.0) == pytest.approx(penalty(0.02, 1.0), rel=1e-6)


@pytest.mark.parametrize(("name", "degree"), [("lifted_structure", 2), ("generalized_lifted", 1)])
def test_lifted_losses_grow_as_lengths_do(name, degree):
    """Their smooth maxima have a width of 1, whatever the unit; with long embeddings they are maxima."""
    unit = LengthUnit(2.0, lengths_of(*resolve_loss(name)))
    once = value(name, {"neg_margin": 3000.0}, length=1000.0)
    twice = value(name, unit.raw({"neg_margin": 3000.0}), length=2000.0)
    assert once > 0 and twice == pytest.approx(2**degree * once, rel=1e-3)


def test_the_declared_hyper_parameters_are_those_of_the_loss():
    declared = {}
    for name in NAMES:
        classes = resolve_loss(name)
        lengths = lengths_of(*classes)
        later = {knob for found in classes for knob in found.acts_later}
        assert (lengths.keys() | later) <= knobs_of(*classes).keys(), name
        if lengths:
            declared[name] = lengths
    assert declared == {
        "euclidean_softmax": {"temperature": -1},
        "warped_softmax": {"temperature": -1, "point": 1},
        "softmax_ablation": {"temperature": -1, "point": 1, "scale": 1},
        "n_pair": {"l2": -2},
        "lifted_structure": {"neg_margin": 1},
        "generalized_lifted": {"neg_margin": 1},
        "snr_contrastive": {"regularizer": -1},
        "snr_contrastive_normalized": {"regularizer": -1},
        "magface": {"lower_norm": 1, "upper_norm": 1, "norm_weight": 1},
    }


def test_a_wrapper_takes_those_of_the_loss_in_it():
    assert lengths_of(*resolve_loss("cross_batch_memory(lifted_structure)")) == {"neg_margin": 1}
    assert lengths_of(*resolve_loss("hierarchical_proxy(euclidean_softmax)")) == {"temperature": -1}


@pytest.mark.parametrize("name", NAMES)
def test_no_loss_on_raw_embeddings_is_forgotten(name, spaces):
    """A loss without lengths does not see how long embeddings are, unless learned weights multiply them."""
    if lengths_of(*resolve_loss(name)):
        return
    knobs = {
        knob: number
        for knob, number in middle_knobs(space_of(name, spaces, dataset="")).items()
        if knob in knobs_of(*resolve_loss(name))
    }
    same = value(name, knobs, length=7.0) == pytest.approx(value(name, knobs, length=1.0), rel=1e-9, abs=1e-12)
    assert same != (name in LEARNED)


@pytest.fixture(scope="module")
def spaces():
    from pathlib import Path

    return read_spaces(Path(__file__).parents[2] / "protocols" / "spaces" / "v3.yaml").value
