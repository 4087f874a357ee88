"""Every code of a problem is explained in docs/problems.md, and every code there is one of the package."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import realitycheck
from realitycheck.errors import Problem

PACKAGE = Path(realitycheck.__file__).parent
PAGE = PACKAGE.parent / "docs" / "problems.md"

RAISING = {
    *("Problem", "one", "Fault", "Refused", "Unreadable", "problem", "protocol_problem", "knob_problem"),
    *("missing", "unknown", "not_allowed", "out_of_range", "PydanticCustomError", "_Wording", "_spoil", "_refuse"),
    *("Warned", "holds", "Unaccounted"),
}
"""Calls that carry the code of a problem."""


def codes(path: Path) -> Iterator[str]:
    """The codes that the calls of a module carry."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            texts = [
                value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)
            ]
            yield from (text for text in texts if name in RAISING and re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", text))


def documented() -> list[str]:
    return re.findall(r"^\| `([a-z0-9-]+)` \| \S", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_page_lists_the_codes_of_the_package():
    used = {code for path in PACKAGE.rglob("*.py") for code in codes(path)}
    assert len(used) > 150
    assert sorted(used - set(documented())) == [], "explain these in docs/problems.md"
    assert sorted(set(documented()) - used) == [], "remove these from docs/problems.md"


def test_no_code_is_explained_twice():
    assert len(documented()) == len(set(documented()))


def test_a_code_ends_the_message():
    assert str(Problem(3, "seed", "missing key; add `seed: …`.", "key-missing")).endswith(" [key-missing]")
