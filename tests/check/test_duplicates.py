"""Images that a dataset holds twice are warned of, by names, numbers and digests."""

from __future__ import annotations

import hashlib
import shutil

import numpy as np
import pytest
from pictures import write_pictures
from PIL import Image

from realitycheck.check.duplicates import duplicate_warnings
from realitycheck.datasets.members.folder import Folder
from realitycheck.protocol.split_keys import SplitRule
from realitycheck.stores.decode_parts import kept_images
from realitycheck.stores.prepare import prepare


@pytest.fixture
def root(tmp_path):
    """Classes 0 and 1 are trainval, 2 and 3 test, three images each."""
    write_pictures(tmp_path / "images", classes=4, each=3)
    return tmp_path / "images"


def warned(root, *, resize=None):
    split = SplitRule(order="sorted", seed=0)
    kept = kept_images(image_size=28, resize=resize, fit="crop")
    stores = prepare(Folder(root=str(root)), root.parent / "cache", split=split, kept=kept, watch=lambda *_: None)
    return {warning.code: warning.says for warning in duplicate_warnings(stores)}


@pytest.mark.parametrize("resize", [None, 30])
def test_different_images_are_no_duplicates(root, resize):
    assert warned(root, resize=resize) == {}


@pytest.mark.parametrize("resize", [None, 30])
def test_an_image_of_both_halves_is_named_by_digest(root, resize):
    shutil.copy(root / "class_00" / "1.png", root / "class_03" / "copy.png")
    digest = hashlib.sha256((root / "class_00" / "1.png").read_bytes()).hexdigest()[:12]
    found = warned(root, resize=resize)
    assert found.keys() == {"image-in-both-halves"}
    assert f"1 image (class_03/copy.png = class_00/1.png (sha256 {digest}))" in found["image-in-both-halves"]


def test_equal_pixels_in_other_bytes_are_duplicates(root):
    with Image.open(root / "class_00" / "1.png") as image:
        image.save(root / "class_03" / "copy.bmp")
        pixels = np.asarray(image).transpose(2, 0, 1)
    digest = hashlib.sha256(b"(3, 28, 28)" + pixels.tobytes()).hexdigest()[:12]
    assert f"(pixels {digest})" in warned(root)["image-in-both-halves"]


def test_an_image_under_two_classes_and_one_twice_in_a_class(root):
    shutil.copy(root / "class_00" / "1.png", root / "class_01" / "x.png")
    shutil.copy(root / "class_02" / "0.png", root / "class_02" / "y.png")
    found = warned(root)
    assert found.keys() == {"image-in-two-classes", "image-duplicate"}
    assert "1 image (class_00/1.png = class_01/x.png" in found["image-in-two-classes"]
    assert "1 image (class_02/0.png = class_02/y.png" in found["image-duplicate"]


def test_images_of_one_colour_are_named_and_are_no_duplicates(root):
    """Transparent images over black: the colour below is all that is read."""
    for place in range(3):
        picture = np.zeros((40, 40, 4), dtype=np.uint8)
        picture[10 : 20 + place, 10:30, 3] = 255
        Image.fromarray(picture).save(root / "class_01" / f"{place}.png")
        Image.fromarray(picture).save(root / "class_03" / f"{place}.png")
    for resize in (None, 30):
        known = warned(root, resize=resize)
        assert known.keys() == {"image-blank"}
        assert "6 images (class_01/0.png, " in known["image-blank"]


def test_a_class_in_two_others_is_one_class(root):
    for other in (1, 2):
        for place in range(3):
            shutil.copy(root / "class_00" / f"{place}.png", root / f"class_0{other}" / f"copy_{place}.png")
    assert "1 class (class_00 (trainval, 3 images) in class_01 (trainval) and 1 more)" in warned(root)["class-copied"]


def test_a_class_that_is_copied_into_the_test_half(root):
    shutil.rmtree(root / "class_03")
    shutil.copytree(root / "class_00", root / "class_03")
    found = warned(root)
    assert found.keys() == {"image-in-both-halves", "class-copied"}
    assert "3 images" in found["image-in-both-halves"]
    assert "1 class (class_00 (trainval, 3 images) in class_03 (test))" in found["class-copied"]
