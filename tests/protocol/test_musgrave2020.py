"""musgrave2020 against numbers of the original's code; `oracles/make_musgrave2020.py` made them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from realitycheck import losses
from realitycheck.losses.base import initialize
from realitycheck.protocol.read import read_protocol
from realitycheck.training.phases import Plateau

HOME = Path(__file__).parents[2]
ORACLE = json.loads((HOME / "tests" / "oracles" / "musgrave2020.json").read_text())
PROTOCOL = read_protocol(HOME / "protocols" / "musgrave2020.yaml").value
STUDIES = [HOME / "studies" / f"musgrave2020_{name}.yaml" for name in ("cub200", "cars196", "sop")]


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: case["loss"])
def test_values_and_gradients_are_those_of_pytorch_metric_learning(case):
    loss = losses.build(case["loss"], num_classes=ORACLE["classes"], embedding_dim=4, **case["knobs"]).double()
    if case["vectors"] is not None:
        with torch.no_grad():
            loss.proxies.copy_(tensor(case["vectors"]))
    embeddings = tensor(case["embeddings"]).requires_grad_()
    value = loss(embeddings, torch.tensor(ORACLE["labels"]))
    value.backward()
    torch.testing.assert_close(value, tensor(case["value"]))
    torch.testing.assert_close(embeddings.grad, tensor(case["gradient"]))
    own = [each.grad for each in loss.parameters()]
    expected = [] if case["own_gradient"] is None else [tensor(case["own_gradient"]).reshape(own[0].shape)]
    torch.testing.assert_close(own, expected)


def test_every_loss_of_the_studies_is_compared():
    compared = {case["loss"] for case in ORACLE["cases"]}
    for path in STUDIES:
        text = path.read_text().partition("losses:\n")[2].partition("baseline:")[0]
        assert {line.split(":")[0].strip() for line in text.splitlines()} == compared


def test_arcface_passes_pi_in_a_case():
    """Where it does, the menu's other ArcFace gives another value."""
    knobs = {"margin": 90.0, "scale": 1.0}
    (case,) = [each for each in ORACLE["cases"] if each["loss"] == "arcface_periodic" and each["knobs"] == knobs]
    loss = losses.build("arcface", num_classes=5, embedding_dim=4, **knobs).double()
    with torch.no_grad():
        loss.proxies.copy_(tensor(case["vectors"]))
    value = loss(tensor(case["embeddings"]), torch.tensor(ORACLE["labels"])).item()
    assert value > case["value"] + 0.05


@pytest.mark.parametrize("name", ORACLE["initial"])
def test_class_vectors_start_as_in_pytorch_metric_learning(name):
    """25,600 numbers or more: their spread is known to 1%, the share within it to 0.01."""
    theirs = ORACLE["initial"][name]
    knobs = {
        "proxy_nca_pp": {"scale": 1.0},
        "normalized_softmax": {"temperature": 1.0},
        "soft_triple": {"centers": 10, "scale": 1.0, "gamma": 1.0, "margin": 0.0, "regularizer": 0.0},
        "proxy_anchor": {"margin": 0.1, "alpha": 32.0},
    }.get(name, {"margin": 0.0, "scale": 1.0})
    loss = losses.build(name, num_classes=theirs["classes"], embedding_dim=theirs["dims"], **knobs)
    initialize(loss, rule=PROTOCOL.recipe.loss_init, generator=torch.Generator().manual_seed(1))
    drawn = loss.proxies.detach()
    assert drawn.std().item() == pytest.approx(theirs["std"], rel=0.02)
    assert (drawn.abs() < drawn.std()).double().mean().item() == pytest.approx(theirs["within"], abs=0.01)


@pytest.mark.parametrize("case", ORACLE["stopping"], ids=lambda case: case["dataset"])
def test_patience_and_selection_count_from_iteration_0(case):
    assert PROTOCOL.first_evaluation == "selectable"
    first, *later = case["values"]
    plateau = Plateau.begin(PROTOCOL.of(case["dataset"]).phases[0].model_dump(), best=first)
    values = iter(later)
    while not plateau.stop:
        plateau.update(plateau.next_evaluation, next(values))
    assert (plateau.iterations, plateau.best_iteration) == (case["iterations"], case["selected"])
