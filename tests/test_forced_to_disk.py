"""The bytes of a file are on the disk before it has its name, and the name is before a caller hears of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from realitycheck.atomic import draft_of, link_new, publish


@pytest.fixture
def calls(monkeypatch):
    """What the system is asked for, in order: `fsync` of a file or a folder, `link` and `rename`."""
    made, fsync, link, replace = [], os.fsync, os.link, Path.replace

    def synced(descriptor):
        made.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def linked(source, target):
        made.append("link")
        link(source, target)

    def replaced(path, target):
        made.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "link", linked)
    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setattr(os, "sync", lambda: made.append("all"))
    return made


def test_a_new_file(tmp_path, calls):
    assert link_new(tmp_path / "record", b"content")
    assert calls == ["file", "link", "folder"]


def test_a_file_in_the_place_of_another(tmp_path, calls):
    with draft_of(tmp_path / "store") as draft:
        draft.write_bytes(b"content")
        publish(draft, tmp_path / "store")
    assert calls == ["file", "rename", "folder"]


def test_a_folder_with_all_that_is_in_it(tmp_path, calls):
    with draft_of(tmp_path / "images") as draft:
        draft.mkdir()
        (draft / "a").write_bytes(b"content")
        publish(draft, tmp_path / "images")
    assert calls == ["all", "rename", "folder"]


def test_without_hard_links(tmp_path, calls, monkeypatch):
    def refused(source, target):
        raise PermissionError(1, "no links")

    monkeypatch.setattr(os, "link", refused)
    assert link_new(tmp_path / "record", b"content")
    assert calls == ["file", "rename", "folder"]
