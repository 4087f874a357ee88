"""A script that its own children would carry out again is refused before any of them starts."""

from __future__ import annotations

import subprocess
import sys

import pytest

from realitycheck.executors.script_guard import is_guarded

CALL = "from realitycheck.executors.script_guard import require_guard\n"


def answer(tmp_path, text: str) -> str:
    script = tmp_path / "mine.py"
    script.write_text(CALL + text)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    return done.stderr


@pytest.mark.parametrize("text", ["require_guard()", "def go():\n    require_guard()\n\n\ngo()"])
def test_a_script_without_a_guard_is_refused_at_the_line_of_its_call(tmp_path, text):
    assert "[script-unguarded]" in answer(tmp_path, text)
    assert f"line {(CALL + text).count(chr(10)) + 1} " in answer(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        'if __name__ == "__main__":\n    require_guard()',
        'def go():\n    require_guard()\n\n\nif "__main__" == __name__:\n    go()',
        "import threading\nthread = threading.Thread(target=require_guard)\nthread.start()\nthread.join()",
    ],
)
def test_a_guarded_call_and_one_of_another_thread_are_let_through(tmp_path, text):
    assert answer(tmp_path, text) == ""


def test_what_has_no_file_needs_no_guard():
    done = subprocess.run([sys.executable, "-c", CALL + "require_guard()"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("source", "line", "guarded"), [("if x:\n    go()", 2, False), ("go(", 1, True)])
def test_another_condition_is_no_guard_and_a_text_that_is_no_python_is_let_through(source, line, guarded):
    assert is_guarded(source, line) is guarded
