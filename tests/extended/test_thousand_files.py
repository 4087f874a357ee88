"""A thousand generated files of studies, held to their classes too."""

from __future__ import annotations

from mutated_studies import read_all

from realitycheck import verbs


def test_a_thousand_mutated_files_are_read_or_refused_with_problems(tmp_path):
    def read(path):
        verbs.study_warnings(verbs.load_study(path))

    valid, refused = read_all(tmp_path / "home", read, count=1000, seed=2026)
    assert valid > 50 and refused > 500, (valid, refused)
