"""A third of the classes of the embedded sketches, for studies that take minutes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from realitycheck.datasets.base import Dataset
from realitycheck.datasets.members.sketches import PER_CLASS, Sketches

EVERY = 3


class FewSketches(Dataset):
    """Every third class of `Sketches`, beginning with the first: 115 classes of 100 drawings each."""

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
        """(11,500,) labels sorted by class, 100 drawings each."""
        return np.repeat(np.arange(len(self.classes)), PER_CLASS)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of `Sketches`, and the selection of classes."""
        return f"{self._all.fingerprint} every {EVERY}"

    def images(self, indices: Sequence[int], *, size: int) -> Iterator[NDArray[np.uint8]]:
        """Iterate over drawings as (1, 28, 28) uint8: 0 is paper, 255 is ink."""
        in_all = [index // PER_CLASS * EVERY * PER_CLASS + index % PER_CLASS for index in indices]
        return self._all.images(in_all, size=size)
