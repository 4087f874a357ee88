"""P7: a thousand flipped bits of each kind of file, none of which is used in silence."""

from __future__ import annotations

import os
import shutil
from collections import Counter

import pytest
from flipped_bytes import FILES, FOUND, SAME, SILENT, flip_each
from flipped_caches import CACHES, flip_cache
from recorded import record

FLIPS = int(os.environ.get("CHAOS_FLIPS", "1000"))


@pytest.mark.parametrize("kind", sorted(FILES))
def test_no_flipped_bit_is_used_in_silence(finished, tmp_path, kind):
    home = tmp_path / "home"
    shutil.copytree(finished.parents[1], home)
    answers = flip_each(home / "studies" / finished.name, kind=kind, count=FLIPS, seed=7)
    noted(kind, answers)


@pytest.mark.parametrize("kind", sorted(CACHES))
def test_no_flipped_bit_of_a_cache_is_used_in_silence(tmp_path, kind):
    noted(kind, flip_cache(CACHES[kind](tmp_path), count=FLIPS, seed=7))


def noted(kind: str, answers: Counter[str]) -> None:
    record(
        f"flipped bits: {kind}",
        f"{answers.total()} flips, {answers[FOUND]} found, {answers[SAME]} without effect, {answers[SILENT]} silent",
    )
    assert answers[SILENT] == 0, answers
