"""Every dataset of files reads its official layout, and reports the problems of a damaged one."""

from __future__ import annotations

import os

import numpy as np
import pytest
from layouts import LAYOUTS, SmallCub, lines, paint, png_header, refusal
from PIL import Image
from scipy.io import savemat

from realitycheck.catalog import resolve_dataset
from realitycheck.datasets.menu import MENU
from realitycheck.datasets.reading.listing import Counts
from realitycheck.testing import DatasetContract


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return LAYOUTS[request.param]


@pytest.mark.parametrize("name", LAYOUTS)
class TestEveryLayout(DatasetContract):
    @pytest.fixture(autouse=True)
    def _root(self, name, tmp_path):
        self.layout = LAYOUTS[name]
        self.root = self.layout.write(tmp_path)

    def make(self):
        return self.layout.opens(root=str(self.root))


def test_labels_and_split_are_those_of_the_lists(layout, tmp_path):
    dataset = layout.opens(root=str(layout.write(tmp_path)))
    assert tuple(dataset.labels.tolist()) == layout.labels
    assert dataset.official == layout.official
    assert dataset.paths[0] == layout.image


def test_every_image_is_its_own_file(layout, tmp_path):
    """At 30 pixels nothing is resized: the decoded file itself, as Pillow reads it."""
    dataset = layout.opens(root=str(layout.write(tmp_path)))
    images = dataset.images(range(12), size=30)
    for image, path in zip(images, dataset.paths, strict=True):
        with Image.open(dataset.root / path) as file:
            assert np.array_equal(image, np.asarray(file).transpose(2, 0, 1))


def test_class_names_of_the_lists(tmp_path):
    names = {name: layout.opens(root=str(layout.write(tmp_path / name))).classes for name, layout in LAYOUTS.items()}
    assert names["cub200"] == ("001.Albatross", "002.Auklet", "003.Blackbird", "004.Bunting")
    assert names["cars196"] == names["devkit"] == ("AM General", "Acura RL", "Acura TL", "smart")
    assert names["sop"] == ("1", "2", "3", "4")
    assert names["inshop"] == ("id_00000001", "id_00000002", "id_00000005", "id_00000007")
    assert names["grocery_store"] == ("Apple", "Kiwi", "Juice", "Milk")
    assert names["caltech101"] == names["folder"] == ("ant", "bass", "crab", "emu")
    assert names["csv"] == ("7", "8", "9", "10")


def test_counts_are_the_published_ones():
    """Wah 2011, Krause 2013, Song 2016, Liu 2016, Klasson's lists, and Fei-Fei 2004 without its background."""
    published = {
        "cub200": Counts(200, 11_788, None),
        "cars196": Counts(196, 16_185, None),
        "sop": Counts(22_634, 120_053, (11_318, 11_316)),
        "inshop": Counts(7_982, 52_712, (3_997, 3_985)),
        "grocery_store": Counts(81, 5_421, None),
        "caltech101": Counts(101, 8_677, None),
        "folder": None,
        "csv": None,
    }
    for name, counts in published.items():
        assert resolve_dataset(name).counts == counts
        assert (MENU[name].classes, MENU[name].images) == ((counts.classes, counts.images) if counts else (None, None))


def remove(path, tmp):
    path.unlink()


def cut(path, tmp):
    path.write_bytes(path.read_bytes()[:-300])


def bomb(path, tmp):
    png_header(path, 20_000, 20_000)


def link_out(path, tmp):
    path.rename(tmp / "elsewhere.jpg")
    path.symlink_to(tmp / "elsewhere.jpg")


def link_folder_out(path, tmp):
    path.parent.rename(tmp / "elsewhere")
    path.parent.symlink_to(tmp / "elsewhere")


def link_to_itself(path, tmp):
    path.unlink()
    path.symlink_to(path)


def pipe(path, tmp):
    path.unlink()
    os.mkfifo(path)


HARMS = {
    remove: "file-missing",
    cut: "image-unreadable",
    bomb: "image-unreadable",
    link_out: "file-outside",
    link_folder_out: "file-outside",
    pipe: "file-irregular",
    link_to_itself: "file-irregular",
}


