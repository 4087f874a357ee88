"""The key `pair_lists` of a study: where published lists of pairs are."""

from __future__ import annotations

import os
from pathlib import Path

from realitycheck.protocol.base import FrozenSection, Text


class PairFiles(FrozenSection):
    """Where a list of pairs is: its `file`, and the folder of its `images` where the file does not hold them."""

    options = frozenset({"images"})

    file: Text
    images: Text | None = None

    def placed(self, folder: Path) -> PairFiles:
        """The same with whole paths; relative ones start at `folder`."""
        return PairFiles(file=_place(self.file, folder), images=self.images and _place(self.images, folder))


def _place(path: str, folder: Path) -> str:
    return os.path.normpath(folder.absolute() / Path(path).expanduser())
