"""Images of the test half that look like an image of trainval: copies in another size, quality or file format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from realitycheck.errors import first_few
from realitycheck.stores.cache import read_meta
from realitycheck.stores.prepare import Stores

SIDE = 16
"""A fingerprint compares SIDE × SIDE neighbours in each row of a grey thumbnail, as dHash does (Krawetz, 2013)."""

DIFFERENT = 12
"""Comparisons of the 256 that two fingerprints of one image may differ in; those of two photos differ in about 128."""

CONTRAST = 2.0
"""Grey levels by which neighbours differ, so that noise of a compression does not turn a comparison."""

TEXTURED = 64
"""Comparisons with that contrast which an image needs: drawings on an empty page all look alike otherwise."""

MOST = 20_000
"""Images of both halves up to which all pairs are compared."""

BLOCK = 1_000
"""Fingerprints that are compared with all others at once."""


def near_duplicates(stores: Stores) -> str | None:
    """A sentence that names images of the test half which look like one of trainval; None where there are none.

    Images with equal pixels are left out: `duplicates` names them. It reads every image, and says nothing of more than
    `MOST` images.
    """
    halves = [read_meta(stores.trainval), read_meta(stores.test)]
    if not all(meta.get("names") for meta in halves) or sum(len(meta["labels"]) for meta in halves) > MOST:
        return None
    pairs = list(_pairs(stores, *halves))
    if not pairs:
        return None
    named = [f"{halves[1]['names'][test]} like {halves[0]['names'][trainval]}" for test, trainval in pairs]
    noun = "an image" if len(named) == 1 else f"{len(named):,} images"
    return f"Near-duplicates: {noun} of the test half nearly equal to images of trainval ({first_few(named)})."


def _pairs(stores: Stores, trainval: dict[str, object], test: dict[str, object]) -> Iterator[tuple[int, int]]:
    """The place of a test image, and that of the trainval image which is most like it."""
    known, known_textured = fingerprints(stores.trainval)
    tested, tested_textured = fingerprints(stores.test)
    digests = [np.array(meta.get("pixels", meta["files"])) for meta in (trainval, test)]
    for start in range(0, len(tested), BLOCK):
        block = tested[start : start + BLOCK]
        different = (block.shape[1] - block @ known.T) / 2  # of vectors of ±1
        different[:, ~known_textured] = np.inf
        for place, nearest in enumerate(different.argmin(axis=1), start):
            same = digests[1][place] == digests[0][nearest]
            if tested_textured[place] and different[place - start, nearest] <= DIFFERENT and not same:
                yield place, int(nearest)


def fingerprints(path: Path) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(N, 256) of ±1, whether a cell of the thumbnail is darker than its right neighbour; and who has texture."""
    bits, textured = [], []
    for image in _grey_images(path):
        steps = np.diff(_shrunk(image, SIDE, SIDE + 1), axis=1)
        bits.append(np.where(steps > CONTRAST, 1, -1).ravel())
        textured.append((np.abs(steps) > CONTRAST).sum() >= TEXTURED)
    return np.array(bits, dtype=np.float32).reshape(-1, SIDE * SIDE), np.array(textured, dtype=bool)


def _grey_images(path: Path) -> Iterator[NDArray[np.float32]]:
    """(H, W) grey levels of each image of a store, square or whole."""
    pixels, meta = np.load(path.with_suffix(".npy"), mmap_mode="r"), read_meta(path)
    if "sizes" not in meta:
        yield from (image.mean(axis=0, dtype=np.float32) for image in pixels)
        return
    start, channels = 0, meta["channels"]
    for height, width in meta["sizes"]:
        end = start + height * width * channels
        yield pixels[start:end].reshape(height, width, channels).mean(axis=2, dtype=np.float32)
        start = end


def _shrunk(image: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    """Means over a grid of cells; a side that is shorter than the grid repeats its pixels."""
    for axis, count in enumerate((rows, columns)):
        edges = np.arange(count) * image.shape[axis] // count
        sums = np.add.reduceat(image, edges, axis=axis)
        widths = np.maximum(np.diff([*edges, image.shape[axis]]), 1)
        image = (sums / widths.reshape((-1, 1) if axis == 0 else (1, -1))).astype(np.float32)
    return image
