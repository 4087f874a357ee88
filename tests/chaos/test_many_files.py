"""P9: a hundred thousand generated files: studies, images, archives and plug-ins, without a traceback of ours."""

from __future__ import annotations

import os

import pytest
from broken_files import READ, REFUSED, extract_archives, load_plug_ins, read_images
from mutated_studies import read_all
from recorded import record

from realitycheck import verbs

FILES = int(os.environ.get("CHAOS_FILES", "100000"))
GENERATED = {"images": (read_images, 0.60), "archives": (extract_archives, 0.30), "plug-ins": (load_plug_ins, 0.002)}
"""Kind → what reads them, and their share of all files; the rest are files of studies."""
STUDIES = 0.098


def test_mutated_files_are_read_or_refused_with_problems(tmp_path):
    count = round(STUDIES * FILES)
    valid, refused = read_all(
        tmp_path / "home", lambda path: verbs.study_warnings(verbs.load_study(path)), count=count, seed=9
    )
    noted("studies", valid=valid, refused=refused)


@pytest.mark.filterwarnings("ignore:::PIL")
@pytest.mark.parametrize("kind", sorted(GENERATED))
def test_generated_files_are_read_or_refused_with_problems(tmp_path, kind):
    read, share = GENERATED[kind]
    answers = read(tmp_path / "home", count=round(share * FILES), seed=9)
    noted(kind, valid=answers[READ], refused=answers[REFUSED])


def noted(kind: str, *, valid: int, refused: int) -> None:
    counts = f"{valid + refused} files, {refused} refused with problems, {valid} valid, 0 tracebacks"
    record(f"generated files: {kind}", counts)
