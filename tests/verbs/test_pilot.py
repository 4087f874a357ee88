"""The standard deviation of a design, from an earlier study."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from small_study import FINISHED, FINISHED_PROTOCOL, STUDY, write_study

from realitycheck import verbs
from realitycheck.errors import InputError


@pytest.fixture
def reported(finished, tmp_path):
    """A copy of the finished study, with its report."""
    shutil.copytree(finished.parent.parent, tmp_path / "pilot")
    pilot = tmp_path / "pilot" / "studies" / finished.name
    verbs.report_study(pilot)
    return pilot


def primary_scores(pilot):
    """The scores of both losses in the primary column, by the JSON of the report."""
    tables = json.loads((pilot.parent.parent / "reports" / "small" / "tables.json").read_text())
    (dataset,) = tables["datasets"]
    return {
        row["label"]: np.array(cell["values"])
        for row in dataset["rows"]
        for cell in row["cells"]
        if (cell["category"], cell["metric"]) == ("complete", "map_at_r")
    }


def test_it_is_that_of_paired_differences(reported, tmp_path):
    """With Student's t: the standard deviation of the differences, divided by √2. More losses do not matter."""
    read = verbs.load_study(write_study(tmp_path, protocol=FINISHED_PROTOCOL, study=STUDY))
    scores = primary_scores(reported)
    expected = 100 * np.std(scores["normalized_softmax"] - scores["contrastive"], ddof=1) / np.sqrt(2)
    assert expected > 0
    found = verbs.pilot_deviation(read, reported)
    assert found.points == pytest.approx(expected, rel=1e-9)
    assert found.freedom == len(scores["contrastive"]) - 1


@pytest.mark.parametrize(
    ("protocol", "study", "differs"),
    [
        (FINISHED_PROTOCOL.replace("trials: 2", "trials: 3"), FINISHED, "search"),
        (FINISHED_PROTOCOL.replace("method: student_t", "method: class_bootstrap"), FINISHED, "interval"),
        (FINISHED_PROTOCOL, FINISHED.replace("category: complete", "category: ensemble"), "primary"),
    ],
)
def test_a_pilot_under_other_conditions_is_refused(finished, tmp_path, protocol, study, differs):
    read = verbs.load_study(write_study(tmp_path, protocol=protocol, study=study))
    with pytest.raises(InputError) as caught:
        verbs.pilot_deviation(read, finished)
    (problem,) = caught.value.problems
    assert problem.code == "pilot-unlike"
    assert f"its {differs} differ" in problem.says


def test_a_pilot_without_scores_is_refused(tmp_path):
    study = write_study(tmp_path, protocol=FINISHED_PROTOCOL, study=FINISHED)
    with pytest.raises(InputError) as caught:
        verbs.pilot_deviation(verbs.load_study(study), study)
    assert [problem.code for problem in caught.value.problems] == ["pilot-scores-missing"]


def test_the_same_images_in_another_folder_are_the_same_data(reported, tmp_path):
    study = write_study(tmp_path / "other", protocol=FINISHED_PROTOCOL, study=FINISHED)
    assert verbs.pilot_deviation(verbs.load_study(study), reported).points > 0


@pytest.mark.parametrize("known", ["seen", "recorded"])
def test_other_images_under_the_same_name_are_other_data(reported, tmp_path, known):
    """One image of the training half is another one; without notes of what was seen, the pilot's records say it."""
    study = write_study(tmp_path / "other", protocol=FINISHED_PROTOCOL, study=FINISHED)
    first, *_, last = sorted((tmp_path / "other" / "pictures").glob("*/*"))
    first.write_bytes(last.read_bytes())
    if known == "recorded":
        for notes in ("cache", "manifests"):
            shutil.rmtree(reported.with_suffix("") / notes)
    with pytest.raises(InputError) as caught:
        verbs.pilot_deviation(verbs.load_study(study), reported)
    assert [problem.code for problem in caught.value.problems] == ["pilot-unlike"]


@pytest.mark.parametrize(("freedom", "by_hand"), [(None, 12.706), (0.5, 164.558), (30.0, 12.706)])
def test_a_deviation_of_few_degrees_of_freedom_is_planned_with_them(tmp_path, freedom, by_hand):
    """Two seeds have 1 degree of freedom, and more of the pilot change nothing. By scipy: t(1) and t(0.5) at 2.5 %."""
    read = verbs.load_study(write_study(tmp_path))
    plan = verbs.plan_study(read, sd=1e-6, sd_freedom=freedom)
    assert plan.reachable == pytest.approx(by_hand, rel=1e-3)
    assert plan.sd_freedom == freedom