LISTS_ITSELF = {"folder", "caltech101"}
"""Without a list, a missing image is no problem; the count of Caltech 101 is tested below."""


@pytest.mark.parametrize(
    ("name", "harm"),
    [(name, harm) for name in LAYOUTS for harm in HARMS if harm is not remove or name not in LISTS_ITSELF],
)
def test_a_damaged_image_is_named(name, harm, tmp_path):
    layout = LAYOUTS[name]
    root = layout.write(tmp_path)
    folder = root if root.is_dir() else root.parent
    harm(folder / layout.image, tmp_path)
    problems = refusal(layout, root).problems
    assert any(problem.code == HARMS[harm] and layout.image in problem.where for problem in problems)


@pytest.mark.parametrize("name", ["cub200", "cars196", "devkit", "sop", "inshop", "grocery_store"])
def test_unlisted_images_are_named(name, tmp_path):
    layout = LAYOUTS[name]
    root = layout.write(tmp_path)
    for number in range(5):
        paint((root / layout.image).with_name(f"stray_{number}.jpg"), number)
    paint((root / layout.image).with_name(".hidden.jpg"), 0)
    (problem,) = refusal(layout, root).problems
    assert problem.where.count("stray_") == 3 and problem.where.endswith(" and 2 more")
    assert problem.code == "file-unlisted"


@pytest.mark.parametrize(
    ("counts", "where", "says"),
    [
        (Counts(5, 12, None), "classes", ("5", "4")),
        (Counts(4, 1_200, None), "images", ("1,200", "12")),
        (Counts(4, 12, (2, 2)), "official split", ("2 trainval and 2 test classes", "none")),
    ],
)
def test_other_counts_are_refused(counts, where, says, tmp_path, monkeypatch):
    monkeypatch.setattr(SmallCub, "counts", counts)
    (problem,) = refusal(LAYOUTS["cub200"], LAYOUTS["cub200"].write(tmp_path)).problems
    assert (problem.code, problem.where) == ("count-mismatch", where)
    assert all(count in problem.says for count in says)


def test_a_missing_image_is_a_count_of_caltech(tmp_path):
    root = LAYOUTS["caltech101"].write(tmp_path)
    (root / "ant" / "image_0001.jpg").unlink()
    (problem,) = refusal(LAYOUTS["caltech101"], root).problems
    assert (problem.code, problem.where) == ("count-mismatch", "images")


MISSING = {"root-missing", "root-layout", "list-missing", "class-missing", "csv-header"}


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "folder"])
def test_missing_lists_of_another_folder_are_named(name, tmp_path):
    lines(tmp_path / "other" / "readme.txt", "nothing here")
    for folder in ("other", "nowhere"):
        codes = {problem.code for problem in refusal(LAYOUTS[name], tmp_path / folder).problems}
        assert codes & MISSING


def test_a_damaged_matlab_file_is_named(tmp_path):
    root = LAYOUTS["cars196"].write(tmp_path)
    whole = (root / "cars_annos.mat").read_bytes()
    for content in (b"", b"no matlab at all" * 20, whole[: len(whole) // 2]):
        (root / "cars_annos.mat").write_bytes(content)
        error = refusal(LAYOUTS["cars196"], root)
        assert error.source == str(root / "cars_annos.mat")
        assert error.problems[0].code in ("matlab-unreadable", "matlab-variable")


def test_a_car_of_no_class_is_named(tmp_path):
    root = LAYOUTS["devkit"].write(tmp_path)
    kinds = [("class", object), ("fname", object)]
    rows = [(5.0, "00001.jpg"), (0, "00002.jpg"), (1, "00003.jpg"), (1.5, "00004.jpg")]
    savemat(root / "devkit" / "cars_train_annos.mat", {"annotations": np.array([rows], dtype=kinds)})
    (problem,) = refusal(LAYOUTS["devkit"], root).problems
    assert problem.code == "class-id-range"
    assert "cars_train/00001.jpg, cars_train/00002.jpg, cars_train/00004.jpg " in problem.says
