"""Placebos as studies: one fixed setting under several labels, trained and scored; and the files in `studies/`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from small_study import FINISHED_PROTOCOL, STUDY, write_study

from realitycheck import verbs

ROOT = Path(__file__).parents[1]
CONTRASTIVE = "{loss: contrastive, space: {pos_margin: 0.2, neg_margin: 0.8}}"
SOFTMAX = "{loss: normalized_softmax, space: {temperature: 0.1, loss_lr: 0.01}}"


def scored(home: Path, *, loss: str, seed: int) -> dict:
    """Run one setting under three labels; the dataset's part of tables.json."""
    study = STUDY.replace(
        "{contrastive: {}, triplet: {}, normalized_softmax: {}}", f"{{one: {loss}, two: {loss}, three: {loss}}}"
    ).replace("baseline: contrastive", "baseline: one")
    path = write_study(home, protocol=FINISHED_PROTOCOL.replace("seed: 7", f"seed: {seed}"), study=study)
    threads = torch.get_num_threads()
    verbs.run_study(verbs.load_study(path), executor="inline", device="cpu")
    torch.set_num_threads(threads)
    verbs.report_study(path)
    (found,) = json.loads((home / "reports" / "small" / "tables.json").read_text())["datasets"]
    return found


def values(found: dict) -> list[list[float]]:
    """The scores of every label in the primary column."""
    return [
        cell["values"]
        for row in found["rows"]
        for cell in row["cells"]
        if (cell["category"], cell["metric"]) == ("complete", "map_at_r")
    ]


def test_a_setting_without_random_parameters_is_identical_to_itself_and_not_to_itself_under_another_root(tmp_path):
    first, second = (scored(tmp_path / str(seed), loss=CONTRASTIVE, seed=seed) for seed in (7, 8))
    for found in (first, second):
        assert [one["verdict"] for one in found["comparisons"]] == ["identical"] * 2
        assert values(found)[0] == values(found)[1] == values(found)[2]
    assert not set(values(first)[0]) & set(values(second)[0]), "seeds of two roots are disjoint"
    pages = (tmp_path / "7" / "reports" / "small" / "tables.md").read_text()
    assert "identical" in pages


def test_a_setting_with_random_class_vectors_differs_from_itself(tmp_path):
    found = scored(tmp_path, loss=SOFTMAX, seed=7)
    assert len({tuple(scores) for scores in values(found)}) == 3
    assert "identical" not in {one["verdict"] for one in found["comparisons"]}


@pytest.mark.parametrize("name", ["placebo_searches", "placebo_random", "placebo_identical"])
def test_the_study_files_name_one_function_under_several_labels(name):
    study = verbs.load_study(ROOT / "studies" / f"{name}.yaml").study
    assert set(study.same) == {choice.label for choice in study.losses}
    assert len({(choice.address, str(choice.space)) for choice in study.losses}) == 1
