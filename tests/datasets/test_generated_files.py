"""Generated images and archives that are damaged: read, or refused by name and code."""

from __future__ import annotations

import pytest
from broken_files import READ, REFUSED, extract_archives, read_images


@pytest.mark.filterwarnings("ignore:::PIL")
@pytest.mark.parametrize("read", [read_images, extract_archives])
def test_damaged_files_are_read_or_refused(tmp_path, read):
    answers = read(tmp_path / "home", count=100, seed=1)
    assert answers[READ] > 5 and answers[REFUSED] > 20, answers
