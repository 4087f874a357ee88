"""Scaling is torchvision's, pixel for pixel."""

import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import Resize

from realitycheck.datasets.reading.decode import decode


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(500, 375, 256), (375, 500, 256), (30, 30, 48), (101, 67, 32), (67, 101, 64), (640, 31, 28), (256, 300, 256)],
)
def test_equals_torchvision(tmp_path, width, height, size):
    noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "1.png")
    expected = np.asarray(Resize(size)(Image.fromarray(noise)))
    image = decode(tmp_path / "1.png", size=size)
    assert image.dtype == np.uint8 and image.flags.c_contiguous
    assert np.array_equal(image, expected.transpose(2, 0, 1))


def test_the_long_side_is_rounded_down(tmp_path):
    """3×2 at size 5: 7.5 becomes 7."""
    Image.new("RGB", (3, 2)).save(tmp_path / "1.png")
    assert decode(tmp_path / "1.png", size=5).shape == (3, 5, 7)


def test_a_strip_does_not_grow_without_bound(tmp_path):
    """20,000 × 1 would become 5,120,000 × 256."""
    Image.new("L", (20_000, 1)).save(tmp_path / "1.png")
    with pytest.raises(ValueError, match=r"5120000×256 pixels .* 50,000,000"):
        decode(tmp_path / "1.png", size=256)
