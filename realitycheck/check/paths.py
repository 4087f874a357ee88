"""Whether the files of a study can be where they are."""

from __future__ import annotations

from pathlib import Path

from realitycheck.check.rules.base import Found, rule
from realitycheck.protocol.document import Fault


@rule("study.study", path="made.path")
def path_is_text(_: str, *, path: Path) -> Found:
    """The path of the study is one that safetensors opens: else trainings end well, and no model can be scored."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        says = f"the path {str(path.absolute())!r} is not allowed: safetensors opens no path that is not UTF-8."
        yield Fault("path-not-text", f"{says} Rename its folder.")
