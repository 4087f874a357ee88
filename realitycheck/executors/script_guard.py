"""A script that starts child processes outside of `if __name__ == "__main__":` is refused before the first of them.

Every child imports the main module again, so that such a script would start itself in each of its children.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import FrameType

from realitycheck.errors import InputError

FIX = 'Put the call below `if __name__ == "__main__":`.'


def require_guard() -> None:
    """Check that the call is not in a script that its children would carry out again.

    Notebooks, interactive sessions and `python -c` have no file that children import.

    Raises:
        InputError: the main module is a file, and calls at a line that is not below the guard.
    """
    main = sys.modules["__main__"]
    line, file = _line_of_main(sys._getframe()), getattr(main, "__file__", None)
    if line is None or file is None or not Path(file).is_file():
        return
    if not is_guarded(Path(file).read_text(encoding="utf-8", errors="replace"), line):
        says = "missing guard: every training is a child process that imports this script. " + FIX
        raise InputError.one(Path(file).name, "script-unguarded", says, line=line)


def is_guarded(source: str, line: int) -> bool:
    """Whether a line of a script is inside a condition on `__name__`; also where the script cannot be parsed.

    Example:
        >>> from realitycheck.executors.script_guard import is_guarded
        >>> is_guarded("run()", 1), is_guarded("if __name__ == '__main__':\\n    run()", 2)
        (False, True)
    """
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):
        return True
    whole = [node for node in statements if node.lineno <= line <= (node.end_lineno or node.lineno)]
    return any(isinstance(node, ast.If) and _asks_for_name(node.test) for node in whole)


def _asks_for_name(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))


def _line_of_main(frame: FrameType | None) -> int | None:
    """The line of the main module that is being carried out; None where it is none of this thread."""
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals is vars(sys.modules["__main__"]):
            return frame.f_lineno
        frame = frame.f_back
    return None
