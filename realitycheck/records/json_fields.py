"""The fields of a JSON object, of which none may be missing or unknown."""

from __future__ import annotations

from typing import Any, TypeVar

from realitycheck.errors import LedgerError

T = TypeVar("T")

_MISSING: Any = object()


class JsonFields:
    """The fields of one JSON object, taken one by one; what is left in the end is unknown."""

    def __init__(self, body: Any, name: str) -> None:
        if not isinstance(body, dict):
            raise LedgerError(f"{name} must be a JSON object, not {type(body).__name__}.")
        self.left: dict[str, Any] = dict(body)
        self.name = name

    def take(self, key: str, kind: type[T]) -> T:
        """The value of a field of this type."""
        value = self.left.pop(key, _MISSING)
        if value is _MISSING:
            raise LedgerError(f"{self.name} lacks the field `{key}`.")
        if type(value) is not kind and not is_a(value, kind):
            raise LedgerError(f"{self.name}: `{key}` must be {kind.__name__}, not {type(value).__name__}.")
        return value  # type: ignore[no-any-return]

    def maybe(self, key: str, kind: type[T]) -> T | None:
        """As `take`; None where the value is null."""
        if self.left.get(key, _MISSING) is None:
            del self.left[key]
            return None
        return self.take(key, kind)

    def end(self) -> None:
        """Refuse what was not taken."""
        if self.left:
            raise LedgerError(f"{self.name} has unknown fields: {', '.join(sorted(self.left))}.")


def is_a(value: Any, kind: type) -> bool:
    """Whether a JSON value is of this type: an integer is also a float, but a boolean is neither."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)
