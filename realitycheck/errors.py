"""The errors that a user can get.

RealityCheckError
├── InputError      a protocol, study, dataset or argument is invalid: all its problems at once (exit code 2)
├── LedgerError     a record is damaged, or contradicts an earlier one
├── StorageError    a file could not be read or written: no space, no permission, a name too long
└── RunError        a training or a score that this machine could not finish
    └── Diverged    a training that diverged: a result, recorded as such
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


class RealityCheckError(Exception):
    """The root of every error that this package raises on purpose."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem of an input.

    Args:
        line: 1-based line of the file, or 0 where no line applies.
        where: dotted path of the value, such as `losses.contrastive.space.pos_margin`.
        says: what is wrong, then the fix.
        code: a short stable name of this kind of problem, such as `knob-unknown`, by which tests and people find it.
    """

    line: int
    where: str
    says: str
    code: str

    def __str__(self) -> str:
        place = f"line {self.line}  " if self.line else ""
        says = printable(self.says, keep="\n")
        text = f"{place}{printable(self.where)}: {says}" if self.where else f"{place}{says}"
        return f"{text} [{self.code}]" if self.code else text  # without one inside the message of another problem


class InputError(RealityCheckError):
    """Input that must be corrected before anything can run, with every problem."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems, key=_place))
        count = len(self.problems)
        head = f"{source} has {count} problem{'' if count == 1 else 's'}"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))

    @classmethod
    def one(cls, source: str, code: str, says: str, *, where: str = "", line: int = 0) -> InputError:
        """The error of a single problem; see `Problem` for the arguments."""
        return cls(source, [Problem(line, where, says, code)])

    def __reduce__(self) -> tuple[type[InputError], tuple[str, tuple[Problem, ...]]]:
        return type(self), (self.source, self.problems)


def first_few(names: Sequence[str], *, shown: int = 3) -> str:
    """The first names, and how many more there are: `a, b, c and 4 more`; `none` where there are none."""
    rest = len(names) - shown
    text = ", ".join(printable(name) for name in names[:shown])
    return f"{text} and {rest} more" if rest > 0 else text or "none"


def printable(text: str, *, keep: str = "") -> str:
    """A text in which line breaks, control characters and bytes that are not UTF-8 are escaped, as in `a\\x1b.png`."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter in keep else ascii(letter)[1:-1] for letter in text)


def _place(problem: Problem) -> tuple[object, ...]:
    """Sort key: by line, then by text with its numbers in numerical order, such as line 3 before line 10."""
    return problem.line, _counted(problem.where), _counted(problem.says)


def _counted(text: str) -> list[tuple[int, str]]:
    """Text split into words and numbers; a number with more digits is larger."""
    parts = re.split(r"([0-9]+)", text)
    return [(len(part.lstrip("0")), part.lstrip("0")) if place % 2 else (0, part) for place, part in enumerate(parts)]


class LedgerError(RealityCheckError):
    """A damaged record, or two records of one id that differ."""


class StorageError(RealityCheckError, OSError):
    """A file or folder that this machine could not read or write. It has no `errno`: its message says everything."""


class RunError(RealityCheckError):
    """A job that this machine could not finish. It is an attempt, not a result."""


class Diverged(RunError):
    """A training that diverged: NaN, collapse, or an exception of the loss. It is a result."""
