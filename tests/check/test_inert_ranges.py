"""Ranges that cannot act: none in v3 under either head, and those of v2 that belong to another head."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_study import PROTOCOL, SPACES, STUDY, write_study

from realitycheck import verbs
from realitycheck.catalog import resolve_loss
from realitycheck.check.head_lengths import head_length
from realitycheck.check.inert_ranges import range_problems
from realitycheck.losses.menu import MENU
from realitycheck.protocol.model import LossChoice, Protocol
from realitycheck.protocol.read import read_protocol, read_spaces
from realitycheck.protocol.study_file import space_of

HOME = Path(__file__).parents[2] / "protocols"
WRAPPED = {"pairs": "contrastive", "proxies": "proxy_anchor"}
NAMES = [f"{name}({WRAPPED[entry.wraps]})" if entry.wraps else name for name, entry in MENU.items()]

LATER = {
    # A memory is empty at first, a queue holds the batch alone.
    "cross_batch_memory(contrastive)": {"memory_size", "memory_start"},
    "moco": {"momentum", "queue_size"},
    # The annealing begins at 892.
    "large_margin_softmax": {"lambda_min"},
    "sphereface": {"lambda_min"},
    # The first clusters and centers are the same whatever comes after them.
    "hierarchical_proxy(proxy_anchor)": {"recluster_every"},
    "ccl": {"momentum"},
}
"""All that no first step can show, and why."""


@pytest.fixture(scope="module")
def two_phases() -> Protocol:
    """The head of `frozen_trunk`, 128 dims, with the second phase of `warped2024`."""
    phases = read_protocol(HOME / "warped2024.yaml").value.phases
    return read_protocol(HOME / "frozen_trunk.yaml").value.model_copy(update={"phases": phases})


@pytest.fixture(scope="module", params=["fan_in_uniform", "kaiming_fan_out"])
def head(request, two_phases) -> Protocol:
    return with_init(two_phases, request.param, units="head")


def with_init(protocol: Protocol, init: str, *, units: str) -> Protocol:
    recipe = protocol.recipe.model_copy(update={"embedder_init": init, "layer_norm": "plain"})
    search = protocol.search.model_copy(update={"units": units})
    return protocol.model_copy(update={"recipe": recipe, "search": search})


def choice_of(name: str, version: str) -> LossChoice:
    space = space_of(name, read_spaces(HOME / "spaces" / f"{version}.yaml").value, dataset="")
    family = MENU[name.partition("(")[0]].family
    return LossChoice(label="loss", address=name, distance="cosine", family=family, space=space)


def found(name: str, version: str, protocol: Protocol) -> dict[str, str]:
    length = head_length(protocol)
    return dict(range_problems(choice_of(name, version), protocol, dataset="any", length=length))


@pytest.mark.parametrize("name", NAMES)
def test_every_range_of_v3_acts_under_both_heads(name, head):
    assert found(name, "v3", head) == {}


def test_what_is_not_tested_on_the_first_step():
    later = {name: {knob for part in resolve_loss(name) for knob in part.acts_later} for name in NAMES}
    assert {name: knobs for name, knobs in later.items() if knobs} == LATER


def test_lengths_of_v2_belong_to_the_kaiming_head(two_phases):
    default, kaiming = (with_init(two_phases, init, units="raw") for init in ("fan_in_uniform", "kaiming_fan_out"))
    norms = {"margin_gap", "norm_weight", "followup_margin_gap", "followup_norm_weight"}
    assert found("magface", "v2", default).keys() == norms
    ((knob, says),) = found("warped_softmax", "v2", default).items()
    assert knob == "point" and "from 47.5 to 95" in says
    assert not found("magface", "v2", kaiming) and not found("warped_softmax", "v2", kaiming)


def test_a_length_that_only_images_tell_is_not_judged(two_phases):
    recipe = two_phases.recipe.model_copy(update={"layer_norm": "none"})
    search = two_phases.search.model_copy(update={"units": "raw"})
    protocol = two_phases.model_copy(update={"recipe": recipe, "search": search})
    assert head_length(protocol) is None
    assert range_problems(choice_of("magface", "v2"), protocol, dataset="any", length=None) == []


def test_in_units_of_the_head_no_image_is_needed(two_phases):
    """Ranges of v2 are raw; a study may have brought them from another protocol."""
    recipe = two_phases.recipe.model_copy(update={"layer_norm": "none"})
    protocol = two_phases.model_copy(update={"recipe": recipe})
    assert protocol.search.units == "head" and head_length(protocol) is None
    raw, own = (
        range_problems(choice_of("warped_softmax", version), protocol, dataset="any", length=None)
        for version in ("v2", "v3")
    )
    assert "point" in dict(raw) and not own


PAPERS = [
    (version, dataset, name)
    for version, datasets in [
        ("musgrave2020", ("cub200", "cars196", "sop")),
        ("warped2024", ("cub200", "sop")),
        ("validation2024", ("cub200", "sop")),
    ]
    for dataset in datasets
    for name in sorted({loss.partition("@")[0] for loss in read_spaces(HOME / "spaces" / f"{version}.yaml").value})
]


@pytest.mark.parametrize(("version", "dataset", "name"), PAPERS)
def test_ranges_of_published_protocols_fit_their_heads(version, dataset, name):
    """Raw ones. Without LayerNorm, in musgrave2020, the length is not known; there 1 does as well as any."""
    protocol = read_protocol(HOME / f"{version}.yaml").value.of(dataset)
    spaces = read_spaces(HOME / "spaces" / f"{protocol.search.space}.yaml").value
    space = space_of(name, spaces, dataset=dataset)
    choice = LossChoice(label="loss", address=name, distance="cosine", family=MENU[name].family, space=space)
    length = head_length(protocol) or 1.0
    assert range_problems(choice, protocol, dataset=dataset, length=length) == []


MODULE = """
import torch
from torch import nn


