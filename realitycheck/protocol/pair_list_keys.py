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
        return PairFiles(file=placed(self.file, folder), images=self.images and placed(self.images, folder))


def placed(path: str, folder: Path) -> str:
    """A path as it is written in a study, whole; a `~` of nobody's home is the name of a folder, as in a shell."""
    home = os.path.expanduser(path)  # noqa: PTH111 - that of `Path` raises where there is no such home
    return os.path.normpath(folder.absolute() / home)
