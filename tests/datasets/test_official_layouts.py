"""Every dataset of files reads its official layout, and names what is wrong with a damaged one."""

from __future__ import annotations

import os
import re

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
    found = dataset.images(range(12), size=30)
    for image, path in zip(found, dataset.paths, strict=True):
        with Image.open(dataset.root / path) as file:
            assert np.array_equal(image, np.asarray(file).transpose(2, 0, 1))


def test_class_names_of_the_lists(tmp_path):
    names = {name: each.opens(root=str(each.write(tmp_path / name))).classes for name, each in LAYOUTS.items()}
    assert names["cub200"] == ("001.Albatross", "002.Auklet", "003.Blackbird", "004.Bunting")
    assert names["cars196"] == names["devkit"] == ("AM General", "Acura RL", "Acura TL", "smart")
    assert names["sop"] == ("1", "2", "3", "4")
    assert names["inshop"] == ("id_00000001", "id_00000002", "id_00000005", "id_00000007")
    assert names["grocery_store"] == ("Apple", "Kiwi", "Juice", "Milk")
    assert names["caltech101"] == names["folder"] == ("ant", "bass", "crab", "emu")
    assert names["csv"] == ("7", "8", "9", "10")


def test_counts_are_the_published_ones():
    """Wah 2011, Krause 2013, Song 2016, Liu 2016, Klasson's lists, and Fei-Fei 2004 less its background."""
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
    remove: "must be there",
    cut: "cannot be decoded",
    bomb: "pixels",
    link_out: "a link that leads out",
    link_folder_out: "a link that leads out",
    pipe: "must be a file",
    link_to_itself: "must be a file",
}


LISTS_ITSELF = {"folder", "caltech101"}
"""Where the images that are there are the list, one less is no fault; the count of Caltech 101 is tested below."""


@pytest.mark.parametrize(
    ("name", "harm"),
    [(name, harm) for name in LAYOUTS for harm in HARMS if harm is not remove or name not in LISTS_ITSELF],
)
def test_a_damaged_image_is_named(name, harm, tmp_path):
    layout = LAYOUTS[name]
    root = layout.write(tmp_path)
    folder = root if root.is_dir() else root.parent
    harm(folder / layout.image, tmp_path)
    told = refusal(layout, root)
    assert HARMS[harm] in str(told)
    assert any(layout.image in problem.where for problem in told.problems)


@pytest.mark.parametrize("name", ["cub200", "cars196", "devkit", "sop", "inshop", "grocery_store"])
def test_images_that_no_list_knows_are_named(name, tmp_path):
    layout = LAYOUTS[name]
    root = layout.write(tmp_path)
    for number in range(5):
        paint((root / layout.image).with_name(f"stray_{number}.jpg"), number)
    paint((root / layout.image).with_name(".hidden.jpg"), 0)
    (problem,) = refusal(layout, root).problems
    assert problem.where.count("stray_") == 3 and problem.where.endswith(" and 2 more")
    assert "must be listed" in problem.says


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        (Counts(5, 12, None), "classes: must be 5; got 4"),
        (Counts(4, 1_200, None), "images: must be 1,200; got 12"),
        (Counts(4, 12, (2, 2)), "official split: must be 2 trainval and 2 test classes; got none"),
    ],
)
def test_other_counts_are_refused(counts, says, tmp_path, monkeypatch):
    monkeypatch.setattr(SmallCub, "counts", counts)
    assert says in str(refusal(LAYOUTS["cub200"], LAYOUTS["cub200"].write(tmp_path)))


def test_one_image_less_is_a_count_of_caltech(tmp_path):
    root = LAYOUTS["caltech101"].write(tmp_path)
    (root / "ant" / "image_0001.jpg").unlink()
    assert "images: must be 12; got 11" in str(refusal(LAYOUTS["caltech101"], root))


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name != "folder"])
def test_another_folder_is_told_what_is_missing(name, tmp_path):
    lines(tmp_path / "other" / "readme.txt", "nothing here")
    told = refusal(LAYOUTS[name], tmp_path / "other")
    assert re.search("must (be|hold)", str(told))
    assert "must" in str(refusal(LAYOUTS[name], tmp_path / "nowhere"))


def test_a_damaged_matlab_file_is_named(tmp_path):
    root = LAYOUTS["cars196"].write(tmp_path)
    whole = (root / "cars_annos.mat").read_bytes()
    for content in (b"", b"no matlab at all" * 20, whole[: len(whole) // 2]):
        (root / "cars_annos.mat").write_bytes(content)
        assert "cars_annos.mat" in str(refusal(LAYOUTS["cars196"], root))


def test_a_car_of_no_class_is_named(tmp_path):
    root = LAYOUTS["devkit"].write(tmp_path)
    kinds = [("class", object), ("fname", object)]
    rows = [(5.0, "00001.jpg"), (0, "00002.jpg"), (1, "00003.jpg"), (1.5, "00004.jpg")]
    savemat(root / "devkit" / "cars_train_annos.mat", {"annotations": np.array([rows], dtype=kinds)})
    told = str(refusal(LAYOUTS["devkit"], root))
    assert "class of 1 to 4; got another for cars_train/00001.jpg, cars_train/00002.jpg, cars_train/00004.jpg" in told
