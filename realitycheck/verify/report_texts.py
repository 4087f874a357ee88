"""The texts of a report's files, whatever somebody made of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from realitycheck.verify.checks import Checks

OF_ANOTHER_KIND = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What reading a JSON file of another layout raises."""


def read_texts(folder: Path, names: Iterable[str], checks: Checks) -> dict[str, str]:
    """Name → text of the files that are there; bytes that are no UTF-8 are a problem, and the rest is read."""
    texts = {}
    for name in names:
        try:
            content = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        try:
            texts[name] = content.decode("utf-8")
        except UnicodeDecodeError as error:
            says = f"byte {error.start} is no UTF-8 text. `report` writes the file again."
            checks.problem(name, "report-incomplete", says)
            texts[name] = content.decode("utf-8", errors="replace")
    return {name: text.replace("\r\n", "\n") for name, text in texts.items()}
