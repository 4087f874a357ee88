"""What a verification has checked, what does not hold, and what could not be checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from realitycheck.errors import Problem


@dataclass(slots=True)
class Checks:
    """The running result of a verification.

    Args:
        counted: what was checked → how often.
        problems: what does not hold, in the order in which it was checked.
        unchecked: what could not be checked, one sentence each.
    """

    counted: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def count(self, what: str, number: int = 1) -> None:
        """Count things that were checked."""
        self.counted[what] += number

    def problem(self, where: str, code: str, says: str) -> None:
        """Add a thing that does not hold; the same one is kept once."""
        failing = Problem(0, where, says, code)
        if failing not in self.problems:
            self.problems.append(failing)

    def skip(self, says: str) -> None:
        """Add a thing that could not be checked; the same one is kept once."""
        if says not in self.unchecked:
            self.unchecked.append(says)

    def add(self, other: Checks) -> None:
        """Add the results of another verification."""
        self.counted += other.counted
        self.problems += [problem for problem in other.problems if problem not in self.problems]
        self.unchecked += [says for says in other.unchecked if says not in self.unchecked]

    def holds(self, condition: object, *, what: str, where: str, code: str, says: str) -> None:
        """Count one check, and add a problem where its condition is false."""
        self.count(what)
        if not condition:
            self.problem(where, code, says)


def shortened(record: str) -> str:
    """The first digits of a digest."""
    return record[:12]


def few(names: Iterable[str], *, shown: int = 3) -> str:
    """The first names, and how many more there are."""
    known = list(names)
    rest = len(known) - shown
    return ", ".join(known[:shown]) + (f" and {rest} more" if rest > 0 else "")
