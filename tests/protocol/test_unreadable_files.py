"""A file that is there and cannot be read is no slip of its name."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_study import write_study

from realitycheck.errors import InputError
from realitycheck.protocol.read import read_study


def test_a_folder_in_the_place_of_a_study_is_said_and_no_other_name(tmp_path):
    study = write_study(tmp_path)
    study.unlink()
    study.mkdir()
    with pytest.raises(InputError) as caught:
        read_study(study)
    (problem,) = caught.value.problems
    assert problem.code == "file-unreadable"
    assert "Did you mean" not in problem.says


def test_a_closed_folder_of_protocols_is_said_and_the_shipped_protocol_does_not_take_its_place(tmp_path, monkeypatch):
    study = write_study(tmp_path)
    study.write_text(study.read_text().replace("protocol: tiny", "protocol: quick"))  # the package has `quick`
    for name in ("stat", "open"):
        monkeypatch.setattr(Path, name, closed(tmp_path / "protocols", getattr(Path, name)))
    with pytest.raises(InputError) as caught:
        read_study(study)
    assert [problem.code for problem in caught.value.problems] == ["file-unreadable"]


def closed(folder: Path, of_path: Callable[..., Any]) -> Callable[..., Any]:
    """A method of Path for a user without permission for a folder; tests may run as root, who has it."""

    def refused(path: Path, *rest: object, **named: object) -> object:
        if path.is_relative_to(folder) and path != folder:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return of_path(path, *rest, **named)

    return refused
