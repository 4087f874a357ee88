"""The files of a report, each published whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from realitycheck.atomic import draft_of, publish


def write_texts(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write texts by file name, and return their paths in the order written; files of the same names are replaced."""
    return [_write(folder / name, text) for name, text in texts.items()]


def _write(path: Path, text: str) -> Path:
    with draft_of(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")
        publish(draft, path)
    return path
