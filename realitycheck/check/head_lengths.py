"""What a protocol's head and a loss's formula say of lengths, before any image is read."""

from __future__ import annotations

from realitycheck.catalog import resolve_loss, trunk_width
from realitycheck.losses.build import lengths_of
from realitycheck.protocol.model import LossChoice, Protocol
from realitycheck.protocol.units import initial_length, powers_of


def head_length(protocol: Protocol) -> float | None:
    """The initial embedding length of a fold model, or None where it depends on the images."""
    recipe = protocol.recipe
    if recipe.layer_norm == "none":
        return None
    return initial_length(recipe, width=trunk_width(recipe.trunk), dims=protocol.embedding_dim)


def length_powers(protocol: Protocol, choice: LossChoice, dataset: str) -> dict[str, int]:
    """Hyper-parameter of a loss's space → its power of length, of those that are lengths."""
    return powers_of(protocol.space_of(choice, dataset), lengths_of(*resolve_loss(choice.address)))
