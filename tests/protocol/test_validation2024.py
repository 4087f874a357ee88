"""validation2024 against steps of its authors' code; `oracles/make_validation2024.py` made them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from realitycheck import losses, verbs
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.knobs import own_knobs, phase_knobs
from realitycheck.protocol.read import read_protocol
from realitycheck.protocol.recipe import Recipe
from realitycheck.runs import RunSpec, Stage
from realitycheck.training.assemble import enter_followup
from realitycheck.training.embedding_model import build_model
from realitycheck.training.loop import Trainer
from realitycheck.training.optimizers import build_optimizers

HOME = Path(__file__).parents[2]
ORACLE = json.loads((HOME / "tests" / "oracles" / "validation2024.json").read_text())["cases"]
PROTOCOL = read_protocol(HOME / "protocols" / "validation2024.yaml").value
DATASETS = {"cub": ("cub200", "paper"), "cars": ("cars196", "cars196"), "sop": ("sop", "sop")}
STUDY = """\
study: table1
question: Does a search begin where the authors ended?
protocol: validation2024
datasets: {{{dataset}: {{root: nowhere}}}}
losses: {{contrastive: {{}}, warped_softmax: {{setting: {setting}}}}}
baseline: contrastive
primary: {{category: complete, metric: map_at_r}}
smallest_difference: 0.5
"""


def knobs_of(config):
    """config.json in the names of this package; the embedder's rate is the network's."""
    after = config["followup"]
    return {
        **{"temperature": config["temp"], "point": config["alpha"], "handicap": config["margin"]},
        **{"inner_slope": config["k1"], "outer_slope": config["k2"]},
        **{"embedder_lr": config["learning_rate"], "loss_lr": config["proxy_learning_rate"]},
        **{"followup_temperature": after["temp"], "followup_point_scale": after["alpha"] / config["alpha"]},
        **{"followup_inner_slope": after["k1"], "followup_outer_slope": after["k2"]},
        "followup_embedder_lr_scale": after["learning_rate"] / config["learning_rate"],
        "followup_loss_lr_scale": after["proxy_learning_rate"] / config["proxy_learning_rate"],
    }


@dataclass
class Script:
    """A feed of given features, one batch per iteration."""

    case: dict
    recipe: Recipe
    batches = SimpleNamespace(members=range(5))
    device = torch.device("cpu")

    def batch(self, iteration, *, view):
        return torch.tensor(self.case["features"][iteration]), torch.tensor(self.case["labels"])


def trainer_of(case, dataset):
    recipe = PROTOCOL.of(dataset).recipe
    recipe = recipe.model_copy(update={"trunk": recipe.trunk.model_copy(update={"frozen": True})})
    knobs, script = knobs_of(case["config"]), Script(case, recipe)
    model = build_model(recipe=recipe, in_channels=6, dims=4, seed=0, weights=None)
    own = own_knobs(phase_knobs(knobs, "normal"))
    loss = losses.build("warped_softmax", num_classes=5, embedding_dim=4, **own)
    with torch.no_grad():
        model.embedder.weight.copy_(torch.tensor(case["weight"]))
        model.embedder.bias.zero_()
        loss.proxies.copy_(torch.tensor(case["proxies"]))
    optimizers = build_optimizers(recipe=recipe, knobs=knobs, model=model, loss=loss)
    trainer = Trainer(script, model, loss, None, optimizers, "euclidean")
    spec = RunSpec(
        results_version=1, data="", dataset=dataset, stage=Stage.SEARCH, index=0, search=0, fold=0, folds={},
        knobs=knobs, loss={"label": "warped_softmax", "address": "warped_softmax", "distance": "euclidean"},
        recipe=recipe.model_dump(mode="json"), batch={}, dims=4, phases=(), root=0,
        sources={},
    )  # fmt: skip
    return trainer, spec


@pytest.mark.parametrize("case", ORACLE, ids=lambda case: f"{case['dataset']}-{case['config']['temp']}")
def test_steps_of_both_phases_are_those_of_the_authors(case):
    trainer, spec = trainer_of(case, DATASETS[case["dataset"]][0])
    values = []
    for phase, steps in case["steps"].items():
        if phase == "followup":
            enter_followup(trainer, spec)
        values += [trainer.advance(1).loss for _ in range(steps)]
    assert values == pytest.approx(case["values"], rel=1e-4)
    theirs = {"weight": case["weight_after"], "bias": case["bias_after"]}
    for name, expected in theirs.items():
        ours = getattr(trainer.model.embedder, name).detach()
        torch.testing.assert_close(ours, torch.tensor(expected), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(trainer.loss.proxies.detach(), torch.tensor(case["proxies_after"]), rtol=1e-4, atol=1e-3)


def test_a_case_is_clipped_and_its_proxies_are_not():
    clipped = [case["largest_gradient"] for case in ORACLE if case["largest_gradient"]["network"] > 10]
    assert clipped and all(largest["proxies"] > 10 for largest in clipped)


@pytest.mark.parametrize("case", ORACLE[:3], ids=lambda case: case["dataset"])
def test_a_search_starts_with_the_published_setting_and_rates(tmp_path, case):
    dataset, setting = DATASETS[case["dataset"]]
    (tmp_path / "studies").mkdir()
    (tmp_path / "protocols").symlink_to(HOME / "protocols")
    study = tmp_path / "studies" / "table1.yaml"
    study.write_text(STUDY.format(dataset=dataset, setting=setting))
    plan = DatasetPlan(study=verbs.load_study(study).study, dataset=dataset, data="", test=None)
    expected = knobs_of(case["config"])
    expected["trunk_lr"] = expected["embedder_lr"]
    expected["followup_trunk_lr_scale"] = expected["followup_embedder_lr_scale"]
    assert dict(plan.losses[1].searches[0].published) == pytest.approx(expected, rel=1e-3)
    batch = PROTOCOL.of(dataset).batches.proxies
    assert (batch.classes * batch.per_class, batch.classes) == (
        case["config"]["batch_size"],
        case["config"]["classes_per_batch"],
    )
