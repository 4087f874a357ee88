"""Corruptions of images: where their draws come from, and what each does, by hand or by another library."""

from __future__ import annotations

import colorsys
import math

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from realitycheck.evaluations.menu import CORRUPTIONS, entry_of
from realitycheck.stores.base import Facts
from realitycheck.stores.corruptions import added_noise, defocused, dropped_pixels, moved_pixels, shifted_colors
from realitycheck.stores.corruptions.base import generator_of
from realitycheck.stores.corruptions.corrupted_store import CorruptedStore, corrupted
from realitycheck.stores.pixels import SquareStore


def drawn_image(seed, *, side=48, channels=3):
    """Smooth bytes, so that interpolation differs little from one library to another."""
    rough = np.random.default_rng(seed).integers(0, 256, (side, side, channels)).astype(float)
    return ndimage.gaussian_filter(rough, (4, 4, 0), mode="wrap").astype(np.uint8)


def many(kind, severity, *, count=60, level=128, side=40):
    """Images of one grey level but for a mark in the corner, which makes their draws different."""
    images = [np.full((side, side, 1), level, dtype=np.uint8) for _ in range(count)]
    for number, image in enumerate(images):
        image[0, 0] = number
    return [corrupted(image, name=f"{kind}-{severity}")[1:, 1:, 0].astype(int) for image in images]


class TestEveryCorruption:
    @pytest.fixture(params=CORRUPTIONS)
    def kind(self, request):
        return request.param

    def test_severity_0_is_the_image_and_the_given_one_is_never_changed(self, kind):
        image = drawn_image(0)
        before = image.copy()
        assert corrupted(image, name=f"{kind}-0") is image
        for severity in range(1, 6):
            changed = corrupted(image, name=f"{kind}-{severity}")
            assert changed.shape == image.shape and changed.dtype == np.uint8
        assert np.array_equal(image, before)

    def test_order_and_batches_do_not_matter(self, kind):
        images = np.stack([np.moveaxis(drawn_image(seed), 2, 0) for seed in range(5)])
        facts = Facts(np.arange(5), tuple("abcde"), "digest")
        store = CorruptedStore(facts, SquareStore(facts, images), f"{kind}-4")
        read = {"recipe": None, "device": torch.device("cpu")}
        whole = store.plain(np.arange(5), **read)
        assert whole.shape == (5, 3, 48, 48)
        for index in (4, 0, 2):
            assert torch.equal(store.plain(np.array([index]), **read)[0], whole[index])

    def test_a_name_of_the_protocol(self, kind):
        assert entry_of(f"corrupted:{kind}-3") and entry_of(f"corrupted:{kind}-0")
        assert entry_of(f"corrupted:{kind}-6") is None and entry_of(f"corrupted:{kind}") is None

    @pytest.mark.parametrize("shape", [(28, 28, 1), (9, 9, 3)])
    def test_small_and_grey_images(self, kind, shape):
        image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
        assert corrupted(image, name=f"{kind}-5").shape == shape


def test_the_distance_to_the_image_grows_with_severity():
    """In the mean over images, for all that change bytes of these; the imgaug default is neither least nor most."""
    images = [drawn_image(seed, side=112) for seed in range(12)]
    for kind in CORRUPTIONS:
        means = [
            np.mean([np.abs(corrupted(one, name=f"{kind}-{severity}").astype(float) - one).mean() for one in images])
            for severity in range(6)
        ]
        assert means == sorted(means) and means[5] > means[1] > 0, (kind, means)


def test_gaussian_noise_is_normal_and_scales():
    gaps = {severity: many("gaussian", severity) for severity in (3, 4)}
    deviations = [np.std(one - 128.0) for one in gaps[3]]
    assert max(deviations) < 15.6 and np.mean(deviations) == pytest.approx(7.5, abs=1.2)
    loud = max(gaps[3], key=np.std) - 128.0
    assert (
        stats.kstest((loud + np.random.default_rng(0).random(loud.shape) - 0.5).ravel() / np.std(loud), "norm")[0]
        < 0.03
    )
    for quiet, twice in zip(gaps[3], gaps[4], strict=True):
        assert np.abs((twice - 128) - 2 * (quiet - 128)).max() <= 2  # 30 is twice 15, but for rounding


def test_uniform_noise_takes_every_whole_number():
    gaps = np.concatenate([(one - 128).ravel() for one in many("uniform", 3)])
    counts = np.unique(gaps, return_counts=True)
    assert counts[0].tolist() == list(range(-20, 21))
    assert stats.chisquare(counts[1]).pvalue > 1e-3


def test_salt_and_pepper_follow_the_arcsine_law():
    images = many("salt_pepper", 5)
    replaced = [(one != 128).mean() for one in images]
    assert max(replaced) < 0.33 and np.mean(replaced) == pytest.approx(0.15, abs=0.03)
    levels = np.concatenate([one[one != 128] for one in images]) / 255
    assert stats.kstest(levels, "beta", args=(0.5, 0.5))[0] < 0.06  # bytes: both ends hold 4 percent
    assert (levels < 0.1).mean() == pytest.approx((levels > 0.9).mean(), abs=0.02)


