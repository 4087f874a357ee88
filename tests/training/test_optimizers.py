"""What of a loss no weight decay reaches: a step without a gradient shrinks the rest by rate times decay."""

from __future__ import annotations

import pytest
import torch
from small_study import PROTOCOL, SPACES, STUDY, write_study
from torch import nn

from realitycheck import losses, verbs
from realitycheck.losses.members.cross_entropy import CrossEntropy
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import read_study
from realitycheck.runs import TrainingPlace
from realitycheck.training.assemble import assemble, enter_followup
from realitycheck.training.embedding_model import build_model
from realitycheck.training.optimizers import build_optimizers

DECAYING = PROTOCOL.replace("lr: null, momentum: 0.9, weight_decay: 0}", "lr: null, momentum: 0.9, weight_decay: 0.5}")
TWO_PHASES = DECAYING.replace(
    "patience: 2}]", "patience: 2}, {name: followup, cap: 20, evaluate_every: 10, patience: 1}]"
).replace("shared: {}", "shared: {followup_trunk_lr_scale: 0.1, followup_embedder_lr_scale: 0.5}")
SMOOTHED = """
cross_entropy:
  smoothing: 0.1
  loss_lr: 1e-2
  followup_loss_lr_scale: {log_uniform: [1e-4, 1]}
"""
MEMORY = {"memory_size": 8, "memory_weight": 1.0, "memory_start": 0}


def build(name, **knobs):
    return losses.build(name, num_classes=4, embedding_dim=8, **knobs)


class Mixed(nn.Module):
    """A third-party loss with a boundary and class vectors."""

    undecayed = ("beta",)

    def __init__(self):
        super().__init__()
        self.proxies = nn.Parameter(torch.full((4, 8), 2.0))
        self.beta = nn.Parameter(torch.tensor(1.25))


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    return read_study(write_study(tmp_path_factory.mktemp("decay"), protocol=DECAYING)).study.protocol.recipe


def optimizer_of(recipe, loss, **rule):
    rules = recipe.optimizers.model_copy(update={"loss": recipe.optimizers.loss.model_copy(update=rule)})
    recipe = recipe.model_copy(update={"optimizers": rules})
    model = build_model(recipe=recipe, in_channels=1, dims=8, seed=3, weights=None)
    return build_optimizers(recipe=recipe, knobs={"loss_lr": 0.1}, model=model, loss=loss)["loss"]


def step_without_gradient(loss, optimizer):
    for parameter in loss.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_what_is_undecayed_stays_and_the_rest_shrinks(recipe, name):
    """At rate 0.1 and decay 0.5 a 2 becomes 2 (1 - 0.1 · 0.5)."""
    loss = Mixed()
    step_without_gradient(loss, optimizer_of(recipe, loss, name=name))
    torch.testing.assert_close(loss.proxies.detach(), torch.full((4, 8), 1.9))
    assert loss.beta.item() == 1.25


@pytest.mark.parametrize("name", ["rmsprop", "adam"])
def test_where_decay_is_part_of_the_gradient(recipe, name):
    """Its first step has the sign of the decay alone: RMSprop's is longer than Adam's by the mean's √(1 - α)."""
    loss = Mixed()
    step_without_gradient(loss, optimizer_of(recipe, loss, name=name, momentum=0.0))
    length = 0.1 if name == "adam" else 0.1 / 0.01**0.5
    torch.testing.assert_close(loss.proxies.detach(), torch.full((4, 8), 2.0 - length))
    assert loss.beta.item() == 1.25


@pytest.mark.parametrize(
    ("name", "length"),
    [
        # The first step on a gradient of 2: Adam's means are corrected to it, RMSprop's is a hundredth of its square.
        ("adam", 0.1 * 2 / (2 + 0.5)),
        ("adamw", 0.1 * 2 / (2 + 0.5)),
        ("rmsprop", 0.1 * 2 / (0.2 + 0.5)),
    ],
)
def test_epsilon_is_added_to_the_root(recipe, name, length):
    loss = Mixed()
    optimizer = optimizer_of(recipe, loss, name=name, momentum=0.0, weight_decay=0.0, eps=0.5)
    for each in loss.parameters():
        each.grad = torch.full_like(each, 2.0)
    optimizer.step()
    torch.testing.assert_close(loss.proxies.detach(), torch.full((4, 8), 2.0 - length))


@pytest.mark.parametrize(
    ("loss", "names"),
    [
        (build("margin", margin=0.2, beta=1.25), {"beta"}),
        (build("margin_per_class", margin=0.2, beta=1.25), {"beta"}),
        (build("cross_batch_memory(margin)", margin=0.2, beta=1.25, **MEMORY), {"base.beta"}),
    ],
)
def test_boundaries_of_the_margin_loss_stay(recipe, loss, names):
    """Wrapped or not; they are alone, so that there is one group."""
    before = {name: parameter.detach().clone() for name, parameter in loss.named_parameters()}
    optimizer = optimizer_of(recipe, loss, name="sgd")
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.0]
    step_without_gradient(loss, optimizer)
    assert before.keys() == names
    assert all(torch.equal(parameter, before[name]) for name, parameter in loss.named_parameters())


def test_a_loss_inside_speaks_for_itself(recipe):
    """Its boundary on both levels, under names that begin otherwise."""
    loss = nn.Module()
    loss.base, loss.coarse = Mixed(), Mixed()
    step_without_gradient(loss, optimizer_of(recipe, loss, name="sgd"))
    for level in (loss.base, loss.coarse):
        torch.testing.assert_close(level.proxies.detach(), torch.full((4, 8), 1.9))
        assert level.beta.item() == 1.25


def test_for_all_others_there_is_one_group(recipe):
    plain = build("normalized_softmax", temperature=0.1)
    assert [group["weight_decay"] for group in optimizer_of(recipe, plain).param_groups] == [0.5]
    assert len(optimizer_of(recipe, Mixed(), weight_decay=0.0).param_groups) == 1


def test_a_second_phase_keeps_both_groups(tmp_path, monkeypatch):
    """The rate falls in each; what no decay reached, it does not reach then either."""
    monkeypatch.setattr(CrossEntropy, "undecayed", ("bias",))
    study = STUDY.replace("normalized_softmax: {}", "cross_entropy: {}")
    path = write_study(tmp_path, protocol=TWO_PHASES, study=study)
    (tmp_path / "protocols" / "spaces" / "v1.yaml").write_text(SPACES + SMOOTHED)
    read = verbs.load_study(path)
    (stores,) = verbs.prepare_data(read).values()
    plan = DatasetPlan(study=read.study, dataset="pictures", data=stores.trainval_digest, test=None)
    knobs = {"smoothing": 0.1, "loss_lr": 1e-2, "followup_loss_lr_scale": 0.1}
    spec = plan.losses[2].searches[0].trial_runs(slot=0, knobs=knobs)[0]
    trainer, _, _ = assemble(spec, TrainingPlace(str(stores.trainval), str(stores.trainval.parent), "cpu", None))
    trainer.advance(1)
    enter_followup(trainer, spec)
    groups = [
        (len(group["params"]), group["lr"], group["weight_decay"]) for group in trainer.optimizers["loss"].param_groups
    ]
    assert groups == [(1, pytest.approx(1e-3), 0.5), (1, pytest.approx(1e-3), 0.0)]