class Stuck(nn.Module):
    def __init__(self, *, weight: float, radius: float, broken: float, power: float) -> None:
        super().__init__()
        self.weight, self.radius, self.broken, self.power = weight, radius, broken, power

    def forward(self, embeddings, labels):
        if self.broken > 1:
            raise ValueError("too much")
        inside = (embeddings.norm(dim=1) < self.radius).float()
        return (embeddings.square().sum(dim=1) * inside).mean() * 10**self.power + self.weight
"""


STUCK = """losses:
  contrastive: {}
  stuck:
    loss: "stuck_loss:Stuck"
    distance: cosine
    family: pairs
    space:
      weight: {uniform: [0.0, 1.0]}
      radius: {uniform: [0.0, 100.0]}
      broken: {uniform: [0.0, 2.0]}
      power: {uniform: [-30.0, 40.0]}
"""


def test_check_warns_at_the_line_of_the_range(tmp_path):
    """`weight` moves no gradient, at a radius of 0 there is none, above 1 the loss raises, and float32 ends at 3e38."""
    protocol = PROTOCOL.replace("layer_norm: none", "layer_norm: plain")
    study = STUDY.replace("losses: {contrastive: {}, triplet: {}, normalized_softmax: {}}\n", STUCK)
    path = write_study(tmp_path, protocol=protocol, study=study)
    (tmp_path / "stuck_loss.py").write_text(MODULE)
    lines = path.read_text().splitlines()
    inert = [each for each in verbs.study_warnings(verbs.load_study(path)) if each.code == "range-inert"]
    warnings = {each.where.rpartition(".")[2]: each for each in inert}
    assert sorted(warnings) == ["broken", "power", "radius", "weight"]
    for name, each in warnings.items():
        assert lines[each.line - 1].strip().startswith(f"{name}:")
    assert "ValueError: too much" in warnings["broken"].says
    assert "no gradient" in warnings["radius"].says and "at 40" in warnings["power"].says


def test_ranges_that_act_give_no_warning(tmp_path):
    path = write_study(tmp_path, protocol=PROTOCOL.replace("layer_norm: none", "layer_norm: plain"))
    codes = [each.code for each in verbs.study_warnings(verbs.load_study(path))]
    assert SPACES and "range-inert" not in codes
