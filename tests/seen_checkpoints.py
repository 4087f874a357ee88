"""The checkpoints of a study that is at work: files that appear, are replaced and vanish at any time."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def checkpoints(study: Path) -> set[tuple[str, int]]:
    """Name and time of each; one that vanishes between the two looks is left out, as is the whole folder."""
    found = set()
    with suppress(FileNotFoundError):
        for path in sorted((study.parent / study.stem / "cache" / "checkpoints").iterdir()):
            if path.suffix == ".safetensors" and not path.name.startswith("."):
                with suppress(FileNotFoundError):
                    found.add((path.name, path.stat().st_mtime_ns))
    return found
