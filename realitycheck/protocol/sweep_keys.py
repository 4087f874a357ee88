"""The key `sweep` of a study: the score of a loss against one of its hyper-parameters."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from realitycheck.protocol.base import FrozenSection, Name, Repeats
from realitycheck.protocol.space import IntUniform, LogIntUniform, Number, Range


class Grid(FrozenSection):
    """`points` values from the first to the second bound, both included, at equal differences or at equal ratios."""

    linear: tuple[Number, Number] | None = None
    log: tuple[Number, Number] | None = None
    points: Annotated[int, Field(ge=2, le=100)]

    @model_validator(mode="after")
    def _ordered(self) -> Grid:
        if (self.linear is None) is (self.log is None):
            says = "a grid is not allowed here without exactly one of `linear` and `log`. Write one of them."
            raise PydanticCustomError("range-grid", says)
        low, high = self.bounds
        if not low < high:
            says = f"[{low}, {high}] is out of range: the lower bound must be less than the upper one. Swap them."
            raise PydanticCustomError("range-reversed", says)
        if self.log is not None and low <= 0:
            says = f"[{low}, {high}] is out of range: bounds of a log grid must be positive. Use `linear`."
            raise PydanticCustomError("range-not-positive", says)
        if not isfinite(high / low if self.log else high - low):
            says = f"[{low}, {high}] is out of range: its width must be a finite number. Narrow it."
            raise PydanticCustomError("range-too-wide", says)
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """The first and the last value."""
        bounds = self.linear or self.log
        assert bounds is not None
        return bounds

    def values(self, searched: Range) -> tuple[float | int, ...]:
        """The values, to six significant digits, so that every machine has the same; whole where the search's are.

        Args:
            searched: the range of the hyper-parameter in the search.
        """
        low, high = self.bounds
        shares = [step / (self.points - 1) for step in range(self.points)]
        exact = [low * (high / low) ** share if self.log else low + (high - low) * share for share in shares]
        rounded = [float(f"{value:.6g}") for value in exact]
        whole = isinstance(searched, IntUniform | LogIntUniform) or type(searched) is int
        return tuple(dict.fromkeys(round(value) if whole else value for value in rounded))


class Sweep(FrozenSection):
    """Label of a loss → hyper-parameter → grid. A point is trained under the first `seeds` seeds of the replicates.

    With `test` the points are scored on the test half as well, if its opening declares the same sweep.
    """

    options = frozenset({"test"})

    seeds: Repeats
    test: bool = False
    knobs: Annotated[Mapping[Name, Mapping[str, Grid]], Field(min_length=1)]
