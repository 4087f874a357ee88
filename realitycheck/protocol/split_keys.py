"""The keys `split` and `folds` of a protocol: which classes train, validate and test."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from realitycheck.protocol.base import FrozenSection, Seed, Size

EVEN = 0.5
"""The share of the classes that train in a hold-out of DeMoor and Prevost (2024), where a protocol names no other."""


class SplitRule(FrozenSection):
    """How classes are cut in halves: the first half of `sorted` or seeded `shuffled` classes is trainval.

    `official` takes the dataset's own halves.
    """

    order: Literal["sorted", "shuffled", "official"]
    seed: Seed


class FoldRule(FrozenSection):
    """How trainval classes are cut into `count` folds; `plan.splits.make_folds` explains each kind.

    `share` is that of the classes that train where they are a `hold_out`.
    """

    options = frozenset({"share"})

    count: Size
    kind: Literal["blocks", "shuffled", "mlrc", "hold_out"]
    seed: Seed
    share: Annotated[float, Field(gt=0, lt=1)] = EVEN
