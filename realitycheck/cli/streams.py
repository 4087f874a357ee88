"""The streams of a command, whatever it was started with."""

from __future__ import annotations

import os
import sys
import traceback
from io import TextIOWrapper
from pathlib import Path

NUMBERS = {0: "stdin", 1: "stdout", 2: "stderr"}


def ready_streams() -> None:
    """Lead streams that were closed, as by `>&-` or cron, to nothing, and escape what an encoding does not have.

    Otherwise the next file that is opened would get the number of the closed stream, and what is printed.
    """
    for number, name in NUMBERS.items():
        _open(number)
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))
        elif number and isinstance(stream, TextIOWrapper) and stream.encoding.lower() not in ("utf-8", "utf8"):
            stream.reconfigure(errors="backslashreplace")  # of a locale such as C, which has no minus sign


def printed_to(error: OSError) -> str | None:
    """Return that standard output is the place of an error, where it names none and was raised while rich printed."""
    frames = traceback.extract_tb(error.__traceback__)
    printing = error.filename is None and frames and Path(frames[-1].filename).parent.name == "rich"
    return "standard output" if printing else None


def _open(number: int) -> None:
    """Open the null device under the number of a closed stream; all lower numbers are open."""
    try:
        os.fstat(number)
    except OSError:
        # Child processes need it as well: their pipes would get its number, and what a job prints.
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 - it takes no keywords
