"""Copies in another size or quality are found across the halves; other images, drawings and exact copies are not."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

from realitycheck.check.near_duplicates import near_duplicates
from realitycheck.datasets.members.folder import Folder
from realitycheck.protocol.split_keys import SplitRule
from realitycheck.stores.decode_parts import kept_images
from realitycheck.stores.prepare import prepare


def photo(seed: int) -> Image.Image:
    """A smooth random picture, as photos are: noise of 12 × 12, enlarged to 120 × 150."""
    noise = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((150, 120), Image.Resampling.BICUBIC)


@pytest.fixture
def root(tmp_path):
    """Classes 0 and 1 are trainval, 2 and 3 test, six photos each."""
    for label in range(4):
        (tmp_path / "images" / f"class_{label}").mkdir(parents=True)
        for place in range(6):
            photo(10 * label + place).save(tmp_path / "images" / f"class_{label}" / f"{place}.png")
    return tmp_path / "images"


def found(root, *, resize=None):
    split, sizes = SplitRule(order="sorted", seed=0), {"kept": kept_images(image_size=64, resize=resize, fit="crop")}
    return near_duplicates(
        prepare(Folder(root=str(root)), root.parent / "cache", split=split, **sizes, watch=lambda *_: None)
    )


@pytest.mark.parametrize("resize", [None, 70])
def test_other_photos_are_not_alike(root, resize):
    assert found(root, resize=resize) is None


@pytest.mark.parametrize("resize", [None, 70])
def test_a_smaller_copy_in_another_format_is_named_with_its_original(root, resize):
    with Image.open(root / "class_1" / "3.png") as image:
        image.resize((105, 84)).save(root / "class_3" / "small.jpg", quality=70)
    says = found(root, resize=resize)
    assert says is not None and "an image of the test half" in says
    assert "class_3/small.jpg like class_1/3.png" in says


def test_exact_copies_and_empty_drawings_are_left_out(root):
    shutil.copy(root / "class_0" / "0.png", root / "class_2" / "copy.png")
    for label in (0, 2):
        page = np.full((120, 150, 3), 255, dtype=np.uint8)
        page[20 + label : 24 + label, 10:60] = 0
        Image.fromarray(page).save(root / f"class_{label}" / "drawing.png")
    assert found(root) is None
