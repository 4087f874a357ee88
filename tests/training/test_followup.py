"""The second phase: new knobs and lower rates, on the weights, buffers and optimiser states of the first one's best."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch
from small_study import PROTOCOL, SPACES, STUDY, write_study

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.executors.base import unheard
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.knobs import own_knobs, phase_knobs
from realitycheck.runs import TrainingPlace
from realitycheck.training.assemble import assemble, enter_followup
from realitycheck.training.single_run import run

TWO_PHASES = PROTOCOL.replace(
    "patience: 2}]", "patience: 2}, {name: followup, cap: 20, evaluate_every: 10, patience: 1}]"
).replace("space: v1, shared: {}", "space: v1, shared: {followup_trunk_lr_scale: 0.1, followup_embedder_lr_scale: 0.5}")
WARPED = """
warped_softmax:
  temperature: {log_uniform: [0.1, 10]}
  point: {uniform: [0, 20]}
  inner_slope: 0.5
  outer_slope: 2.0
  handicap: 1.0
  loss_lr: 1e-2
  followup_temperature: 0.25
  followup_point_scale: {uniform: [0.3, 0.9]}
  followup_loss_lr_scale: {log_uniform: [1e-4, 1]}
"""
KNOBS = {
    **{"temperature": 2.0, "point": 8.0, "inner_slope": 0.5, "outer_slope": 2.0, "handicap": 1.0, "loss_lr": 1e-2},
    **{"followup_temperature": 0.25, "followup_point_scale": 0.5, "followup_loss_lr_scale": 0.01},
    **{"followup_trunk_lr_scale": 0.1, "followup_embedder_lr_scale": 0.5},
}


def write(home, *, spaces=WARPED, protocol=TWO_PHASES):
    path = write_study(home, protocol=protocol, study=STUDY.replace("normalized_softmax: {}", "warped_softmax: {}"))
    (home / "protocols" / "spaces" / "v1.yaml").write_text(SPACES + spaces)
    return path


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """The spec of one fold run with two phases, and its place."""
    read = verbs.load_study(write(tmp_path_factory.mktemp("followup")))
    (stores,) = verbs.prepare_data(read).values()
    plan = DatasetPlan(study=read.study, dataset="pictures", data=stores.trainval_digest, test=None)
    spec = plan.losses[2].searches[0].trial_runs(slot=0, knobs=KNOBS)[0]
    return spec, TrainingPlace(str(stores.trainval), str(stores.trainval.parent), "cpu", None)


def test_each_phase_has_its_own_knobs():
    normal, followup = phase_knobs(KNOBS, "normal"), phase_knobs(KNOBS, "followup")
    own = {"temperature": 2.0, "point": 8.0, "inner_slope": 0.5, "outer_slope": 2.0, "handicap": 1.0}
    assert own_knobs(normal) == own
    assert own_knobs(followup) == own | {"temperature": 0.25, "point": 4.0}
    scales = {"loss_lr_scale": 0.01, "trunk_lr_scale": 0.1, "embedder_lr_scale": 0.5}
    assert {name: followup[name] for name in scales} == scales
    assert normal.keys() & scales.keys() == set()


def test_a_knob_called_scale_is_replaced_and_not_multiplied():
    assert phase_knobs({"scale": 8.0, "followup_scale": 2.0}, "followup") == {"scale": 2.0}
    assert phase_knobs({"scale": 8.0, "followup_scale_scale": 0.5}, "followup") == {"scale": 4.0}


def test_the_state_is_carried_over_and_the_rates_fall(job):
    spec, place = job
    trainer, _, _ = assemble(spec, place)
    trainer.advance(3)
    before = {name: part.state_dict() for name, part in trainer.parts.items()}
    weights = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    proxies = trainer.loss.proxies.detach().clone()
    squares = [value["exp_avg_sq"].clone() for value in before["loss optimizer"]["state"].values()]
    enter_followup(trainer, spec)
    assert all(torch.equal(value, weights[name]) for name, value in trainer.model.state_dict().items())
    assert torch.equal(trainer.loss.proxies, proxies)
    kept = [value["exp_avg_sq"] for value in trainer.optimizers["loss"].state_dict()["state"].values()]
    assert all(torch.equal(one, other) for one, other in zip(kept, squares, strict=True))
    assert (trainer.loss.temperature, trainer.loss.point) == (0.25, 4.0)
    rates = {name: optimizer.param_groups[0]["lr"] for name, optimizer in trainer.optimizers.items()}
    assert rates == pytest.approx({"trunk": 1e-4, "embedder": 5e-4, "loss": 1e-4})
    trainer.advance(1)
    assert not torch.equal(trainer.loss.proxies, proxies)


def test_a_run_tells_both_phases_and_selects_over_both(job):
    spec, place = job
    body = run({"spec": spec.to_json(), "place": asdict(place), "keep": True}, tell=unheard).body
    assert [phase["name"] for phase in body["phases"]] == ["normal", "followup"]
    assert {point["phase"] for point in body["curve"]} == {None, "normal", "followup"}
    assert body["best"]["map_at_r"] == max(point["map_at_r"] for point in body["curve"][1:])
    assert body == run({"spec": spec.to_json(), "place": asdict(place), "keep": True}, tell=unheard).body


def test_a_protocol_of_one_phase_leaves_the_second_ones_knobs_alone(tmp_path):
    read = verbs.load_study(write(tmp_path, protocol=PROTOCOL))
    space = read.study.protocol.space_of(read.study.loss("warped_softmax"), "pictures")
    assert not [name for name in space if name.startswith("followup")]


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("followup_point_scale: {uniform: [0.3, 0.9]}", "followup_point: 3.0", {"knob-not-scale"}),
        ("[0.3, 0.9]", "[0.3, 1.1]", {"knob-scale-range"}),
        ("[1e-4, 1]}\n", "[1e-4, 2]}\n", {"rate-range"}),
        ("followup_loss_lr_scale: {log_uniform: [1e-4, 1]}", "", {"loss-rate-missing"}),
        ("followup_temperature", "followup_temprature", {"knob-unknown"}),
        (
            "followup_loss_lr_scale: {log_uniform: [1e-4, 1]}",
            "followup_loss_lr: 1e-3",
            {"knob-unknown", "rate-not-scale"},
        ),
    ],
)
def test_what_a_second_phase_may_not(tmp_path, old, new, codes):
    assert old in WARPED
    with pytest.raises(InputError) as caught:
        verbs.load_study(write(tmp_path, spaces=WARPED.replace(old, new)))
    assert {problem.code for problem in caught.value.problems} == codes
