"""Where a knob may lie: the bounds that a search draws from."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

Number = Annotated[float, Field(allow_inf_nan=False)]


class Bounds(BaseModel):
    """A frozen pair of bounds; the sub-class says how the ground between them is drawn."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="after")
    def _ordered(self) -> Bounds:
        low, high = self.bounds
        if not low < high:
            raise ValueError(f"low must be less than high; got [{low}, {high}]. Swap or widen the bounds.")
        if low <= 0 and isinstance(self, LogUniform | LogIntUniform):
            raise ValueError(f"a log range must lie above 0; got [{low}, {high}]. Raise low, or write `uniform`.")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """Low and high, both inside the range."""
        low, high = next(iter(self.model_dump().values()))
        return low, high


class Uniform(Bounds):
    """Real numbers, every stretch of equal length alike."""

    uniform: tuple[Number, Number]


class LogUniform(Bounds):
    """Positive real numbers, every stretch of equal ratio alike."""

    log_uniform: tuple[Number, Number]


class IntUniform(Bounds):
    """Whole numbers, all alike."""

    int_uniform: tuple[int, int]


class LogIntUniform(Bounds):
    """Whole numbers above 0, every stretch of equal ratio alike."""

    log_int_uniform: tuple[int, int]


class Choice(BaseModel):
    """One of several named options or numbers, without an order."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    choice: tuple[int | float | str, ...] = Field(min_length=2)


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


def inside(value: float | int | str, ground: object) -> bool:
    """Whether a value lies in a range, which may still be as it was written; in a fixed value if it is that one."""
    written = ground.model_dump() if isinstance(ground, BaseModel) else ground
    if not isinstance(written, dict):
        return written == value
    ((name, bounds),) = written.items()
    if name == "choice" or isinstance(value, str):
        return value in bounds
    return bool(bounds[0] <= value <= bounds[1])
