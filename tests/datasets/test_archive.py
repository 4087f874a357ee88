"""Archives are extracted completely or not at all, and nothing of them outside the folder."""

import io
import os
import stat
import struct
import tarfile
import zipfile

import pytest

from realitycheck import atomic
from realitycheck.datasets.fetching.archive import LIMITS, extract
from realitycheck.datasets.fetching.archive_entries import Limits
from realitycheck.errors import InputError

FILES = {"top/a.txt": b"alpha", "top/deep/b.bin": bytes(range(256)) * 20, "top/empty": b""}


def tar(path, members, *, mode="w"):
    """Members are (name, content) or (name, type, link)."""
    with tarfile.open(path, mode) as out:
        for name, *rest in members:
            info = tarfile.TarInfo(name)
            if isinstance(rest[0], str):
                info.type, info.linkname = rest[0].encode("latin1"), rest[1]
                out.addfile(info)
            else:
                info.size = len(rest[0])
                out.addfile(info, io.BytesIO(rest[0]))
    return path


def zipped(path, members, *, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as out:
        for name, content, *mode in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            info.external_attr = (mode[0] if mode else stat.S_IFREG | 0o644) << 16
            out.writestr(info, content)
    return path


def refused(path, tmp_path, *, limits=LIMITS):
    """The one problem of an archive, of which no file is left."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as caught:
        extract(path, tmp_path / "out" / "data", limits=limits)
    left = [other for other in tmp_path.rglob("*") if other not in before]
    assert left in ([], [tmp_path / "out"])
    (problem,) = caught.value.problems
    return problem


def named(problem):
    return problem.code, problem.where


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2"])
def test_round_trip(tmp_path, kind):
    path = tmp_path / f"data.{kind}"
    members = [("./", "5", ""), ("top/", "5", ""), *FILES.items()] if kind != "zip" else list(FILES.items())
    if kind == "zip":
        zipped(path, [("top/", b"", stat.S_IFDIR | 0o755), *members])
    else:
        tar(path, members, mode=f"w:{kind.partition('.')[2]}")
    extract(path, tmp_path / "out", limits=LIMITS)
    out = tmp_path / "out"
    extracted = {file.relative_to(out).as_posix(): file.read_bytes() for file in out.rglob("*") if file.is_file()}
    assert extracted == FILES
    assert not [other for other in tmp_path.iterdir() if other.name.startswith(".")]


STRANGE = [
    "/etc/x",
    "../x",
    "a/../../x",
    "a//b",
    "a/./b",
    "C:/x",
    "C:x",
    "a\\b",
    "a/..",
    "x\n",
    "\x1b[2J",
    "n" * 300,
    "..",
]


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("write", [tar, zipped])
def test_strange_names_are_refused(tmp_path, name, write):
    path = write(tmp_path / "data", [("good", b"1"), (name, b"2")])
    assert refused(path, tmp_path).code == "archive-path"


def test_names_with_a_zero_byte_are_refused(tmp_path):
    """`zipfile` would truncate the name there."""
    path = zipped(tmp_path / "data", [("good.txtXevil", b"1")])
    path.write_bytes(path.read_bytes().replace(b"good.txtXevil", b"good.txt\0evil"))
    assert refused(path, tmp_path).code == "archive-path"


@pytest.mark.parametrize("kind", ["1", "2", "3", "4", "6", "7"])
def test_links_and_devices_of_a_tar_are_refused(tmp_path, kind):
    path = tar(tmp_path / "data", [("good", b"1"), ("link", kind, "good")])
    assert named(refused(path, tmp_path)) == ("archive-kind", "link")


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices_of_a_zip_are_refused(tmp_path, mode):
    path = zipped(tmp_path / "data", [("good", b"1"), ("link", b"/etc/passwd", mode | 0o777)])
    assert named(refused(path, tmp_path)) == ("archive-kind", "link")


@pytest.mark.parametrize(
    ("names", "code", "where"),
    [
        (["a", "a"], "archive-duplicate", "a"),
        (["Cat.jpg", "cat.JPG"], "archive-duplicate", "cat.JPG"),
        (["a", "a/b"], "archive-below-file", "a/b"),
        (["a/b", "a"], "archive-duplicate", "a"),
        (["a/b", "./a/b"], "archive-duplicate", "./a/b"),
    ],
)
def test_names_that_collide_are_refused(tmp_path, names, code, where):
    path = tar(tmp_path / "data", [(name, b"1") for name in names])
    assert named(refused(path, tmp_path)) == (code, where)


def test_bombs_are_refused(tmp_path):
    """20 MiB of zeros in 20 kB; extracted bytes are counted, whatever the header claims."""
    zeros = bytes(20 * 2**20)
    bomb = ("archive-size", "bomb")
    assert named(refused(zipped(tmp_path / "zip", [("bomb", zeros)]), tmp_path)) == bomb
    assert named(refused(tar(tmp_path / "tgz", [("bomb", zeros)], mode="w:gz"), tmp_path)) == bomb
    assert named(refused(tar(tmp_path / "tbz", [("bomb", zeros)], mode="w:bz2"), tmp_path)) == bomb


def test_limits_are_kept(tmp_path):
    path = tar(tmp_path / "data", [(str(number), b"1" * 1000) for number in range(11)])
    few, small = Limits(members=10, total=10**6, ratio=100), Limits(members=99, total=10_999, ratio=100)
    assert named(refused(path, tmp_path, limits=few)) == ("archive-members", "10")
    assert named(refused(path, tmp_path, limits=small)) == ("archive-size", "10")
    extract(path, tmp_path / "done", limits=Limits(members=11, total=11_000, ratio=100))


def test_a_header_that_fills_the_memory_is_refused(tmp_path):
    """A header of names claims 16 MiB: `tarfile` would read it in one piece."""
    path = tmp_path / "data"
    with tarfile.open(path, "w:gz") as out:
        info = tarfile.TarInfo("names")
        info.type, info.size = tarfile.XHDTYPE, 16 * 2**20
        out.addfile(info, io.BytesIO(bytes(info.size)))
    problem = refused(path, tmp_path)
    assert problem.code == "archive-damaged" and "a header of 16,777,216 bytes" in problem.says


@pytest.mark.parametrize("kind", ["zip", "tar", "gz", "bz2"])
def test_cut_archives_are_refused(tmp_path, kind):
    """Truncated in the middle, and before the last bytes, where the checksum is."""
    content = [("a", os.urandom(50_000)), ("b", os.urandom(50_000))]
    path = tmp_path / "data"
    zipped(path, content) if kind == "zip" else tar(path, content, mode="w:" + kind.replace("tar", ""))
    whole = path.read_bytes()
    for end in (10, len(whole) // 3, len(whole) - 2 if kind != "tar" else 2 * 512 + 50_176):
        path.write_bytes(whole[:end])
        assert refused(path, tmp_path).code == "archive-damaged"


@pytest.mark.parametrize("kind", ["gz", "bz2", "zip"])
def test_flipped_bits_are_seen(tmp_path, kind):
    content = [("a", os.urandom(50_000))]
    path = tmp_path / "data"
    zipped(path, content, method=zipfile.ZIP_STORED) if kind == "zip" else tar(path, content, mode=f"w:{kind}")
    damaged = bytearray(path.read_bytes())
    damaged[20_000] ^= 1
    path.write_bytes(damaged)
    assert refused(path, tmp_path).code == "archive-damaged"


def test_a_damaged_header_is_no_end(tmp_path):
    """`tarfile` stops at the first bad header without an error."""
    path = tar(tmp_path / "data", [("a", b"1"), ("b", b"2"), ("c", b"3")])
    damaged = bytearray(path.read_bytes())
    damaged[1024:1034] = b"\xff" * 10
    path.write_bytes(damaged)
    assert named(refused(path, tmp_path)) == ("archive-damaged", "after a")


def test_encrypted_members_are_refused(tmp_path):
    path = zipped(tmp_path / "data", [("a", b"1")])
    content = bytearray(path.read_bytes())
    central = content.index(b"PK\x01\x02")
    for offset in (6, central + 8):
        struct.pack_into("<H", content, offset, 1)
    path.write_bytes(content)
    problem = refused(path, tmp_path)
    assert problem.code == "archive-damaged" and "encrypted" in problem.says


def test_a_kill_leaves_nothing_that_looks_finished(tmp_path, monkeypatch):
    """Interrupted just before the rename, it leaves a folder with a name that begins with a dot."""
    path = tar(tmp_path / "data", list(FILES.items()))

    def die():
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic.os, "sync", die)
    monkeypatch.setattr(atomic.shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(KeyboardInterrupt):
        extract(path, tmp_path / "out", limits=LIMITS)
    monkeypatch.undo()
    (left,) = [other for other in tmp_path.iterdir() if other != path]
    assert left.name.startswith(".out.") and left.name.endswith(".partial")
    extract(path, tmp_path / "out", limits=LIMITS)
    assert (tmp_path / "out" / "top" / "a.txt").read_bytes() == b"alpha"


def test_an_existing_folder_is_refused(tmp_path):
    path = tar(tmp_path / "data", list(FILES.items()))
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=r"\[folder-exists\]"):
        extract(path, tmp_path / "out", limits=LIMITS)


def test_a_file_that_is_not_an_archive_is_refused(tmp_path):
    (tmp_path / "data").write_text("<html>not found</html>")
    assert refused(tmp_path / "data", tmp_path).code == "archive-damaged"


def test_a_member_without_a_name_is_refused(tmp_path):
    path = zipped(tmp_path / "data", [("a", b"1"), ("", b"2")])
    assert refused(path, tmp_path).code == "archive-damaged"
