"""What tests of every floor share: the folder's own modules, and a small study on disk."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def study_path(tmp_path: Path) -> Path:
    from small_study import write_study

    return write_study(tmp_path)
