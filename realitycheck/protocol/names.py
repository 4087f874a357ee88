"""Names of menus, and addresses `module:Class` in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from realitycheck.protocol.schema import nearest
from realitycheck.protocol.yaml_lines import Keys

Found = Iterator[tuple[Keys, str]]
"""Problems on their way: where, and what must hold."""

_ADDRESS = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*")


def is_address(name: str) -> bool:
    """Whether a name is an address, `module:Class`; else it is one of our menu."""
    return ":" in name


def known_problems(keys: Keys, name: str, menu: Mapping[str, object], kind: str) -> Found:
    """What is wrong with a name that must be on a menu, or an address."""
    if is_address(name) and not _ADDRESS.fullmatch(name):
        yield keys, f"must be an address `module:Class`; got '{name}'. Write it as in `my_lab.losses:MyLoss`."
    if not is_address(name) and name not in menu:
        says = f"must be a {kind} of the menu; got '{name}'. {nearest(name, list(menu))}"
        yield keys, f"{says} For your own, write module:Class."
