"""The generators that a loss can draw from without being given one: those of `random`, NumPy and torch."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


def seed_generators(seed: int) -> None:
    """Seed the global generators of `random`, NumPy and, where it is loaded, torch.

    Args:
        seed: in [0, 2^63). NumPy takes 32 bits of it.
    """
    random.seed(seed)
    np.random.seed(seed % 2**32)  # the old interface: it draws from the global generator
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global generators for a while; afterwards they continue where they were."""
    torch = sys.modules.get("torch")
    before = random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None
    try:
        seed_generators(seed)
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        if torch:
            torch.set_rng_state(before[2])
