"""Generated images, archives and plug-ins that are damaged: read, or refused by name and code."""

from __future__ import annotations

import pytest
from broken_files import READ, REFUSED, extract_archives, load_plug_ins, read_images


@pytest.mark.filterwarnings("ignore:::PIL")
@pytest.mark.parametrize(("read", "count"), [(read_images, 1000), (extract_archives, 1000), (load_plug_ins, 50)])
def test_damaged_files_are_read_or_refused(tmp_path, read, count):
    answers = read(tmp_path / "home", count=count, seed=2026)
    assert answers[READ] > 0 and answers[REFUSED] > count / 4, answers
