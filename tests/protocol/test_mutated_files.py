"""Whatever is written into a study's files, the answer is a list of problems, never a traceback of ours."""

from __future__ import annotations

from mutated_studies import read_all

from realitycheck.verbs.study import open_study


def test_mutated_files_are_read_or_refused_with_problems(tmp_path):
    """Eighty of them; `make extended` has a thousand, which are held to their classes as well."""
    valid, refused = read_all(tmp_path / "home", open_study, count=80, seed=12)
    assert valid > 5 and refused > 40, (valid, refused)
