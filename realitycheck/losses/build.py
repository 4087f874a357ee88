"""A loss out of its class and its knobs; a wrapper out of two classes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from realitycheck.errors import InputError, Problem
from realitycheck.losses.menu import MENU, parts

if TYPE_CHECKING:
    from torch import nn

OFFERED = ("num_classes", "embedding_dim", "embedding_size", "seed")
"""Arguments of a loss that the house fills in for those that ask; never knobs."""

BASE = "base"
"""The argument by which a wrapper takes the loss that it wraps."""


def names() -> list[str]:
    """The menu. A wrapper is written with the loss that it wraps: `cross_batch_memory(contrastive)`."""
    return list(MENU)


def build(name: str, *, num_classes: int, embedding_dim: int, seed: int = 0, **knobs: float | int | str) -> nn.Module:
    """A loss of the menu, ready to be called with embeddings (B, D) and labels (B,).

    Args:
        name: a name of the menu, or `wrapper(name)`.
        num_classes: training classes C, for losses that learn one vector per class.
        embedding_dim: embedding dimensions D, likewise.
        seed: for losses that draw at random.
        knobs: the loss's own knobs, every one of them.

    Raises:
        InputError: there is no such loss, or a knob is missing or unknown.

    Example:
        Here both positive pairs are √2 apart and both close negative pairs 0: the loss is √2 + 1.

        >>> import torch
        >>> from realitycheck import losses
        >>> loss = losses.build("contrastive", num_classes=2, embedding_dim=2, pos_margin=0.0, neg_margin=1.0)
        >>> embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        >>> round(loss(embeddings, torch.tensor([0, 1, 0, 1])).item(), 4)
        2.4142
    """
    missing = [part for part in parts(name) if part not in MENU]
    if missing:
        says = f"must be one of {', '.join(MENU)}; got '{missing[0]}'."
        raise InputError("losses.build", [Problem(0, "name", says)])
    addresses = [MENU[part].address.partition(":") for part in parts(name)]
    classes = [getattr(import_module(module), found) for module, _, found in addresses]
    asked = set(knobs_of(*classes))
    if set(knobs) != asked:
        says = f"must be {sorted(asked)} for {name}; got {sorted(knobs)}."
        raise InputError("losses.build", [Problem(0, "knobs", says)])
    return construct(*classes, num_classes=num_classes, embedding_dim=embedding_dim, seed=seed, knobs=knobs)


def parameters_of(found: type) -> dict[str, inspect.Parameter]:
    """The constructor's arguments by name, through `**kwargs` down to the parents that take them.

    What a parent demands, its child may give it; so the parents' arguments count as having a default.
    """
    own, *passed_on = _constructors(found) or [{}]
    parents = {name: each.replace(default=None) for taken in reversed(passed_on) for name, each in taken.items()}
    return parents | own


def knobs_of(*classes: type) -> dict[str, inspect.Parameter]:
    """The knobs that a loss takes, or a wrapper together with the loss that it wraps."""
    found, *inner = classes
    own = {name: each for name, each in parameters_of(found).items() if not (inner and name == BASE)}
    within = parameters_of(inner[0]) if inner else {}
    return {name: each for name, each in {**own, **within}.items() if name not in OFFERED}


def construct(
    *classes: type[Any], num_classes: int, embedding_dim: int, seed: int, knobs: Mapping[str, float | int | str]
) -> nn.Module:
    """A loss, ready to be called with embeddings (B, D) and labels (B,).

    Args:
        classes: the class of the loss; for a wrapped loss the wrapper's first, and then that of the loss in it.
        num_classes: training classes C, offered to those that ask for it.
        embedding_dim: D, offered as `embedding_dim` or `embedding_size`.
        seed: of what the loss draws at random, offered likewise.
        knobs: every knob of all classes.
    """
    found, *inner = classes
    sizes = (num_classes, embedding_dim, embedding_dim, seed)
    offered: dict[str, int | nn.Module] = dict(zip(OFFERED, sizes, strict=True))
    if inner:
        theirs = {name: value for name, value in knobs.items() if name in parameters_of(inner[0])}
        knobs = {name: value for name, value in knobs.items() if name not in theirs}
        offered[BASE] = construct(*inner, num_classes=num_classes, embedding_dim=embedding_dim, seed=seed, knobs=theirs)
    asked = {name: value for name, value in offered.items() if name in parameters_of(found)}
    module: nn.Module = found(**asked, **knobs)
    return module


def _constructors(found: type) -> list[dict[str, inspect.Parameter]]:
    """The named arguments of each `__init__` that a keyword can reach, the class's own first."""
    from torch import nn

    from realitycheck.losses.base import Loss

    reached = []
    for parent in found.__mro__:
        if parent in (Loss, nn.Module, object):
            break
        if "__init__" in vars(parent):
            named = list(inspect.signature(vars(parent)["__init__"]).parameters.values())[1:]
            reached.append({p.name: p for p in named if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)})
            if not any(p.kind is p.VAR_KEYWORD for p in named):
                break
    return reached
