"""Files of all kinds in a folder: each is read as viewers show it, or named with a code; never another exception."""

import os
import struct

import numpy as np
import pytest
from exif_files import BLUE, HALVES, ORIENTATION, RED, SIDE, encoded, jpeg, png, tiff, webp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from realitycheck.datasets.members.folder import Folder
from realitycheck.datasets.reading.decode import SUFFIXES, cause_of, decode
from realitycheck.errors import InputError, Problem

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")  # as in `Decoding.decode`: Pillow warns of damaged metadata


def shown(tmp_path, data, name="x"):
    """The colours at the left, right, top and bottom of the decoded image."""
    (tmp_path / name).write_bytes(data)
    image = decode(tmp_path / name, size=SIDE).astype(int)
    middle, last = SIDE // 2, SIDE - 2
    places = {"left": (middle, 1), "right": (middle, last), "top": (1, middle), "bottom": (last, middle)}
    colours = {place: image[:, row, column] for place, (row, column) in places.items()}
    return {place: "red" if colour[0] > 128 else "blue" for place, colour in colours.items()}


UPRIGHT = {"left": "red", "right": "blue"}
TURNED = {"top": "red", "bottom": "blue"}
"""By orientation 6, the left of the file is the top of the picture."""

JUNK = {
    "words": b"no EXIF at all",
    "empty": b"",
    "head alone": b"II*\0",
    "big offset": b"II*\0" + struct.pack("<I", 0xFFFFFFF0),
    "count too high": tiff(count=60_000),
    "cycle": tiff((0x8769, 4, 1, struct.pack("<I", 8)), next_ifd=8),
    "text": tiff((0x112, 2, 2, b"6\0\0\0")),
    "zero": tiff((0x112, 3, 1, struct.pack("<HH", 0, 0))),
    "nine": tiff((0x112, 3, 1, struct.pack("<HH", 9, 0))),
    "unknown type": tiff((0x112, 99, 1, struct.pack("<HH", 6, 0))),
    "by zero": tiff((0x112, 5, 1, struct.pack("<I", 8))),
}


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("make", [jpeg, png, webp])
def test_junk_in_place_of_exif_is_ignored(tmp_path, make, junk):
    assert shown(tmp_path, make(JUNK[junk])).items() >= UPRIGHT.items()


ODD = {
    "resolution as text": (0x11A, 2, 4, b"72\0\0"),
    "resolution out of the file": (0x11A, 5, 1, struct.pack("<I", 60_000)),
    "huge": (0x13B, 2, 0x7FFFFFFF, struct.pack("<I", 8)),
    "cyclic": (0x8769, 4, 1, struct.pack("<I", 8)),
    "unknown type": (0x13C, 77, 1, b"\0\0\0\0"),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("make", [jpeg, png, webp])
def test_the_orientation_is_read_beside_odd_tags(tmp_path, make, odd):
    """Pillow issue 6882."""
    assert shown(tmp_path, make(tiff(ORIENTATION, ODD[odd]))).items() >= TURNED.items()


def test_exif_that_a_jpeg_cuts_short(tmp_path):
    whole = tiff(ORIENTATION, (0x11A, 5, 1, struct.pack("<I", 38)))
    assert shown(tmp_path, jpeg(whole[:22])).keys() >= UPRIGHT.keys()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_undoes_the_turn_of_the_camera(tmp_path, orientation):
    """Rows and columns of the upright picture by the EXIF standard: where row 0 and column 0 of the file belong."""
    rng = np.random.default_rng(0)
    upright = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.swapaxes(0, 1), 6: np.rot90(upright, 1), 7: np.rot90(upright, 2).swapaxes(0, 1),
        8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x112] = orientation
    for kind in ("PNG", "TIFF", "WEBP"):
        path = tmp_path / kind
        path.write_bytes(encoded(kind, np.ascontiguousarray(stored), exif=exif, lossless=True))
        assert np.array_equal(decode(path, size=SIDE), upright.transpose(2, 0, 1)), kind


