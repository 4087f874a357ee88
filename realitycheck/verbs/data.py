"""`fetch` and `published`: data from elsewhere."""

from __future__ import annotations

from pathlib import Path

from realitycheck.datasets.fetching.fetch import fetch
from realitycheck.report.published.listing import EXPLAINED, HEAD, Listing, listings
from realitycheck.verbs.study import Progress, unwatched


def fetch_data(name: str, folder: Path, *, watch: Progress = unwatched) -> Path:
    """Download a dataset of the menu, check its digest, unpack it below the folder; its root.

    Raises:
        InputError: it must be fetched by hand (the error says where), or what came is not what it should be.
    """
    return fetch(name, folder, progress=lambda done, size: watch(f"{name}, bytes", done, size))


def published_blocks(dataset: str) -> tuple[tuple[str, ...], tuple[Listing, ...], str]:
    """What papers published on a dataset: the head of every table, the tables, and what to know of all of them.

    Raises:
        InputError: nothing is known to be published on it.
    """
    return HEAD, listings(dataset), EXPLAINED
