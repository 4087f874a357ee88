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
    assert verbs.pilot_deviation(read, reported) == pytest.approx(expected, rel=1e-9)


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
