"""No record that `append` returned for is lost, whenever its process is killed."""

from __future__ import annotations

import errno
import os

import pytest
from killed_writers import kill_writers

from realitycheck import claims


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_a_hundred_kills_lose_no_record(tmp_path, monkeypatch, links):
    if not links:
        monkeypatch.setattr(os, "link", _none)
        monkeypatch.setattr(claims, "CLAIM_SECONDS", 0.05)
    assert kill_writers(tmp_path, kills=100, seed=1) > 100


def _none(source, target):
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
