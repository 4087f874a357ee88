"""A file that is there and cannot be read is no slip of its name."""

from __future__ import annotations

import pytest
from small_study import write_study

from realitycheck.errors import InputError
from realitycheck.protocol.read import read_study


def test_a_folder_in_the_place_of_a_study_is_said_and_no_other_name(tmp_path):
    study = write_study(tmp_path)
    study.unlink()
    study.mkdir()
    with pytest.raises(InputError) as caught:
        read_study(study)
    (problem,) = caught.value.problems
    assert problem.code == "file-unreadable"
    assert "Did you mean" not in problem.says
