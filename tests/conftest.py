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


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a study of two losses that was trained and scored, packed, with its loose records; not to be changed.

    Its searches have two trials, the second by a Gaussian process.
    """
    import torch
    from small_study import FINISHED, FINISHED_PROTOCOL, write_study

    from realitycheck import verbs

    path = write_study(tmp_path_factory.mktemp("finished"), protocol=FINISHED_PROTOCOL, study=FINISHED)
    threads = torch.get_num_threads()
    result = verbs.run_study(verbs.load_study(path), executor="inline", device="cpu")
    torch.set_num_threads(threads)
    assert not result.left and not result.alarms
    verbs.pack_study(path)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    from homes import Home

    return Home(tmp_path)


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins answer at once. A test asks for it by `usefixtures`."""
    import standins

    monkeypatch.setattr(standins.time, "sleep", lambda seconds: None)
