"""What tests of every floor share: the folder's own modules, and a small study on disk."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from homes import Home

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def study_path(tmp_path: Path) -> Path:
    from small_study import write_study

    return write_study(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    from homes import Home

    return Home(tmp_path)
