"""The base of everything read from a file, and the kinds of numbers in it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]


class Promise(BaseModel):
    """The base of everything read from a file: frozen, strict, and deaf to unknown keys.

    `options` are fields that a file may leave out. Where one has its default it is not written, so that an id does not
    depend on options that are not used.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    options: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = type(self).model_fields
        unused = {name for name in self.options if getattr(self, name, None) == fields[name].default}
        return {name: value for name, value in write(self).items() if name not in unused}
