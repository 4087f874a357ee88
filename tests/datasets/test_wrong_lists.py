"""Lists that are wrong are refused, and the error says where."""

from __future__ import annotations

import shutil

import pytest
from layouts import LAYOUTS, lines, paint, refusal


def swap(file, old, new):
    """Edit a list."""

    def edit(root):
        path = root / file if root.is_dir() else root
        text = path.read_bytes().decode()
        assert old in text
        path.write_bytes(text.replace(old, new, 1).encode())

    return edit


def add_class(root):
    paint(root / "zebra" / "image_0001.jpg", 0)


def empty_class(root):
    for path in (root / "crab").iterdir():
        path.unlink()


def drop_class(root):
    shutil.rmtree(root / "crab")


PARTITION = "Eval/list_eval_partition.txt"
BIRD, LABELS, DRESS = "002.Auklet/Auklet_0000.jpg", "image_class_labels.txt", "img/WOMEN/Dresses/id_00000001"

FAULTS = [
    ("cub200", swap("classes.txt", "4 004.Bunting", "4 004.Bunting\n5 005.Crow"), "005.Crow: must hold at least one"),
    ("cub200", swap("classes.txt", "3 003.Blackbird\n", ""), "without a gap; missing 3"),
    ("cub200", swap("classes.txt", "2 002.Auklet", "2 001.Albatross"), "001.Albatross: must name one class"),
    ("cub200", swap("images.txt", BIRD, "../../passwd.jpg"), "images/../../passwd.jpg: must be a path below the root"),
    ("cub200", swap("images.txt", BIRD, "001.Albatross/Albatross_0000.jpg"), "must be listed once"),
    ("cub200", swap("images.txt", "4 002", "3 002"), "without a gap; missing 4"),
    ("cub200", swap("images.txt", "12 004", "x 004"), "line 12  id: must be a whole number; got 'x'"),
    ("cub200", swap(LABELS, "12 4\n", ""), "one line per image of images.txt, 12; got 11"),
    ("cub200", swap(LABELS, "12 4", "12 9"), "must be an id of classes.txt, 1 to 4; got 9"),
    ("cub200", swap(LABELS, "12 4", "12 4\n12 4"), "12 is listed again"),
    ("cub200", swap(LABELS, "12 4", "12"), "line 12  must have 2 columns"),
    ("sop", swap("Ebay_test.txt", "12 4 1", "12 6 1"), "without a gap; missing 5"),
    ("sop", swap("Ebay_test.txt", "7 3 1", "7 2 1"), "2: must be on one side of the split"),
    (
        "sop",
        swap("Ebay_test.txt", "chair_final/6_0.JPG", "/etc/6_0.JPG"),
        "/etc/6_0.JPG: must be a path below the root",
    ),
    (
        "sop",
        swap("Ebay_test.txt", "chair_final/6_0", "bicycle_final/0_0"),
        "bicycle_final/0_0.JPG: must be listed once",
    ),
    ("sop", swap("Ebay_test.txt", "7 3 1", "7 99999999999999999 1"), "without a gap; missing 5, 6, 7"),
    ("inshop", swap(PARTITION, "12\n", "13\n"), "line 1  must be the number of images below, 12; got '13'"),
    ("inshop", swap(PARTITION, " query", " querry"), "must be train, query or gallery; got 'querry'"),
    ("inshop", swap(PARTITION, " train", " gallery"), "id_00000001: must be on one side of the split"),
    ("inshop", swap(PARTITION, f"{DRESS}/00", f"{DRESS}/01"), "must be listed once"),
    ("inshop", swap(PARTITION, DRESS, f"..\\{DRESS}"), "must be a path below the root"),
    ("grocery_store", swap("test.txt", ", 3, 0", ", 4, 0"), "must be an id of classes.csv, 0 to 3; got 4"),
    ("grocery_store", swap("classes.csv", "Milk,3", "Milk,4"), "without a gap; missing 3"),
    ("grocery_store", swap("classes.csv", "Milk,3", "Milk,2"), "2 is listed again"),
    ("grocery_store", swap("val.txt", "val/Fruit/Milk", "train/../val/Fruit/Milk"), "must be a path below the root"),
    ("caltech101", add_class, "zebra: must be a class of Caltech 101"),
    ("caltech101", drop_class, "crab: must be there; there is no such folder"),
    ("caltech101", empty_class, "crab: must hold at least one image"),
    ("folder", empty_class, "crab: must hold at least one image"),
    ("csv", swap("", "ant/image_0001.jpg,10,test", "ant/image_0001.jpg,7,trainval"), "7: must be on one side of the"),
    ("csv", swap("", "ant/image_0001.jpg,10,test", "ant/image_0001.jpg,10,both"), "line 2  split: must be train"),
    ("csv", swap("", "ant/image_0001.jpg,10,test", "ant/image_0001.jpg,10"), "line 2  must have a path, a label"),
    ("csv", swap("", "ant/image_0001.jpg", "../ant/image_0001.jpg"), "must be a path below the root"),
    ("csv", swap("", "ant/image_0001.jpg", "ant/image_0002.jpg"), "must be listed once"),
    (
        "csv",
        lambda path: lines(path, "path,label,split", "ant/image_0001.jpg,a,test"),
        "must have classes on both sides",
    ),
    ("csv", swap("", ",path,", ",file,"), "line 1  must begin with a line of headings, path and label among them"),
]


@pytest.mark.parametrize(("name", "edit", "says"), FAULTS)
def test_a_wrong_list_is_named(name, edit, says, tmp_path):
    layout = LAYOUTS[name]
    root = layout.write(tmp_path)
    edit(root)
    assert says in str(refusal(layout, root))


def test_many_wrong_lines_are_told_shortly(tmp_path):
    root = LAYOUTS["csv"].write(tmp_path)
    lines(root, "path,label", *(f"a/{number}.jpg," for number in range(50)))
    told = refusal(LAYOUTS["csv"], root)
    assert len(told.problems) == 11
    assert "this line and 39 more are wrong, too" in str(told)
