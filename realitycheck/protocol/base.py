"""The base class of everything read from a file, and the kinds of numbers and names in it.

Numbers have upper bounds far beyond any sensible value, so that a slip of the keyboard cannot exhaust a machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from pydantic_core import CoreSchema, core_schema

Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Size = Annotated[int, Field(ge=1, le=65_536)]
"""Widths, dimensions, and the images of a batch."""
Dims = Annotated[int, Field(ge=1, le=16_384)]
"""Embedding dimensions of a fold model; the originals have 64 to 512."""
Channels = Annotated[int, Field(ge=1, le=1_024)]
"""The width of a trunk's first layer; the deeper ones are multiples of it."""
Repeats = Annotated[int, Field(ge=1, le=10_000)]
"""How often something is trained."""
Pixels = Annotated[int, Field(ge=1, le=1_024)]
"""A side of an image; the originals have 224 to 256."""
Seed = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Text = Annotated[str, Field(max_length=4_096)]
"""A path or an address."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """Annotation of a text that must be a name of a menu: a `Literal` whose values the menu gives."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(list(self.names))


class FrozenSection(BaseModel):
    """The base of everything read from a file: frozen and strict; unknown keys are rejected.

    Its JSON holds every key, also those that a file left out, but for `options` that equal their default. These are
    keys that came after `runs.RESULTS_VERSION` was last raised, and entries of a menu that grows: an id does not depend
    on those that are not used.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    options: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        unused = {name for name in self.options if getattr(self, name) == fields[name].default}
        return {name: value for name, value in write(self).items() if name not in unused}
