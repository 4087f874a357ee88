"""Geometric distortions: shear, and a jigsaw."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from realitycheck.stores.corruptions.base import Image

ANGLES = (10.0, 20.0, 30.0, 40.0, 50.0)
"""Largest angle of the shear in degrees by severity; imgaug's `ShearX` has 30."""

STEPS = (1, 2, 4, 8, 16)
"""How many times a cell may move by severity; imgaug's `Jigsaw` has 1."""

CELLS = (3, 10)
"""Least and most rows, and columns, of the jigsaw, as in imgaug."""

MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])
"""Up, right, down and left."""


def shear(image: Image, severity: int, draw: np.random.Generator) -> Image:
    """Shear along the x axis about the centre by an angle drawn for the image; what comes from outside is black."""
    slope = math.tan(math.radians((2 * draw.random() - 1) * ANGLES[severity - 1]))
    height, width = image.shape[:2]
    matrix = (1.0, slope, -slope * height / 2, 0.0, 1.0, 0.0)
    moved = [
        np.asarray(
            Pictures.fromarray(np.ascontiguousarray(plane)).transform(
                (width, height), Pictures.Transform.AFFINE, matrix, resample=Pictures.Resampling.BILINEAR
            )
        )
        for plane in np.moveaxis(image, 2, 0)
    ]
    return np.stack(moved, axis=2)


def jigsaw(image: Image, severity: int, draw: np.random.Generator) -> Image:
    """Cut the image into cells, and exchange neighbours; rows and columns are drawn for the image.

    The cells are those of the largest multiple of rows and columns that fits; imgaug pads instead, which changes the
    size of the image. A rim at the lower and right sides stays where it is.
    """
    rows, columns = (CELLS[0] + int(draw.random() * (CELLS[1] - CELLS[0] + 1)) for _ in range(2))
    high, wide = image.shape[0] // rows, image.shape[1] // columns
    if high == 0 or wide == 0:
        return image
    order = _exchanged(rows, columns, STEPS[severity - 1], draw)
    whole = image[: high * rows, : wide * columns]
    cells = whole.reshape(rows, high, columns, wide, -1).swapaxes(1, 2).reshape(rows * columns, high, wide, -1)
    moved = cells[order].reshape(rows, columns, high, wide, -1).swapaxes(1, 2).reshape(whole.shape)
    changed = image.copy()
    changed[: high * rows, : wide * columns] = moved
    return changed


def _exchanged(rows: int, columns: int, most: int, draw: np.random.Generator) -> NDArray[np.int64]:
    """The cell at every place, after moves in `STEPS[-1]` rounds of which the first `most` take place.

    As in imgaug: every cell has a number of steps between 0 and `most` and a direction for each round. Two neighbours
    change places where both still have a step.
    """
    spare = (draw.random((rows, columns)) * (most + 1)).astype(np.int64)
    directions = (draw.random((STEPS[-1], rows, columns)) * len(MOVES)).astype(np.int64)
    order = np.arange(rows * columns).reshape(rows, columns)
    for turn in directions[:most]:
        for row, column in np.ndindex(rows, columns):
            there = MOVES[turn[row, column]] + (row, column)
            place = (min(max(int(there[0]), 0), rows - 1), min(max(int(there[1]), 0), columns - 1))
            if place != (row, column) and spare[row, column] > 0 and spare[place] > 0:
                order[row, column], order[place] = order[place], order[row, column]
                spare[row, column] -= 1
                spare[place] -= 1
    return order.ravel()
