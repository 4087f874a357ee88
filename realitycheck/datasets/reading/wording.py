"""How long lists are told: the first few, and how many more."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.errors import Problem

NAMES = 3
LINES = 10


def some(names: Sequence[str]) -> str:
    """`a, b, c and 2 more`."""
    told = ", ".join(names[:NAMES])
    return f"{told} and {len(names) - NAMES:,} more" if len(names) > NAMES else told


def few(problems: Sequence[Problem]) -> list[Problem]:
    """The first ten problems of a file, and how many more lines have one."""
    rest = len(problems) - LINES
    last = problems[LINES].line if rest > 0 else 0
    return [*problems[:LINES], *([Problem(last, "", f"this line and {rest - 1:,} more are wrong, too.")] * (rest > 0))]
