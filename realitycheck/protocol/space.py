"""The ranges that a search draws hyper-parameters from."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

Number = Annotated[float, Field(allow_inf_nan=False)]

WIDEST = 1_000_000
"""Whole numbers between the bounds of a range: samplers list them all (optuna issue 1931)."""


class Bounds(BaseModel):
    """A frozen pair of bounds; the sub-class says how values between them are drawn."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="after")
    def _ordered(self) -> Bounds:
        low, high = self.bounds
        wrong = f"[{low}, {high}] is out of range"
        if not low < high:
            says = f"{wrong}: the lower bound must be less than the upper one. Swap or widen the bounds."
            raise PydanticCustomError("range-reversed", says)
        if low <= 0 and isinstance(self, LogUniform | LogIntUniform):
            says = (
                f"{wrong}: bounds of a log range must be positive. Raise the lower one, or use a range without `log_`."
            )
            raise PydanticCustomError("range-not-positive", says)
        if high - low > WIDEST and isinstance(self, IntUniform | LogIntUniform):
            says = f"{wrong}: it must span at most {WIDEST:,} whole numbers. Narrow it, or search real numbers."
            raise PydanticCustomError("range-too-wide", says)
        if not math.isfinite(high - low):
            raise PydanticCustomError("range-too-wide", f"{wrong}: its width must be a finite number. Narrow it.")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """Low and high, both inside the range."""
        low, high = next(iter(self.model_dump().values()))
        return low, high


class Uniform(Bounds):
    """Real numbers; intervals of equal length are equally likely."""

    uniform: tuple[Number, Number]


class LogUniform(Bounds):
    """Positive real numbers; intervals of equal ratio are equally likely."""

    log_uniform: tuple[Number, Number]


class IntUniform(Bounds):
    """Whole numbers, equally likely."""

    int_uniform: tuple[int, int]


class LogIntUniform(Bounds):
    """Whole numbers above 0; intervals of equal ratio are equally likely."""

    log_int_uniform: tuple[int, int]


class Choice(BaseModel):
    """One of several names or numbers, without an order."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    choice: tuple[int | float | str, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _distinct(self) -> Choice:
        if twice := [option for place, option in enumerate(self.choice) if option in self.choice[:place]]:
            says = f"duplicate option {twice[0]!r} is not allowed here: it would be drawn more often. Remove it."
            raise PydanticCustomError("choice-duplicate", says)
        return self


def _tag(value: Any) -> str:
    fields = type(value).model_fields if isinstance(value, BaseModel) else value
    keys = list(fields) if isinstance(fields, dict) else []
    return keys[0] if len(keys) == 1 and keys[0] in RANGES else "fixed"


RANGES = ("uniform", "log_uniform", "int_uniform", "log_int_uniform", "choice")

Fixed = float | int | str

Range = Annotated[
    Annotated[Uniform, Tag("uniform")]
    | Annotated[LogUniform, Tag("log_uniform")]
    | Annotated[IntUniform, Tag("int_uniform")]
    | Annotated[LogIntUniform, Tag("log_int_uniform")]
    | Annotated[Choice, Tag("choice")]
    | Annotated[Fixed, Tag("fixed")],
    Discriminator(_tag),
]
"""`{uniform: [a, b]}`, `{log_uniform: [a, b]}`, `{int_uniform: [a, b]}`, `{log_int_uniform: [a, b]}`,
`{choice: [x, y]}`, or a value."""

Space = dict[str, Range]
"""Knob name → range. Beside the loss's own knobs it may name rates, and what a second phase changes (`knobs`)."""


def middle(bounds: Range) -> float | int | str:
    """The value halfway through a range, on its scale; of a choice the first option; a fixed value itself."""
    if isinstance(bounds, Choice):
        return bounds.choice[0]
    if not isinstance(bounds, Bounds):
        return bounds
    low, high = bounds.bounds
    if isinstance(bounds, LogUniform | LogIntUniform):
        center = math.sqrt(low) * math.sqrt(high)
        return round(center) if isinstance(bounds, LogIntUniform) else center
    return (int(low) + int(high)) // 2 if isinstance(bounds, IntUniform) else low / 2 + high / 2


def place_in(bounds: Range, value: float | int | str) -> float | str:
    """Where a value is in a range: its share in [0, 1] on the range's scale; of a choice the option itself.

    A fixed value is at 0. A value outside of the range is outside of [0, 1].
    """
    if isinstance(bounds, Choice):
        return str(value)
    if not isinstance(bounds, Bounds) or isinstance(value, str):
        return 0.0
    low, high = bounds.bounds
    if isinstance(bounds, LogUniform | LogIntUniform):
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def contains(bounds: Range, value: float | int | str) -> bool:
    """Whether a value is in a range; in a fixed value if it is that value."""
    if isinstance(bounds, Choice):
        return value in bounds.choice
    if not isinstance(bounds, Bounds):
        return value == bounds
    low, high = bounds.bounds
    return isinstance(value, int | float) and low <= value <= high
