"""P7: a thousand flipped bits, none of which is used in silence."""

from __future__ import annotations

import os
import shutil

import pytest
from flipped_bytes import FILES, FOUND, SAME, SILENT, flip_each
from recorded import record

FLIPS = int(os.environ.get("CHAOS_FLIPS", "1000"))


@pytest.mark.parametrize("kind", sorted(FILES))
def test_no_flipped_bit_is_used_in_silence(finished, tmp_path, kind):
    home = tmp_path / "home"
    shutil.copytree(finished.parents[1], home)
    count = max(1, FLIPS // len(FILES))
    answers = flip_each(home / "studies" / finished.name, kind=kind, count=count, seed=7)
    record(
        f"flipped bits: {kind}",
        f"{answers.total()} flips, {answers[FOUND]} found, {answers[SAME]} without effect, {answers[SILENT]} silent",
    )
    assert answers[SILENT] == 0, answers
