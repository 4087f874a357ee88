"""The menu of trunks: one line per trunk, readable without torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """What the house says of one trunk.

    Args:
        address: `module:Class` of the `nn.Module`.
        pretrained: whether it starts from learned weights, whose BatchNorm statistics are worth keeping.
    """

    address: str
    pretrained: bool


MENU: dict[str, Entry] = {
    "convnet": Entry("realitycheck.trunks.convnet:ConvNet", pretrained=False),
}
"""Name → entry. A protocol may use any other class by its address."""
