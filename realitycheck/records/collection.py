"""The search for reference cycles beside the records of a large ledger: millions of objects that are in no cycle."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

RARELY = 200_000, 20, 100
"""Thresholds of `gc`: a search each 200,000 new objects, as a large figure makes, and almost never of all objects."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Search for no cycles while records are read, and count what was read as old, so that it is searched rarely."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            if gc.get_freeze_count() == 0:
                gc.freeze()
                gc.unfreeze()
            gc.enable()


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Search for cycles rarely: on 20,000 records each search of all objects took 0.5 s, a third of a report."""
    before = gc.get_threshold()
    gc.set_threshold(*RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
