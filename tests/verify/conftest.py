from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tampered import Copy

from realitycheck import verbs


@pytest.fixture(scope="session")
def reported(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The finished study with its packed ledger alone, and its report; not to be changed."""
    home = tmp_path_factory.mktemp("reported") / "home"
    for name in ("protocols", "studies"):
        shutil.copytree(finished.parents[1] / name, home / name)
    copy = Copy(home)
    for name in ("ledger", "attempts", "cache"):
        shutil.rmtree(copy.study.with_suffix("") / name)
    verbs.report_study(copy.study)
    return copy
