"""A folder of images: what is read, in which order, and what is refused."""

import os

import numpy as np
import pytest
from layouts import png_header
from PIL import Image, ImageFile

from realitycheck.datasets.members.folder import Folder
from realitycheck.errors import InputError
from realitycheck.testing import DatasetContract

RED, BLUE = (255, 0, 0), (0, 0, 255)


def paint(path, *, colour=RED, size=(40, 30), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path, **options)
    return path


@pytest.fixture
def root(tmp_path):
    for name in ("b/2.png", "b/10.png", "a/1.jpg", "a/x.webp"):
        paint(tmp_path / "pictures" / name)
    return tmp_path / "pictures"


class TestFolder(DatasetContract):
    @pytest.fixture(autouse=True)
    def _root(self, root):
        self.root = root

    def make(self):
        return Folder(root=str(self.root))


def read(root, *, size=16):
    dataset = Folder(root=str(root))
    return list(dataset.images(range(len(dataset.labels)), size=size))


def test_classes_labels_and_hidden_files(root):
    paint(root / "b" / ".hidden.png")
    paint(root / ".thumbnails" / "1.png")
    (root / "b" / "notes.txt").write_text("no image")
    (root / "README.md").write_text("no class")
    dataset = Folder(root=str(root))
    assert dataset.classes == ("a", "b")
    assert dataset.labels.tolist() == [0, 0, 1, 1]


def test_files_of_a_class_come_by_name(root):
    """As text: 10 before 2."""
    paint(root / "b" / "10.png", colour=BLUE)
    _, _, ten, two = read(root)
    assert ten[:, 8, 8].tolist() == list(BLUE)
    assert two[:, 8, 8].tolist() == list(RED)


def test_the_whole_image_is_kept(tmp_path):
    """60×20 in three stripes of 20: all of them are there."""
    stripes = np.zeros((20, 60, 3), np.uint8)
    stripes[:, 20:40] = BLUE
    (tmp_path / "a").mkdir()
    Image.fromarray(stripes).save(tmp_path / "a" / "1.png")
    (image,) = read(tmp_path, size=20)
    assert np.array_equal(image, stripes.transpose(2, 0, 1))


def test_exif_orientation_is_applied(tmp_path):
    """Orientation 6: the camera lay on its side; the left half of the file is the top of the picture."""
    halves = np.zeros((32, 32, 3), np.uint8)
    halves[:, :16], halves[:, 16:] = RED, BLUE
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "a").mkdir()
    Image.fromarray(halves).save(tmp_path / "a" / "1.png", exif=exif)
    (image,) = read(tmp_path, size=32)
    assert image[:, 2, 16].tolist() == list(RED)
    assert image[:, 29, 16].tolist() == list(BLUE)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "PA", "RGB", "RGBA", "1", "CMYK", "YCbCr"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    (tmp_path / "a").mkdir()
    suffix = {"CMYK": "tif", "YCbCr": "tif", "PA": "tif"}.get(mode, "png")
    Image.new(mode, (20, 20)).save(tmp_path / "a" / f"1.{suffix}")
    assert read(tmp_path)[0].shape == (3, 16, 16)


@pytest.mark.parametrize(
    ("name", "pixels", "mode"),
    [
        ("1.png", np.full((20, 20), 40_000, np.uint16), "I;16"),
        ("1.tif", np.full((20, 20), 0.5, np.float32), "F"),
        ("1.tif", np.full((20, 20), 70_000, np.int32), "I"),
    ],
)
def test_more_than_8_bits_a_channel_are_refused_by_name(root, name, pixels, mode):
    """As RGB the first would be white, the second black."""
    Image.fromarray(pixels).save(root / "a" / name)
    with pytest.raises(InputError) as caught:
        read(root)
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("image-unreadable", f"a/{name}")
    assert f"mode {mode};" in problem.says


def test_all_bad_files_are_named_at_once(root):
    (root / "a" / "empty.png").write_bytes(b"")
    (root / "a" / "words.jpg").write_text("not an image")
    noisy = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for name in ("cut.jpg", "cut.png"):
        Image.fromarray(noisy).save(root / "b" / name)
        whole = (root / "b" / name).read_bytes()
        (root / "b" / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError) as caught:
        read(root)
    named = {problem.where for problem in caught.value.problems}
    assert named == {"a/empty.png", "a/words.jpg", "b/cut.jpg", "b/cut.png"}


