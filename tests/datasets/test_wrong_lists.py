"""Invalid lists are refused, and the error names line and place."""

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
BIRD, FIRST_BIRD = "002.Auklet/Auklet_0000.jpg", "001.Albatross/Albatross_0000.jpg"
LABELS, DRESS, ANT = "image_class_labels.txt", "img/WOMEN/Dresses/id_00000001", "ant/image_0001.jpg"

FAULTS = [
    # dataset, edit, code, line, place, a part of the message
    ("cub200", swap("classes.txt", "4 004.Bunting", "4 004.Bunting\n5 005.Crow"), "class-empty", 0, "005.Crow", ""),
    ("cub200", swap("classes.txt", "3 003.Blackbird\n", ""), "id-missing", 0, "id", ": 3."),
    ("cub200", swap("classes.txt", "2 002.Auklet", "2 001.Albatross"), "class-duplicate", 0, "001.Albatross", ""),
    ("cub200", swap("images.txt", BIRD, "../../passwd.jpg"), "path-outside", 0, "images/../../passwd.jpg", ""),
    ("cub200", swap("images.txt", BIRD, FIRST_BIRD), "path-duplicate", 0, f"images/{FIRST_BIRD}", ""),
    ("cub200", swap("images.txt", "4 002", "3 002"), "id-missing", 0, "id", ": 4."),
    ("cub200", swap("images.txt", "12 004", "x 004"), "number-invalid", 12, "id", "'x'"),
    ("cub200", swap(LABELS, "12 4\n", ""), "line-count", 0, "", "12 lines"),
    ("cub200", swap(LABELS, "12 4", "12 9"), "class-id-range", 0, "class id", "9 "),
    ("cub200", swap(LABELS, "12 4", "12 4\n12 4"), "id-duplicate", 0, "id", ": 12."),
    ("cub200", swap(LABELS, "12 4", "12"), "cell-missing", 12, "", "2 columns"),
    ("sop", swap("Ebay_test.txt", "12 4 1", "12 6 1"), "id-missing", 0, "class_id", ": 5."),
    ("sop", swap("Ebay_test.txt", "7 3 1", "7 2 1"), "class-on-both-sides", 0, "2", ""),
    ("sop", swap("Ebay_test.txt", "chair_final/6_0.JPG", "/etc/6_0.JPG"), "path-outside", 0, "/etc/6_0.JPG", ""),
    (
        "sop",
        swap("Ebay_test.txt", "chair_final/6_0", "bicycle_final/0_0"),
        *("path-duplicate", 0, "bicycle_final/0_0.JPG", ""),
    ),
    ("sop", swap("Ebay_test.txt", "7 3 1", "7 99999999999999999 1"), "id-missing", 0, "class_id", ": 5, 6, 7"),
    ("inshop", swap(PARTITION, "12\n", "13\n"), "line-count", 1, "", "'13'"),
    ("inshop", swap(PARTITION, " query", " querry"), "split-unknown", 6, "evaluation_status", "'querry'"),
    ("inshop", swap(PARTITION, " train", " gallery"), "class-on-both-sides", 0, "id_00000001", ""),
    ("inshop", swap(PARTITION, f"{DRESS}/00", f"{DRESS}/01"), "path-duplicate", 0, None, ""),
    ("inshop", swap(PARTITION, DRESS, f"..\\{DRESS}"), "path-outside", 0, None, ""),
    ("grocery_store", swap("test.txt", ", 3, 0", ", 4, 0"), "class-id-range", 0, "fine class id", "4 "),
    ("grocery_store", swap("classes.csv", "Milk,3", "Milk,4"), "id-missing", 0, "class id", ": 3."),
    ("grocery_store", swap("classes.csv", "Milk,3", "Milk,2"), "id-duplicate", 0, "class id", ": 2."),
    ("grocery_store", swap("val.txt", "val/Fruit/Milk", "train/../val/Fruit/Milk"), "path-outside", 0, None, ""),
    ("caltech101", add_class, "class-unknown", 0, "zebra", ""),
    ("caltech101", drop_class, "class-missing", 0, "crab", ""),
    ("caltech101", empty_class, "class-empty", 0, "crab", ""),
    ("folder", empty_class, "class-empty", 0, "crab", ""),
    ("csv", swap("", f"{ANT},10,test", f"{ANT},7,trainval"), "class-on-both-sides", 0, "7", ""),
    ("csv", swap("", f"{ANT},10,test", f"{ANT},10,both"), "split-unknown", 2, "split", "'both'"),
    ("csv", swap("", f"{ANT},10,test", f"{ANT},10"), "cell-missing", 2, "", ""),
    ("csv", swap("", ANT, f"../{ANT}"), "path-outside", 0, f"../{ANT}", ""),
    ("csv", swap("", ANT, "ant/image_0002.jpg"), "path-duplicate", 0, "ant/image_0002.jpg", ""),
    ("csv", lambda path: lines(path, "path,label,split", f"{ANT},a,test"), "split-one-sided", 0, "split", "test"),
    ("csv", swap("", ",path,", ",file,"), "csv-header", 1, "", "`path`"),
]


@pytest.mark.parametrize(("name", "edit", "code", "line", "where", "says"), FAULTS)
def test_an_invalid_list_is_named(name, edit, code, line, where, says, tmp_path):
    layout = LAYOUTS[name]
    root = layout.write(tmp_path)
    edit(root)
    (problem,) = [problem for problem in refusal(layout, root).problems if problem.code == code]
    assert problem.line == line and says in problem.says
    assert where is None or problem.where == where


def test_many_invalid_lines_are_summarised(tmp_path):
    root = LAYOUTS["csv"].write(tmp_path)
    lines(root, "path,label", *(f"a/{number}.jpg," for number in range(50)))
    problems = refusal(LAYOUTS["csv"], root).problems
    assert [problem.code for problem in problems] == ["cell-missing"] * 10 + ["more-lines"]
    assert problems[-1].line == 12 and "39 more" in problems[-1].says
