"""A thousand generated files of each kind: studies held to their classes too, images, archives and plug-ins."""

from __future__ import annotations

import pytest
from broken_files import READ, REFUSED, extract_archives, load_plug_ins, read_images
from mutated_studies import read_all

from realitycheck import verbs


def test_a_thousand_mutated_files_are_read_or_refused_with_problems(tmp_path):
    def read(path):
        verbs.study_warnings(verbs.load_study(path))

    valid, refused = read_all(tmp_path / "home", read, count=1000, seed=2026)
    assert valid > 50 and refused > 500, (valid, refused)


@pytest.mark.filterwarnings("ignore:::PIL")
@pytest.mark.parametrize(("read", "count"), [(read_images, 1000), (extract_archives, 1000), (load_plug_ins, 50)])
def test_generated_files_are_read_or_refused_with_problems(tmp_path, read, count):
    answers = read(tmp_path / "home", count=count, seed=2026)
    assert answers[READ] > 0 and answers[REFUSED] > count / 4, answers
