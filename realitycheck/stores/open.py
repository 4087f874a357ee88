"""Open a store of any kind by its path."""

from __future__ import annotations

from pathlib import Path

from realitycheck.stores.base import Store
from realitycheck.stores.cache import read_meta
from realitycheck.stores.features import open_features
from realitycheck.stores.pixels import open_pixels


def open_store(path: Path) -> Store:
    """Open a finished store of pixels or of features.

    Raises:
        RunError: if it is missing or unfinished.
    """
    return open_features(path) if read_meta(path).get("features") else open_pixels(path)
