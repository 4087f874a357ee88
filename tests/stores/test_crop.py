"""Crops against torchvision: the same pixels for the same box, and boxes of the same distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import ks_2samp

from realitycheck.protocol.recipe import Augment, Crop
from realitycheck.stores.crop import boxes, cut, mirror, shift_and_mirror, squares
from realitycheck.stores.decode_parts import center

RULE = Crop(scale=(0.16, 1.0), ratio=(0.75, 1.3333))


@pytest.fixture(scope="module")
def transforms():
    return pytest.importorskip("torchvision.transforms.v2")


def picture(height, width):
    return torch.randint(256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def test_a_box_is_resized_as_by_torchvision(transforms):
    image = picture(144, 190)
    ours = cut(image, (20, 31, 90, 120), 112)
    theirs = transforms.functional.resized_crop(image, 20, 31, 90, 120, [112, 112], antialias=True)
    assert torch.equal(ours, theirs)


def test_a_box_is_resized_as_by_pillow_to_one_step_of_grey():
    image = picture(144, 190)
    pillow = Image.fromarray(image.permute(1, 2, 0).numpy()).crop((31, 20, 151, 110)).resize((112, 112), Image.BILINEAR)
    difference = cut(image, (20, 31, 90, 120), 112).permute(1, 2, 0).short().numpy() - np.asarray(pillow, np.int16)
    assert abs(difference).max() <= 1


@pytest.mark.parametrize("size", [(256, 341), (257, 256), (144, 190)])
def test_the_middle_is_torchvisions(transforms, size):
    image = picture(*size)
    assert torch.equal(center(image, 127), transforms.CenterCrop(127)(image))


@pytest.mark.parametrize("size", [(256, 341), (400, 256), (256, 900)])
def test_boxes_have_torchvisions_distribution(transforms, size):
    """Two samples of 4,000: Kolmogorov and Smirnov's test would find a shift of 0.04 standard deviations often."""
    count = 4000
    ours = boxes(torch.tensor([size] * count), rule=RULE, generator=torch.Generator().manual_seed(0)).numpy()
    torch.manual_seed(0)
    theirs_of = transforms.RandomResizedCrop(227, scale=RULE.scale, ratio=RULE.ratio)
    image = torch.empty((1, *size))
    drawn = [theirs_of.make_params([image]) for _ in range(count)]
    theirs = np.array([[box["top"], box["left"], box["height"], box["width"]] for box in drawn])
    for column in range(4):
        assert ks_2samp(ours[:, column], theirs[:, column]).pvalue > 1e-3
    assert ks_2samp(ours[:, 2] * ours[:, 3], theirs[:, 2] * theirs[:, 3]).pvalue > 1e-3


def test_boxes_lie_inside_and_keep_the_bounds():
    sizes = torch.tensor([[256, 300], [500, 256], [256, 256]] * 500)
    top, left, height, width = boxes(sizes, rule=RULE, generator=torch.Generator().manual_seed(3)).unbind(1)
    assert (top >= 0).all() and (left >= 0).all()
    assert (top + height <= sizes[:, 0]).all() and (left + width <= sizes[:, 1]).all()
    share = (height * width) / sizes.prod(dim=1)
    assert share.min() > 0.15 and share.max() <= 1
    shape = (width / height).log()
    assert shape.min() > math.log(0.75) - 0.02 and shape.max() < math.log(1.3333) + 0.02


def test_where_no_draw_fits_the_largest_middle_part_is_taken():
    # Nine times as wide as high: a whole-area crop of at most 4:3 never fits; the middle 100 × 133 remains.
    whole = Crop(scale=(1.0, 1.0), ratio=(0.75, 4 / 3))
    actual = boxes(torch.tensor([[100, 900]]), rule=whole, generator=torch.Generator().manual_seed(0))
    assert actual.tolist() == [[0, 383, 100, 133]]


def test_mirror_images_come_as_often_as_they_should():
    images = torch.arange(4, dtype=torch.uint8).view(1, 1, 1, 4).expand(2000, 1, 1, 4)
    turned = mirror(images, probability=0.5, generator=torch.Generator().manual_seed(0))[:, 0, 0, 0] == 3
    assert abs(int(turned.sum()) - 1000) < 4 * math.sqrt(500)
    assert torch.equal(mirror(images, probability=0.0, generator=torch.Generator()), images)


def test_squares_are_uniform_and_cut_without_resizing(transforms):
    sizes = torch.tensor([[10, 12]] * 6000)
    drawn = squares(sizes, size=8, generator=torch.Generator().manual_seed(0))
    assert (drawn[:, 2:] == 8).all()
    counts = torch.bincount(drawn[:, 0] * 5 + drawn[:, 1], minlength=15)
    assert len(counts) == 15 and abs(counts - 400).max() < 5 * math.sqrt(400)
    image = picture(10, 12)
    assert torch.equal(cut(image, (1, 4, 8, 8), 8), transforms.functional.crop(image, 1, 4, 8, 8))


def naive_shift(image, down, right, mirrored, shift):
    height, width = image.shape
    padded = np.zeros((height + 2 * shift, width + 2 * shift), dtype=image.dtype)
    padded[shift : shift + height, shift : shift + width] = image
    cut = padded[down : down + height, right : right + width]
    return cut[:, ::-1] if mirrored else cut


def test_augmentation_is_a_crop_of_the_padded_image_and_maybe_a_mirror():
    images = torch.randint(1, 256, (40, 1, 6, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    out = shift_and_mirror(images, rule=Augment(shift=2, flip=0.5), generators=[torch.Generator().manual_seed(1)])
    seen = set()
    for before, after in zip(images[:, 0].numpy(), out[:, 0].numpy(), strict=True):
        matches = [
            (down, right, mirrored)
            for down in range(5)
            for right in range(5)
            for mirrored in (False, True)
            if np.array_equal(naive_shift(before, down, right, mirrored, 2), after)
        ]
        assert len(matches) == 1
        seen |= set(matches)
    assert {down for down, _, _ in seen} == set(range(5))
    assert {mirrored for _, _, mirrored in seen} == {False, True}


def test_no_augmentation_is_the_identity():
    images = torch.randint(0, 256, (4, 3, 6, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    out = shift_and_mirror(images, rule=Augment(shift=0, flip=0.0), generators=[torch.Generator().manual_seed(1)])
    assert torch.equal(out, images)