def test_dropout_blackens_pixels_of_all_channels():
    image = drawn_image(1, side=96).clip(1)
    gone = (corrupted(image, name="dropout-5") == 0).all(axis=2)
    assert np.array_equal(corrupted(image, name="dropout-5")[~gone], image[~gone])
    shares = [(one == 0).mean() for one in many("dropout", 3)]
    assert max(shares) < 0.06 and np.mean(shares) == pytest.approx(0.025, abs=0.006)


def test_cutout_is_one_grey_square():
    areas = []
    for one in many("cutout", 2, level=10, count=100):
        rows, columns = np.nonzero(one == 128)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1) and set(np.unique(one)) <= {10, 128}
        assert max(np.ptp(rows), np.ptp(columns)) <= 8  # 0.2 of 40 pixels
        areas.append(len(rows))
    assert max(areas) in (64, 72, 81) and min(areas) < 50  # some reach over the border


def test_shear_agrees_with_scipy():
    image = drawn_image(2, side=64, channels=1)
    draw = generator_of(image, kind="shear")
    slope = math.tan(math.radians((2 * draw.random() - 1) * 40))
    assert abs(slope) > 0.1
    expected = ndimage.affine_transform(
        image[..., 0].astype(float), [[1, 0], [slope, 1]], offset=[0, -slope * 31.5], order=1, cval=0
    )
    actual = corrupted(image, name="shear-4")[..., 0].astype(float)
    inside = ndimage.binary_erosion((expected > 0) & (actual > 0), iterations=3)
    assert inside.mean() > 0.5 and np.abs(actual - expected)[inside].max() <= 2


def test_jigsaw_moves_cells():
    image = (np.arange(60 * 60) % 251).astype(np.uint8).reshape(60, 60, 1)
    changed = corrupted(image, name="jigsaw-5")
    assert np.array_equal(np.sort(changed.ravel()), np.sort(image.ravel()))
    assert 0.1 < (changed != image).mean() <= 1


@pytest.mark.parametrize(("rows", "columns"), [(3, 3), (5, 8)])
def test_a_jigsaw_of_one_step_exchanges_neighbours_once(rows, columns):
    """With more steps cells get further, as in imgaug, where steps belong to places."""
    means = []
    for steps in (1, 2, 16):
        far = []
        for seed in range(20):
            order = moved_pixels._exchanged(rows, columns, steps, np.random.default_rng(seed))
            assert sorted(order) == list(range(rows * columns))
            places = np.abs(np.array(divmod(order, columns)) - np.array(divmod(np.arange(rows * columns), columns)))
            far.append(places.sum(axis=0))
        assert steps > 1 or np.max(far) == 1
        means.append(np.mean(far))
    assert means == sorted(means)


def test_hue_and_saturation_agree_with_colorsys():
    image = drawn_image(3, side=16)
    image[..., 0], image[..., 2] = image[..., 0] // 2 + 120, image[..., 2] // 3
    hue, saturation = (
        (2 * generator_of(image, kind="hue_saturation").random(2) - 1) * shifted_colors.SHIFTS[3]
    ).round()
    changed = corrupted(image, name="hue_saturation-4")
    for old, new in zip(image.reshape(-1, 3), changed.reshape(-1, 3), strict=True):
        h, s, v = colorsys.rgb_to_hsv(*(old / 255))
        turned = colorsys.hsv_to_rgb((h + hue / 256) % 1, min(max(s + saturation / 255, 0), 1), v)
        assert np.abs(np.array(turned) * 255 - new).max() <= 5  # hue and saturation are bytes
    grey = drawn_image(4, channels=1)
    assert np.array_equal(shifted_colors.hue_saturation(grey, 5, np.random.default_rng(0)), grey)


@pytest.mark.parametrize("side", [28, 112, 224])
def test_defocus_agrees_with_scipy(side):
    """The disk by area: in how many of 101 x 101 points of each pixel's own square a point of the disk would be."""
    image = drawn_image(5, side=side, channels=1)
    radius = 8 * side / 224
    weights = defocused.disk(radius)
    assert weights.sum() == pytest.approx(1 << 16, rel=2e-3)
    assert np.array_equal(weights, weights[::-1, ::-1])
    expected = ndimage.convolve(image[..., 0].astype(float), weights / weights.sum(), mode="reflect")
    actual = defocused.defocus_blur(image, 4, np.random.default_rng(0))[..., 0]
    assert np.abs(actual - expected).max() <= 0.5 + 1e-9
    if radius >= 4:
        offsets = np.arange(len(weights)) - len(weights) // 2
        far = np.hypot(*np.meshgrid(offsets, offsets))
        assert np.all(weights[far > radius + 1.5] == 0)
        inner = weights[far < radius - 1.5]
        assert inner.max() - inner.min() <= 0.05 * inner.mean()
        assert inner.mean() / (1 << 16) == pytest.approx(1 / (math.pi * radius**2), rel=0.02)


def test_the_defaults_of_imgaug_are_among_the_severities():
    """Version 0.4: the upper ends of its ranges."""
    assert added_noise.DEVIATIONS[2] == 15 and added_noise.SHIFTS[2] == 20 and added_noise.SHARES[2] == 0.03
    assert dropped_pixels.SHARES[2] == 0.05 and dropped_pixels.SIDES[1] == 0.2
    assert moved_pixels.ANGLES[2] == 30 and moved_pixels.STEPS[0] == 1 and moved_pixels.CELLS == (3, 10)
    assert shifted_colors.SHIFTS[2] == 40 and defocused.RADII == (3, 4, 6, 8, 10)
