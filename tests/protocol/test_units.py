"""Lengths in units of the initial embedding length: the arithmetic by hand, and what layers really draw."""

from __future__ import annotations

import math

import pytest
import torch
from small_study import write_study

from realitycheck.errors import InputError
from realitycheck.protocol.read import read_study
from realitycheck.protocol.recipe import Recipe
from realitycheck.protocol.units import LengthUnit, complete_growth, initial_length, powers_of
from realitycheck.training.embedding_model import EmbeddingModel

RECIPE = {
    "image_size": 28,
    "trunk": {"name": "convnet", "channels": 4},
    "pooling": "avg",
    "layer_norm": "plain",
    "embedder_init": "fan_in_uniform",
    "loss_init": "standard_normal",
    "batch_norm": "train",
    "augment": {"shift": 0, "flip": 0.0},
    "optimizers": {
        name: {"name": "adam", "lr": 1e-3, "momentum": 0.9, "weight_decay": 0.0}
        for name in ("trunk", "embedder", "loss")
    },
    "arithmetic": "cpu-fp32",
    "threads": 1,
    "collapse": 0.0,
}


def recipe(**changes: str) -> Recipe:
    return Recipe.model_validate({**RECIPE, **changes})


def test_values_for_the_loss_by_hand():
    """E0 = 8: a length of 0.5 is 4, a factor of lengths of 24 is 3, and a weight of squared lengths of 32 is 0.5."""
    unit = LengthUnit(8.0, {"point": 1, "temperature": -1, "l2": -2})
    knobs = {"point": 0.5, "temperature": 24, "l2": 32, "slope": 0.3, "rule": "all"}
    raw = {"point": 4.0, "temperature": 3.0, "l2": 0.5, "slope": 0.3, "rule": "all"}
    assert unit.raw(knobs) == raw
    assert unit.relative(raw) == knobs


def test_lengths_of_a_complete_run_by_hand():
    """Four folds: lengths are twice as long, factors of lengths half, a weight of squared lengths a quarter."""
    unit = LengthUnit(8.0, {"point": 1, "temperature": -1, "l2": -2})
    knobs = {"point": 0.5, "temperature": 24, "l2": 32}
    assert unit.raw(knobs, factor=2.0) == {"point": 8.0, "temperature": 1.5, "l2": 0.125}


def test_a_second_phase_has_the_powers_of_the_first_and_factors_have_none():
    names = ["point", "slope", "followup_temperature", "followup_point_scale", "loss_lr"]
    assert powers_of(names, {"point": 1, "temperature": -1}) == {"point": 1, "followup_temperature": -1}


def test_lengths_of_the_heads_in_the_papers():
    """DeMoor and Prevost's embeddings: 64 long by Kaiming, 13 and 6.5 long by torch's default with 512 and 128 dims."""
    kaiming, default = recipe(embedder_init="kaiming_fan_out"), recipe()
    assert initial_length(kaiming, width=2048, dims=512) == 64.0
    assert initial_length(kaiming, width=2048, dims=128) == 64.0
    assert initial_length(default, width=1024, dims=512) == pytest.approx(13, abs=0.1)
    # 128 · (1/3 + 1/(3 · 1280)) = 42.7
    assert initial_length(default, width=1280, dims=128) == pytest.approx(math.sqrt(42.7), abs=1e-12)
    assert initial_length(recipe(layer_norm="none"), width=1280, dims=128) is None


@pytest.mark.parametrize("norm", ["plain", "affine"])
@pytest.mark.parametrize("init", ["fan_in_uniform", "kaiming_fan_out"])
def test_the_expected_length_is_that_of_drawn_models(norm, init):
    """The mean square over 400 models; few features, so that the share of the bias shows."""
    asked, squares = recipe(layer_norm=norm, embedder_init=init), []
    torch.manual_seed(0)
    for _ in range(400):
        model = EmbeddingModel(recipe=asked, trunk=None, width=8, dims=24)
        features = 5 + 3 * torch.randn(50, 8)
        squares.append(model(features).detach().square().sum(dim=1).mean())
    drawn = torch.stack(squares)
    expected = initial_length(asked, width=8, dims=24) ** 2
    assert float(drawn.mean()) == pytest.approx(expected, abs=4 * float(drawn.std()) / 20)
    assert expected == pytest.approx({"fan_in_uniform": 24 * (8 + 1) / 24, "kaiming_fan_out": 16}[init])


def test_the_keys_are_written_at_their_defaults_too(tmp_path):
    protocol = read_study(write_study(tmp_path)).study.protocol
    assert protocol.search.model_dump(mode="json")["units"] == "raw"
    assert protocol.final.model_dump(mode="json")["lengths"] == "scaled"


@pytest.mark.parametrize(("init", "growth"), [("fan_in_uniform", 2.0), ("kaiming_fan_out", 1.0)])
@pytest.mark.parametrize("norm", ["plain", "none"])
def test_the_growth_of_a_complete_head_is_that_of_drawn_models(norm, init, growth):
    """96 dims against 24: the root mean square length over 400 models each, on the same features."""
    asked, lengths = recipe(layer_norm=norm, embedder_init=init), []
    torch.manual_seed(0)
    features = 0.5 + torch.randn(50, 8)
    for dims in (24, 96):
        models = (EmbeddingModel(recipe=asked, trunk=None, width=8, dims=dims) for _ in range(400))
        squares = [float(model(features).detach().square().sum(dim=1).mean()) for model in models]
        lengths.append(math.sqrt(sum(squares) / len(squares)))
    assert complete_growth(asked, folds=4) == growth
    assert lengths[1] / lengths[0] == pytest.approx(growth, rel=0.02)


def test_the_published_point_of_a_kaiming_head_is_the_same_in_the_complete_model():
    """28.4 of 64 was tuned with 512 dims; four members of 128 dims are as long, and so is the complete model."""
    asked = recipe(embedder_init="kaiming_fan_out")
    member, complete = (initial_length(asked, width=2048, dims=dims) for dims in (128, 512))
    unit = LengthUnit(member, {"point": 1})
    relative = LengthUnit(complete, unit.powers).relative({"point": 28.4})
    assert unit.raw(relative, factor=complete_growth(asked, folds=4)) == pytest.approx({"point": 28.4})


def test_other_units_are_refused(tmp_path):
    from small_study import PROTOCOL

    study = write_study(tmp_path, protocol=PROTOCOL.replace("shared: {}", "shared: {}, units: metres"))
    with pytest.raises(InputError, match=r"search\.units"):
        read_study(study)
