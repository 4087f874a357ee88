"""P9: a hundred thousand mutated files of studies, without a traceback of ours."""

from __future__ import annotations

import os

from mutated_studies import read_all
from recorded import record

from realitycheck import verbs

FILES = int(os.environ.get("CHAOS_FILES", "100000"))


def test_mutated_files_are_read_or_refused_with_problems(tmp_path):
    valid, refused = read_all(
        tmp_path / "home", lambda path: verbs.study_warnings(verbs.load_study(path)), count=FILES, seed=9
    )
    record("mutated study files", f"{FILES} files, {refused} refused with problems, {valid} valid, 0 tracebacks")
