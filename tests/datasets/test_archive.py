"""Archives are unpacked whole or not at all, and nothing of them lands anywhere else."""

import io
import os
import stat
import struct
import tarfile
import zipfile

import pytest

from realitycheck.datasets.fetching import archive as archive_module
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
    """What is said; and nothing is left anywhere."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as caught:
        extract(path, tmp_path / "out" / "data", limits=limits)
    left = [each for each in tmp_path.rglob("*") if each not in before]
    assert left in ([], [tmp_path / "out"])
    return str(caught.value)


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2"])
def test_round_trip(tmp_path, kind):
    path = tmp_path / f"data.{kind}"
    members = [("./", "5", ""), ("top/", "5", ""), *FILES.items()] if kind != "zip" else list(FILES.items())
    if kind == "zip":
        zipped(path, [("top/", b"", stat.S_IFDIR | 0o755), *members])
    else:
        tar(path, members, mode=f"w:{kind.partition('.')[2]}")
    extract(path, tmp_path / "out", limits=LIMITS)
    found = {each.relative_to(tmp_path / "out").as_posix(): each for each in (tmp_path / "out").rglob("*")}
    assert {name: each.read_bytes() for name, each in found.items() if each.is_file()} == FILES
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]


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
    assert "must be a plain relative name" in refused(path, tmp_path)


def test_names_with_a_zero_byte_are_refused(tmp_path):
    """`zipfile` would cut the name there and take the rest for nothing."""
    path = zipped(tmp_path / "data", [("good.txtXevil", b"1")])
    path.write_bytes(path.read_bytes().replace(b"good.txtXevil", b"good.txt\0evil"))
    assert "must be a plain relative name" in refused(path, tmp_path)


@pytest.mark.parametrize("kind", ["1", "2", "3", "4", "6", "7"])
def test_links_and_devices_of_a_tar_are_refused(tmp_path, kind):
    path = tar(tmp_path / "data", [("good", b"1"), ("link", kind, "good")])
    assert "link: must be a file or a folder; it is a link or a device" in refused(path, tmp_path)


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_devices_of_a_zip_are_refused(tmp_path, mode):
    path = zipped(tmp_path / "data", [("good", b"1"), ("link", b"/etc/passwd", mode | 0o777)])
    assert "link: must be a file or a folder; it is a link or a device" in refused(path, tmp_path)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["a", "a"], "a: must be there once"),
        (["Cat.jpg", "cat.JPG"], "cat.JPG: must be there once"),
        (["a", "a/b"], "a/b: must not lie below a file"),
        (["a/b", "a"], "a: must be there once"),
        (["a/b", "./a/b"], "./a/b: must be there once"),
    ],
)
def test_names_that_meet_are_refused(tmp_path, names, says):
    path = tar(tmp_path / "data", [(name, b"1") for name in names])
    assert says in refused(path, tmp_path)


def test_bombs_are_refused(tmp_path):
    """20 MiB of zeros in 20 kB; what comes out is counted, whatever the header claims."""
    zeros = bytes(20 * 2**20)
    assert "bomb: unpacks to more" in refused(zipped(tmp_path / "zip", [("bomb", zeros)]), tmp_path)
    assert "bomb: unpacks to more" in refused(tar(tmp_path / "tgz", [("bomb", zeros)], mode="w:gz"), tmp_path)
    assert "bomb: unpacks to more" in refused(tar(tmp_path / "tbz", [("bomb", zeros)], mode="w:bz2"), tmp_path)


def test_limits_are_kept(tmp_path):
    path = tar(tmp_path / "data", [(str(number), b"1" * 1000) for number in range(11)])
    few, small = Limits(members=10, total=10**6, ratio=100), Limits(members=99, total=10_999, ratio=100)
    assert "10: is member 11; at most 10 are taken" in refused(path, tmp_path, limits=few)
    assert "10: unpacks to more" in refused(path, tmp_path, limits=small)
    extract(path, tmp_path / "done", limits=Limits(members=11, total=11_000, ratio=100))


def test_a_header_that_fills_the_memory_is_refused(tmp_path):
    """A header of names claims 16 MiB: `tarfile` would read it in one piece."""
    path = tmp_path / "data"
    with tarfile.open(path, "w:gz") as out:
        info = tarfile.TarInfo("names")
        info.type, info.size = tarfile.XHDTYPE, 16 * 2**20
        out.addfile(info, io.BytesIO(bytes(info.size)))
    assert "a header of 16,777,216 bytes is more than" in refused(path, tmp_path)


@pytest.mark.parametrize("kind", ["zip", "tar", "gz", "bz2"])
def test_cut_archives_are_refused(tmp_path, kind):
    """Cut anywhere: in the middle, and before the last bytes, where the checksum is."""
    content = [("a", os.urandom(50_000)), ("b", os.urandom(50_000))]
    path = tmp_path / "data"
    zipped(path, content) if kind == "zip" else tar(path, content, mode="w:" + kind.replace("tar", ""))
    whole = path.read_bytes()
    for end in (10, len(whole) // 3, len(whole) - 2 if kind != "tar" else 2 * 512 + 50_176):
        path.write_bytes(whole[:end])
        assert "Download the archive again" in refused(path, tmp_path)


@pytest.mark.parametrize("kind", ["gz", "bz2", "zip"])
def test_flipped_bits_are_seen(tmp_path, kind):
    content = [("a", os.urandom(50_000))]
    path = tmp_path / "data"
    zipped(path, content, method=zipfile.ZIP_STORED) if kind == "zip" else tar(path, content, mode=f"w:{kind}")
    damaged = bytearray(path.read_bytes())
    damaged[20_000] ^= 1
    path.write_bytes(damaged)
    assert "Download the archive again" in refused(path, tmp_path)


def test_a_damaged_header_is_no_end(tmp_path):
    """`tarfile` stops at the first bad header without a word."""
    path = tar(tmp_path / "data", [("a", b"1"), ("b", b"2"), ("c", b"3")])
    damaged = bytearray(path.read_bytes())
    damaged[1024:1034] = b"\xff" * 10
    path.write_bytes(damaged)
    assert "after a: cannot be unpacked: it ends in the middle" in refused(path, tmp_path)


def test_encrypted_members_are_refused(tmp_path):
    path = zipped(tmp_path / "data", [("a", b"1")])
    content = bytearray(path.read_bytes())
    central = content.index(b"PK\x01\x02")
    for place in (6, central + 8):
        struct.pack_into("<H", content, place, 1)
    path.write_bytes(content)
    assert "encrypted" in refused(path, tmp_path)


def test_a_kill_leaves_nothing_that_looks_finished(tmp_path, monkeypatch):
    """The last moment before the rename: whatever dies there leaves a name that begins with a dot."""
    path = tar(tmp_path / "data", list(FILES.items()))

    def die():
        raise KeyboardInterrupt

    monkeypatch.setattr(archive_module.os, "sync", die)
    monkeypatch.setattr(archive_module.shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(KeyboardInterrupt):
        extract(path, tmp_path / "out", limits=LIMITS)
    monkeypatch.undo()
    (left,) = [each for each in tmp_path.iterdir() if each != path]
    assert left.name.startswith(".out.") and left.name.endswith(".partial")
    extract(path, tmp_path / "out", limits=LIMITS)
    assert (tmp_path / "out" / "top" / "a.txt").read_bytes() == b"alpha"


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    path = tar(tmp_path / "data", list(FILES.items()))
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="must not exist yet"):
        extract(path, tmp_path / "out", limits=LIMITS)


def test_no_archive_is_told(tmp_path):
    (tmp_path / "data").write_text("<html>not found</html>")
    assert "cannot be unpacked" in refused(tmp_path / "data", tmp_path)
