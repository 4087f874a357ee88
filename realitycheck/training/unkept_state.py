"""What of a loss's state a checkpoint cannot hold, as far as a few steps show it."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import nn

from realitycheck.training.module_attributes import attributes_tree, outside_seal, restore_attributes
from realitycheck.training.value_trees import NotKept

STEPS = 2
"""What a loss keeps of the first step shows in the second."""


def unkept_state(
    addresses: Collection[str], *, build: Callable[[], nn.Module], step: Callable[[nn.Module], None]
) -> str | None:
    """Do what a run does around a kill, on a loss alone; return why it could not continue, or None.

    Args:
        addresses: of the classes that the loss is made of.
        build: makes the loss, always the same.
        step: calls it on a batch.
    """
    outside = outside_seal(addresses)
    loss = build()
    for _ in range(STEPS):
        step(loss)
    if outside_seal(addresses) != outside:
        return "a global of its file, or an attribute of its class, changes in `forward`"
    try:
        restore_attributes({"loss": build()}, attributes_tree({"loss": loss}), device=torch.device("cpu"))
    except NotKept as error:
        return str(error)
    return None
