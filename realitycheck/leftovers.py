"""Remove what killed processes left behind, beside others that live."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

from realitycheck.atomic import DRAFT
from realitycheck.claims import CLAIM
from realitycheck.processes import is_alive, this_machine

DAY = 86_400.0
"""A draft of another machine that is older than this was left: a file is written to all the time."""

FRESH_SECONDS = 60.0
"""A younger empty folder may be about to be written into."""

_WRITER = re.compile(r"\..*\.(?P<here>[0-9a-f]{8})-(?P<process>[0-9]{1,10})\.[0-9a-f]{8}\.partial", re.DOTALL)


def sweep(folder: Path) -> list[Path]:
    """Remove what killed processes left below a folder: their drafts and claims, and then folders that are empty.

    A draft names its process. That of a process of this machine is removed when the process is gone, and that of
    another machine, or of a release that named none, a day after it was written to. Live processes may write meanwhile.

    Returns:
        What was removed.
    """
    gone = []
    for top, _, names in os.walk(folder, topdown=False):
        for path in (Path(top, name) for name in names if name.startswith(".")):
            with suppress(OSError):
                if _is_left(path):
                    path.unlink()
                    gone.append(path)
        with suppress(OSError):  # only an empty folder can be removed
            if Path(top) != folder and time.time() - Path(top).stat().st_mtime > FRESH_SECONDS:
                Path(top).rmdir()
                gone.append(Path(top))
    return gone


def _is_left(path: Path) -> bool:
    """Whether a file is a draft or a claim of a process that is gone."""
    if not path.name.endswith((DRAFT, CLAIM)):
        return False
    age = time.time() - path.stat().st_mtime
    written = _WRITER.fullmatch(path.name)
    if written is None or written["here"] != this_machine():
        return age > DAY
    return not is_alive(int(written["process"]))
