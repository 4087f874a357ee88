"""Small folders of images with something to learn in them: noisy stripes, one slant and spacing a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def write_pictures(folder: Path, *, classes: int, each: int, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    across, down = np.meshgrid(np.arange(28), np.arange(28))
    for label in range(classes):
        (folder / f"class_{label:02}").mkdir(parents=True)
        angle = np.pi * label / classes
        wave = np.sin((across * np.cos(angle) + down * np.sin(angle)) * (0.4 + 0.05 * label))
        for number in range(each):
            noise = rng.normal(scale=0.3, size=(28, 28, 3))
            pixels = np.clip(127 + 90 * (wave[..., None] + noise), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"class_{label:02}" / f"{number}.png")
