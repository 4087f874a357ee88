"""Protocols, ranges and example studies that come with the package; a home's own files of these names come first."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped_home(package: Path = _PACKAGE) -> Path | None:
    """The folder that holds the shipped `protocols/` and `studies/`; None where the package is without them.

    Args:
        package: the folder of the package: that of a wheel has a copy inside, in a checkout they are beside it.
    """
    inside = package / "shipped_files"
    if inside.is_dir():
        return inside
    return package.parent if (package.parent / "pyproject.toml").is_file() else None


def shipped_file(place: str) -> Path | None:
    """The shipped file of a place in a home, such as `protocols/quick.yaml`; None where there is none.

    Example:
        >>> from realitycheck.shipped import shipped_file
        >>> shipped_file("protocols/quick.yaml").name
        'quick.yaml'
    """
    home = shipped_home()
    try:
        return home / place if home is not None and (home / place).is_file() else None
    except (OSError, ValueError):  # a name that no file can have
        return None


def shipped_names(folder: str) -> list[str]:
    """The names of the shipped YAML files of a folder of a home, such as `protocols`, without their endings."""
    home = shipped_home()
    return sorted(path.stem for path in (home / folder).glob("*.yaml")) if home is not None else []
