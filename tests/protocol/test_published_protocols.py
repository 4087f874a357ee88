"""The protocols that ship: right, and of the size that their papers say."""

from __future__ import annotations

from pathlib import Path

import pytest

from realitycheck import verbs
from realitycheck.plan.cost import trainings
from realitycheck.protocol.read import read_protocol

HOME = Path(__file__).parents[2]
STUDY = """\
study: paper
question: Do the paper's tables come out?
protocol: {protocol}
datasets:
  cub200: {{root: nowhere}}
  cars196: {{root: nowhere}}
  sop: {{root: nowhere}}
losses: {{contrastive: {{}}, {more}: {{}}}}
baseline: contrastive
primary: {{category: {category}, metric: map_at_r}}
smallest_difference: 0.5
"""


def protocol(name):
    return read_protocol(HOME / "protocols" / f"{name}.yaml").value


@pytest.mark.parametrize(
    ("name", "search", "folds", "complete"),
    [
        # 50 trials of four folds; ten runs of four folds and, with the Complete category, one more each.
        ("musgrave2020", 200, 40, 0),
        ("warped2024", 200, 40, 10),
        # Two or three searches of 25 trials of four folds, and ten or twelve runs in all; `quick` has five trials.
        ("reality2026", 2 * 25 * 4, 10 * 4, 10),
        ("frozen_trunk", 3 * 25 * 4, 12 * 4, 12),
        ("sketches28", 3 * 25 * 4, 12 * 4, 12),
        ("quick", 2 * 5 * 4, 4 * 4, 4),
        # 50 trials of one hold-out; five runs, each after a fold run that gives its length.
        ("validation2024", 50, 5, 5),
        # Two searches of 25 trials of one hold-out, and ten runs, which are scored themselves.
        ("retrieval2025", 2 * 25, 10, 0),
    ],
)
def test_trainings_of_a_loss_on_a_dataset(name, search, folds, complete):
    counted = trainings(protocol(name))
    assert (counted.search, counted.folds, counted.complete) == (search, folds, complete)


def test_what_differs_by_dataset():
    musgrave = protocol("musgrave2020")
    rules = {name: musgrave.of(name).phases[0] for name in ("cub200", "cars196", "sop")}
    assert {name: (each.evaluate_every, each.patience) for name, each in rules.items()} == {
        "cub200": (200, 5),
        "cars196": (500, 3),
        "sop": (2000, 2),
    }
    warped = protocol("warped2024")
    assert warped.of("cub200").recipe.trunk.name == "resnet50"
    assert warped.of("sop").recipe.trunk.name == "bn_inception"
    assert warped.of("sop").recipe.pooling == "max+avg"
    validation = protocol("validation2024")
    assert validation.of("sop").split.order == "official"
    assert validation.of("cub200").batches == validation.batches
    for name in ("validation2024", "warped2024"):  # config.json: batch_size, classes_per_batch
        batches = {dataset: protocol(name).of(dataset).batches.proxies for dataset in ("cub200", "cars196", "sop")}
        shapes = {dataset: (batch.classes, batch.per_class) for dataset, batch in batches.items()}
        assert shapes == {"cub200": (8, 8), "cars196": (4, 16), "sop": (64, 3)}


@pytest.mark.parametrize(
    ("name", "more", "category"),
    [
        ("musgrave2020", "margin_per_class", "ensemble"),
        ("warped2024", "warped_softmax", "complete"),
        ("validation2024", "warped_softmax", "complete"),
        ("reality2026", "proxy_anchor", "complete"),
    ],
)
def test_a_study_of_the_three_datasets_is_right_but_for_the_images(tmp_path, name, more, category):
    for folder in ("protocols", "studies"):
        (tmp_path / folder).mkdir()
    (tmp_path / "protocols" / f"{name}.yaml").symlink_to(HOME / "protocols" / f"{name}.yaml")
    (tmp_path / "protocols" / "spaces").symlink_to(HOME / "protocols" / "spaces")
    study = tmp_path / "studies" / "paper.yaml"
    study.write_text(STUDY.format(protocol=name, more=more, category=category))
    assert verbs.load_study(study).study.protocol.protocol == name


def test_every_assumed_value_stands_in_its_file():
    told = protocol("warped2024").assumed
    assert "recipe.batch_norm" in told and "on.sop.phases" in told
    assert not protocol("reality2026").assumed
