"""The errors that a user can meet.

RealityCheckError
├── InputError      a protocol, study, dataset or argument is wrong: all its problems at once (exit code 2)
├── LedgerError     a record is damaged, or contradicts an earlier one
└── RunError        a training or a score could not be carried out on this machine
    └── Diverged    a training went numerically wrong: a result, recorded as such
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


class RealityCheckError(Exception):
    """The root of every error that this package raises on purpose."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with an input.

    Args:
        line: 1-based line of the file, or 0 where no line applies.
        where: dotted path of the value, such as `losses.contrastive.space.pos_margin`.
        says: what must hold, what it got, and what to do.
    """

    line: int
    where: str
    says: str

    def __str__(self) -> str:
        place = f"line {self.line}  " if self.line else ""
        return f"{place}{self.where}: {self.says}" if self.where else f"{place}{self.says}"


class InputError(RealityCheckError):
    """Input that must be mended before anything can run; carries every problem found."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems, key=_place))
        count = len(self.problems)
        head = f"{source} has {count} problem{'' if count == 1 else 's'}"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))

    def __reduce__(self) -> tuple[type[InputError], tuple[str, tuple[Problem, ...]]]:
        return type(self), (self.source, self.problems)


def _place(problem: Problem) -> tuple[object, ...]:
    """Order by line, and within a line as people count: a sentence can hold the lines of another file, 3 before 10."""
    return problem.line, _counted(problem.where), _counted(problem.says)


def _counted(text: str) -> list[tuple[int, str]]:
    """Text cut into words and numbers; a number with more digits is the larger one."""
    parts = re.split(r"([0-9]+)", text)
    return [(len(part.lstrip("0")), part.lstrip("0")) if place % 2 else (0, part) for place, part in enumerate(parts)]


class LedgerError(RealityCheckError):
    """Evidence that cannot be trusted: a damaged record, or two records of one id that differ."""


class RunError(RealityCheckError):
    """A job that this machine could not finish; it is an attempt, not a result."""


class Diverged(RunError):
    """A training that left the numbers: NaN, collapse, or a loss that raised. It is a result."""
