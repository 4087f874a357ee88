"""One of several workers makes the stores of a study ready; the others wait for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from realitycheck.records.leases import Leases
from realitycheck.verbs.study import Progress

STORES = "stores"
"""The name of the lease."""

WAIT_SECONDS = 1.0


@contextmanager
def one_prepares(leases: Leases, *, watch: Progress) -> Iterator[None]:
    """Hold the lease of the preparation, or wait until the worker that holds it is done.

    Who has waited does not take it: whatever is missing then is made without a lease, which is safe and rarely much.
    The lease of a worker that is gone is taken over.
    """
    waited = 0
    while not leases.take(STORES, title="the preparation of images"):
        watch(f"waiting for {leases.others.get(STORES, 'another worker')}, seconds", waited, waited + 1)
        time.sleep(WAIT_SECONDS)
        waited += 1
        leases.look()
        if not leases.is_taken(STORES):
            break
    try:
        yield
    finally:
        leases.release(STORES)
