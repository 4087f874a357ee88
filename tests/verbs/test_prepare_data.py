"""Data that do not fit are told by name, before anything runs."""

from __future__ import annotations

import pytest

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.verbs.study import open_study


def test_classes_that_are_too_small_are_named(study_path):
    """17 classes; the first eight are trainval, and class_03 keeps one image of its four."""
    for picture in sorted((study_path.parent.parent / "pictures" / "class_03").iterdir())[1:]:
        picture.unlink()
    with pytest.raises(InputError) as caught:
        verbs.prepare_data(open_study(study_path))
    small = [problem for problem in caught.value.problems if problem.code == "class-too-small"]
    assert [problem.where for problem in small] == ["datasets.pictures"]
    assert "class_03 (1)" in small[0].says
    assert str(caught.value).count("class_03 (1)") == 3  # once more for either batch shape
