"""A search that chose values at which its loss is another one: when there is a warning, and what it says."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from made_records import with_search
from pages import findings_of
from pydantic import TypeAdapter

from realitycheck.losses.reductions import REDUCTIONS, reductions
from realitycheck.protocol.space import LogUniform, Range, Uniform
from realitycheck.report.reduced_losses import _holds
from realitycheck.report.study_warnings import find_warnings
from realitycheck.verify.reductions_again import BECOMES, WRAPPED, _first

MARGIN, SCALE = Uniform(uniform=(0.0, 90.0)), LogUniform(log_uniform=(1.0, 500.0))


@pytest.fixture(scope="module")
def arcface(synthetic_study, synthetic_dataset):
    """A study in which arcface has its own ranges, and its evidence."""
    study = synthetic_study(labels=("contrastive", "circle", "arcface"), seeds=4, trials=6, searches=2)
    losses = tuple(
        loss.model_copy(update={"space": {"margin": MARGIN, "scale": SCALE}}) if loss.label == "arcface" else loss
        for loss in study.losses
    )
    return study.model_copy(update={"losses": losses}), synthetic_dataset(study)


def warning_of(study, dataset, *chosen, spaces=None):
    """The warning where the searches of arcface chose these settings."""
    loss = next(loss for loss in dataset.losses if loss.label == "arcface")
    for search, knobs in zip(loss.searches, chosen, strict=True):
        loss = with_search(loss, number=search.number, chosen=replace(search.chosen, knobs=knobs))
    losses = tuple(loss if one.label == "arcface" else one for one in dataset.losses)
    (found,) = findings_of(study, [replace(dataset, losses=losses)]).datasets
    if spaces is not None:
        found = replace(found, spaces={**found.spaces, "arcface": spaces})
    return next((one for one in find_warnings(found) if one.code == "loss-reduced"), None)


def test_a_margin_on_its_lower_bound_is_named_with_the_other_loss(arcface):
    warning = warning_of(*arcface, {"margin": 0.0, "scale": 64.0}, {"margin": 0.9, "scale": 9.0})
    assert [(one.label, one.search, one.numbers) for one in warning.about] == [
        ("arcface", 0, {"margin": 0.0, "becomes": "normalized_softmax"}),
        ("arcface", 1, {"margin": 0.9, "becomes": "normalized_softmax"}),  # 1 % of the range
    ]
    assert warning.sentence.endswith(": arcface, searches 1 and 2 (at margin 0 it is normalized_softmax).")


def test_another_margin_is_no_reduction(arcface):
    one = warning_of(*arcface, {"margin": 0.91, "scale": 64.0}, {"margin": 0.0, "scale": 9.0})
    assert [about.search for about in one.about] == [1]
    assert warning_of(*arcface, {"margin": 0.91, "scale": 64.0}, {"margin": 90.0, "scale": 9.0}) is None


def test_a_value_that_the_study_fixes_is_no_choice(arcface):
    fixed = {"margin": 0.0, "scale": SCALE}
    assert warning_of(*arcface, {"margin": 0.0, "scale": 2.0}, {"margin": 0.0, "scale": 9.0}, spaces=fixed) is None


def test_a_range_without_the_value_only_comes_near_it(arcface):
    spaces = {"margin": Uniform(uniform=(0.1, 90.0)), "scale": SCALE}
    assert warning_of(*arcface, {"margin": 0.1, "scale": 2.0}, {"margin": 0.1, "scale": 9.0}, spaces=spaces) is None


def test_both_derivations_have_the_same_reductions():
    written = [
        (name, ", ".join(f"{knob} {value}" for knob, value in one.at.items()), one.loss or WRAPPED)
        for name, own in REDUCTIONS.items()
        for one in own
    ]
    assert list(BECOMES) == written


RANGES = {
    0: {"uniform": [0.0, 2.0]},
    1: {"log_uniform": [0.5, 50.0]},
}
"""A range with the value of a reduction in it, by that value."""


@pytest.mark.parametrize("name", REDUCTIONS)
def test_both_derivations_agree_on_chosen_values(name):
    """Values on, near and away from those of each reduction, one after the other and all of them together."""
    address = f"{name}(triplet)" if any(one.loss is None for one in REDUCTIONS[name]) else name
    draw = random.Random(name)
    for reduction in REDUCTIONS[name]:
        plain = {
            knob: {"choice": [wanted, "square"]} if isinstance(wanted, str) else RANGES[wanted]
            for knob, wanted in reduction.at.items()
        }
        space = {knob: TypeAdapter(Range).validate_json(json.dumps(bounds)) for knob, bounds in plain.items()}
        for _ in range(200):
            chosen = {}
            for knob, wanted in reduction.at.items():
                if isinstance(wanted, str):
                    chosen[knob] = draw.choice([wanted, wanted, wanted, "square"])
                else:
                    low, high = next(iter(plain[knob].values()))
                    chosen[knob] = min(high, max(low, wanted + draw.choice([0, 0.01, 0.03, -0.03, 0.5])))
            holding = [(one, other) for one, other in reductions(address) if _holds(one, chosen, space)]
            second = _first(address, chosen, plain)
            assert bool(holding) == (second is not None)
            for one, other in holding[:1]:
                assert second == {**{knob: chosen[knob] for knob in one.at}, "becomes": other}