@pytest.fixture
def root(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(encoded("PNG"))
    return tmp_path


def problems(root):
    """Place and code of each problem of opening a folder and reading its images."""
    try:
        dataset = Folder(root=os.fspath(root))
        list(dataset.images(range(len(dataset.labels)), size=SIDE))
    except InputError as error:
        str(error).encode()
        return sorted((problem.where, problem.code) for problem in error.problems)
    return []


@pytest.mark.parametrize(
    "raised", [struct.error("unpack"), KeyError(3), ZeroDivisionError(), MemoryError(), OSError(13, "no permission")]
)
def test_whatever_the_decoder_raises_has_the_name_of_the_file(root, monkeypatch, raised):
    def broken(path, *, size):
        raise raised

    monkeypatch.setattr("realitycheck.datasets.reading.files.decode", broken)
    assert problems(root) == [("a/1.png", "image-unreadable"), ("b/1.png", "image-unreadable")]
    assert cause_of(raised)


def test_all_kinds_of_broken_files_are_named_at_once(root):
    whole = encoded("JPEG")
    (root / "a" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "a" / "none.jpg").write_bytes(b"")
    (root / "b" / "head.avif").write_bytes(b"\0\0\0\x1cftypavif")
    (root / "b" / "wide.png").write_bytes(encoded("PNG", np.zeros((4, 4), np.uint16)))
    expected = ["a/cut.jpg", "a/none.jpg", "b/head.avif", "b/wide.png"]
    assert problems(root) == [(name, "image-unreadable") for name in expected]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("2.jfif", "JPEG"),
        ("2.jpe", "JPEG"),
        ("2.JPG", "JPEG"),
        ("2.avif", "AVIF"),
        ("2.pgm", "PPM"),
        ("2.webp", "WEBP"),
    ],
)
def test_files_of_every_suffix_are_read(root, name, kind):
    (root / "a" / name).write_bytes(encoded(kind))
    dataset = Folder(root=os.fspath(root))
    assert dataset.paths == ("a/1.png", f"a/{name}", "b/1.png")
    images = list(dataset.images([0, 1], size=SIDE))
    assert np.abs(images[0].astype(int) - images[1]).mean() < 12  # lossy codecs blur the edge


def test_the_first_image_of_an_animation_is_read(tmp_path):
    frames = [Image.new("RGB", (SIDE, SIDE), colour) for colour in (RED, BLUE)]
    for kind in ("GIF", "PNG", "WEBP", "TIFF", "AVIF"):
        frames[0].save(tmp_path / kind, kind, save_all=True, append_images=frames[1:])
        red, _, blue = decode(tmp_path / kind, size=SIDE)[:, 8, 8].tolist()
        assert red > 240 and blue < 16, kind


def test_transparency_is_dropped(tmp_path):
    """A palette of red and blue, red transparent: the red below is shown."""
    image = Image.fromarray(HALVES).quantize(2)
    left = image.getpixel((0, 0))
    image.save(tmp_path / "x.png", transparency=bytes([0 if index == left else 255 for index in range(2)]))
    decoded = decode(tmp_path / "x.png", size=SIDE)
    assert decoded[:, 8, 1].tolist() == list(RED) and decoded[:, 8, 14].tolist() == list(BLUE)


def test_files_that_are_not_read_are_counted_and_named(root):
    for name in ("a/1.heic", "a/2.HEIC", "b/3.heic", "b/notes.txt", "b/x", "top.jpg", "README.md"):
        (root / name).write_bytes(b"x")
    for name in (".DS_Store", "Thumbs.db", "a/.hidden.heic", "a/desktop.ini", "b/THUMBS.DB"):
        (root / name).write_bytes(b"x")
    (root / "c.lnk").symlink_to(root / "nowhere")
    dataset = Folder(root=os.fspath(root))
    found = {warning.code: warning.says for warning in dataset.warnings}
    assert found.keys() == {"files-unread", "files-beside-classes"}
    assert "5 files" in found["files-unread"]
    assert (
        "3 .heic (a/1.heic, a/2.HEIC, b/3.heic), 1 .txt (b/notes.txt), 1 without a suffix (b/x)"
        in found["files-unread"]
    )
    assert "3 files" in found["files-beside-classes"] and "README.md, c.lnk, top.jpg" in found["files-beside-classes"]


