"""What pictures of a loss are drawn from: values and gradients on grids, readable without torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Landscape:
    """The loss of one embedding of class 0 in the plane, beside fixed class vectors.

    Args:
        axis: (G,) coordinates of the grid, the same in both directions.
        values: (G, G) the loss; rows are the second coordinate.
        slopes: (G, G, 2) its gradient.
        vectors: (C, 2) class vectors; the first one is that of the embedding's own class.
        minima: (M, 2) where descents end inside of the grid.
    """

    axis: Floats
    values: Floats
    slopes: Floats
    vectors: Floats
    minima: Floats


@dataclass(frozen=True, slots=True)
class SimilarityPlane:
    """The loss of two images of one class and one of another, whose similarities are given.

    Args:
        axis: (G,) cosine similarities, the same in both directions.
        values: (G, G) the loss; rows are s_p, columns s_n. NaN where no three points have these similarities.
        slopes: (G, G, 2) its derivatives by s_n and by s_p.
    """

    axis: Floats
    values: Floats
    slopes: Floats


@dataclass(frozen=True, slots=True)
class PlaneEmbeddings:
    """What a loss makes of a plane.

    Args:
        loss: its name.
        points: (N, 2) embeddings.
        labels: (N,) their classes.
        vectors: (C, 2) class vectors; (0, 2) where there are none.
    """

    loss: str
    points: Floats
    labels: NDArray[np.int64]
    vectors: Floats
