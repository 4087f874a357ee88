"""One bit of one file of each kind: found and named, never used in silence."""

from __future__ import annotations

import shutil

import pytest
from flipped_bytes import FILES, SILENT, flip_each


@pytest.fixture(scope="module")
def copied(finished, tmp_path_factory):
    home = tmp_path_factory.mktemp("flips") / "home"
    shutil.copytree(finished.parents[1], home)
    return home / "studies" / finished.name


@pytest.mark.parametrize("kind", sorted(FILES))
def test_a_flipped_bit_is_found(copied, kind):
    answers = flip_each(copied, kind=kind, count=3, seed=len(kind))
    assert answers[SILENT] == 0 and answers.total() == 3, answers
