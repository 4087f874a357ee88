"""The search for reference cycles beside the records of a large ledger: they are millions of objects without cycles.

On 20,000 records each search through all of them took 0.5 to 1 s.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
def set_apart() -> Iterator[None]:
    """Leave all objects that exist at the beginning out of every search for cycles until the end."""
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