@pytest.mark.parametrize("side", [7_100, 10_000, 20_000])
def test_too_many_pixels_are_refused(root, side):
    """Over 50 million; Pillow's own limits, at 89 and 179 million, must not interfere."""
    png_header(root / "a" / "bomb.png", side, side)
    with pytest.raises(InputError, match=r"bomb\.png") as caught:
        read(root)
    assert len(caught.value.problems) == 1


def test_cut_files_are_refused_whatever_others_switched_on(root, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    path = paint(root / "a" / "cut.jpg", size=(200, 200))
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(InputError, match=r"cut\.jpg"):
        read(root)


def test_another_format_under_a_good_name_is_refused(root):
    """EPS would start Ghostscript."""
    Image.new("RGB", (20, 20)).save(root / "a" / "page.eps")
    (root / "a" / "page.eps").rename(root / "a" / "page.png")
    with pytest.raises(InputError, match=r"page\.png"):
        read(root)


def test_links_that_leave_the_folder_are_refused(root, tmp_path):
    paint(tmp_path / "elsewhere" / "1.png")
    (root / "a" / "link.png").symlink_to(tmp_path / "elsewhere" / "1.png")
    (root / "c").symlink_to(tmp_path / "elsewhere")
    (root / "a" / "inside.png").symlink_to(root / "b" / "2.png")
    with pytest.raises(InputError) as caught:
        Folder(root=str(root))
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("file-outside", "a/link.png, c/1.png")


def test_empty_classes_are_refused(root):
    (root / "empty").mkdir()
    (root / "void").mkdir()
    with pytest.raises(InputError) as caught:
        Folder(root=str(root))
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("class-empty", "empty, void")


def test_folders_within_a_class_are_named(root):
    """A class with nothing else is not reported as empty as well; hidden folders are ignored."""
    for inner in ("b/1", "b/2", "b/3", "b/4", "nested/x", "a/.thumbnails"):
        paint(root / inner / "1.png")
    with pytest.raises(InputError) as caught:
        Folder(root=str(root))
    says = {problem.where: problem.says for problem in caught.value.problems}
    assert says.keys() == {"b", "nested"}
    assert {problem.code for problem in caught.value.problems} == {"class-nested"}
    assert "1, 2, 3 and 1 more." in says["b"]
    assert "x." in says["nested"]


def test_irregular_files_are_named_and_never_opened(root):
    """Reading a pipe would block."""
    os.mkfifo(root / "a" / "pipe.png")
    (root / "b" / "lost.png").symlink_to(root / "b" / "nowhere.png")
    with pytest.raises(InputError) as caught:
        Folder(root=str(root))
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("file-irregular", "a/pipe.png, b/lost.png")


def test_the_folder_must_exist_and_have_classes(tmp_path):
    with pytest.raises(InputError, match=r"\[root-missing\]"):
        Folder(root=str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"\[root-layout\]"):
        Folder(root=str(tmp_path))


def test_fingerprint_changes_with_the_files(root):
    before = Folder(root=str(root)).fingerprint
    paint(root / "a" / "1.jpg", size=(41, 30))
    assert Folder(root=str(root)).fingerprint != before


def test_what_is_excluded(root):
    for name in ("thumbs/1.png", "a/small/1.png", "b/1_mask.png", "notes.txt"):
        paint(root / name, **({"format": "PNG"} if name.endswith("txt") else {}))
    patterns = ("thumbs", "*/small", "*_mask.png", "*.txt")
    dataset = Folder(root=str(root), exclude=patterns)
    assert (dataset.classes, dataset.paths) == (("a", "b"), ("a/1.jpg", "a/x.webp", "b/10.png", "b/2.png"))
    assert [warning.code for warning in dataset.warnings] == ["images-excluded"] * 4
    with pytest.raises(InputError) as caught:
        Folder(root=str(root), exclude=(*patterns, "Thumbs"))
    assert [(problem.code, problem.where) for problem in caught.value.problems] == [("exclude-unmatched", "Thumbs")]