def test_a_clean_folder_has_no_warnings(root):
    assert Folder(root=os.fspath(root)).warnings == ()


def test_a_class_without_a_file_that_is_read_says_what_it_holds(root):
    (root / "phone").mkdir()
    (root / "phone" / "1.heic").write_bytes(b"x")
    (root / "void").mkdir()
    (root / "b" / "x.jpg").mkdir()
    with pytest.raises(InputError) as caught:
        Folder(root=os.fspath(root))
    found = {problem.where: problem for problem in caught.value.problems}
    assert {where: problem.code for where, problem in found.items()} == {
        "phone": "class-empty",
        "void": "class-empty",
        "b": "class-nested",
    }
    assert "1 .heic" in found["phone"].says


def test_names_that_are_not_text_are_refused_and_shown(root):
    odd = os.fsdecode(b"caf\xe9.jpg")
    (root / "a" / odd).write_bytes(encoded("JPEG"))
    (root / "b" / "bell\x07.heic").write_bytes(b"x")
    with pytest.raises(InputError, match=r"a/caf\\udce9\.jpg") as caught:
        Folder(root=os.fspath(root))
    assert [problem.code for problem in caught.value.problems] == ["name-encoding"]
    (root / "a" / odd).unlink()
    (warning,) = Folder(root=os.fspath(root)).warnings
    assert r"b/bell\x07.heic" in warning.says


def test_a_class_that_cannot_be_listed_is_named_beside_others(root, monkeypatch):
    (root / "b" / "inner").mkdir()
    scan = os.scandir

    def refused(path):
        if os.fspath(path).endswith("/a"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert problems(root) == [("a", "folder-unreadable"), ("b", "class-nested")]


def test_a_problem_with_odd_characters_is_one_printable_line():
    text = str(Problem(3, "a\nb\x1b[31m\udce9", "cannot be read.", "image-unreadable"))
    assert text == r"line 3  a\nb\x1b[31m\udce9: cannot be read. [image-unreadable]"


NAMES = st.builds(
    lambda stem, suffix: os.fsdecode(stem) + suffix,
    st.binary(min_size=1, max_size=8).filter(lambda stem: not set(stem) & {0, 47} and stem not in (b".", b"..")),
    st.sampled_from([*SUFFIXES, ".heic", "", ".txt"]),
)
SAMPLES = st.sampled_from([encoded(kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "PPM")])


@st.composite
def damaged(draw):
    """A valid file with bytes replaced, and cut or not; or junk; or EXIF junk in a valid file."""
    way = draw(st.integers(0, 3))
    if way == 0:
        return draw(st.binary(max_size=60))
    if way == 1:
        return draw(st.sampled_from([jpeg, png, webp]))(draw(st.binary(max_size=60)))
    if way == 2:
        entries = st.tuples(
            st.integers(0, 65535), st.integers(0, 20), st.integers(0, 2**32 - 1), st.binary(min_size=4, max_size=4)
        )
        return draw(st.sampled_from([jpeg, png, webp]))(tiff(ORIENTATION, *draw(st.lists(entries, max_size=4))))
    data = bytearray(draw(SAMPLES))
    for place, value in draw(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=6)):
        data[place] = value
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(st.tuples(st.sampled_from(["a", "b", "."]), NAMES, damaged()), max_size=5))
def test_a_folder_of_junk_is_a_dataset_or_a_list_of_problems(tmp_path_factory, files):
    root = tmp_path_factory.mktemp("junk")
    for name in ("a", "b"):
        (root / name).mkdir()
        (root / name / "1.png").write_bytes(encoded("PNG"))
    for folder, name, data in files:
        (root / folder / name).write_bytes(data)
    for where, code in problems(root):
        assert code in {"image-unreadable", "name-encoding", "path-outside"}, where
