"""A third of the embedded sketches, for studies that must be over in minutes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from realitycheck.datasets.base import Dataset
from realitycheck.datasets.members.sketches import EACH, Sketches

EVERY = 3


class FewSketches(Dataset):
    """Every third class of `Sketches`, the first one included: 115 classes of 100 drawings each."""

    credit = Sketches.credit
    channels = Sketches.channels

    def __init__(self) -> None:
        self._all = Sketches()

    @property
    def classes(self) -> tuple[str, ...]:
        """The 115 class names, sorted."""
        return self._all.classes[::EVERY]

    @property
    def labels(self) -> NDArray[np.int64]:
        """(11,500,) class by class, 100 drawings each."""
        return np.repeat(np.arange(len(self.classes)), EACH)

    @property
    def fingerprint(self) -> str:
        """That of all sketches, and how they were thinned."""
        return f"{self._all.fingerprint} every {EVERY}"

    def images(self, indices: Sequence[int], *, size: int) -> Iterator[NDArray[np.uint8]]:
        """Drawings as (1, 28, 28) uint8: 0 paper, 255 ink."""
        whole = [index // EACH * EVERY * EACH + index % EACH for index in indices]
        return self._all.images(whole, size=size)
