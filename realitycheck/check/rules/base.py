"""What a rule is, and the four forms of what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from realitycheck.catalog import is_address
from realitycheck.check.needs import NeedPath, parse_need
from realitycheck.protocol.document import Fault
from realitycheck.protocol.validation import nearest

ALONE = {"protocol": {"protocol", "file"}, "spaces": {"spaces"}}
"""File → the roots of the needs of a rule whose problems belong to that file by itself."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a rule made for the rules after it."""

    value: Any


Found = Iterator[Fault | Made]
"""What a rule yields. The keys of a fault are relative to the first need."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A check, and what it needs.

    Args:
        check: called with the value of the first need, and with those of the others by their names.
        names: of the arguments for the needs after the first.
        needs: one tuple for each place that it is used at; problems are at the first need of the tuple.
        makes: the name of what it makes, such as `made.<dataset>.images`; empty where it makes nothing.
        refuses: whether a value with a problem is missing for the rules after it.
    """

    check: Callable[..., Found]
    names: tuple[str, ...]
    needs: tuple[tuple[NeedPath, ...], ...]
    makes: str
    refuses: bool

    def results(self, values: Sequence[Any]) -> Found:
        """What the check yields for the values of its needs."""
        first, *others = values
        return self.check(first, **dict(zip(self.names, others, strict=True)))

    def file_alone(self, needs: Sequence[NeedPath]) -> str:
        """The file that problems belong to by itself: `protocol` or `spaces`; empty where it is the study."""
        roots = {need.root for need in needs if not need.root.startswith("<")}
        if any(need.by_dataset for need in needs):
            return ""
        return next((file for file, allowed in ALONE.items() if needs[0].root == file and roots <= allowed), "")


def rule(
    at: str, *, makes: str = "", refuses: bool = True, **needs: str
) -> Callable[[Callable[..., Found] | Rule], Rule]:
    """Declare what a check needs: it runs where every need is sound. Used twice, it runs at both places.

    Args:
        at: the need that its problems are at; its value is the first argument of the check.
        makes: the name of what it makes, such as `made.<dataset>.images`.
        refuses: False where the value is sound by itself, and later rules may use it.
        needs: its other needs, by the names of the check's arguments.
    """
    parsed = (parse_need(at), *(parse_need(need) for need in needs.values()))

    def decorate(check: Callable[..., Found] | Rule) -> Rule:
        if not isinstance(check, Rule):
            return Rule(check, tuple(needs), (parsed,), makes, refuses)
        assert check.names == tuple(needs), f"{check.check.__name__}: the same arguments at every place"
        return replace(check, needs=(parsed, *check.needs))

    return decorate


def rules_of(*modules: ModuleType) -> list[Rule]:
    """The rules of some modules, in their order."""
    return [value for module in modules for value in vars(module).values() if isinstance(value, Rule)]


def missing(code: str, key: str, *keys: str | int, example: str = "…", because: str = "") -> Fault:
    """A key that must be given; `because` says when."""
    reason = f": {because}" if because else ""
    return Fault(code, f"missing key{reason}; add `{key}: {example}`.", (*keys, key))


def unknown(code: str, kind: str, name: str, known: Sequence[str], *keys: str | int) -> Fault:
    """A name that is not among the known ones."""
    return Fault(code, f"unknown {kind} '{name}'. {nearest(name, known)}", keys)


def not_allowed(code: str, what: str, because: str, fix: str, *keys: str | int) -> Fault:
    """A value that is valid elsewhere."""
    return Fault(code, f"{what} is not allowed here: {because}. {fix}", keys)


def out_of_range(code: str, got: object, must: str, *keys: str | int, fix: str = "") -> Fault:
    """A number that is too small or too large; `fix` where there is more to do than what `must` says."""
    return Fault(code, f"{got} is out of range: it must {must}. {fix}".rstrip(), keys)


def raise_own(error: Exception, name: str) -> None:
    """Raise a programming error in a class of a menu; those in a class by address are its author's, and reported."""
    if not is_address(name) and isinstance(error, AttributeError | NameError | TypeError):
        raise error


def cause_of(error: Exception) -> str:
    """An exception of a class of a study's author, in a message."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # its own `__str__` fails
        return type(error).__name__
