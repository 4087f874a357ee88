"""What a machine could not read or write is one sentence; any other error stays what it is."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from realitycheck.atomic import draft_of, made_there, make_folder, storage_errors
from realitycheck.errors import StorageError


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "place/a: No space left on device. Free some space."),
        (errno.EROFS, "place/a: Read-only file system. Make it writable, or choose another place."),
        (errno.ENAMETOOLONG, "place/a: File name too long. Shorten the name."),
    ],
)
def test_a_state_of_the_machine_is_one_sentence(number, says):
    with pytest.raises(StorageError) as caught, storage_errors(Path("place/a")):
        raise OSError(number, os.strerror(number), "place/.draft")
    assert str(caught.value) == says


def test_a_name_without_its_folder_is_not_the_place():
    with pytest.raises(StorageError) as caught, storage_errors(Path("/studies/demo/cache/stores")):
        raise PermissionError(errno.EACCES, "Permission denied", "test.json")  # as `shutil.rmtree`
    assert str(caught.value).startswith("/studies/demo/cache/stores: Permission denied.")


def test_another_error_stays_what_it_is():
    with pytest.raises(FileNotFoundError), storage_errors(Path("a")):
        raise FileNotFoundError(errno.ENOENT, "none")


def test_a_folder_cannot_be_made_where_a_file_is(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    for place in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "loop", Path("/proc/nowhere")):
        with pytest.raises(StorageError) as caught:
            make_folder(place)
        assert str(caught.value).startswith(f"{place}")
    with pytest.raises(StorageError), draft_of(tmp_path / "file" / "tables.md"):
        pass
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="the system has no /proc")
def test_a_folder_that_takes_no_files_is_a_sentence():
    path = Path("/proc/settings.yaml")
    with pytest.raises(StorageError, match=str(path)), storage_errors(path), made_there(path):
        path.write_text("a")
