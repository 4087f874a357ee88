"""Build a loss from its class and its knobs, and a wrapper from two classes."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

from realitycheck.errors import InputError, Problem
from realitycheck.losses.menu import MENU, parts

if TYPE_CHECKING:
    from torch import nn

OFFERED = ("num_classes", "embedding_dim", "embedding_size", "seed")
"""Arguments that a loss may take and that are filled in for it; they are not knobs."""

BASE = "base"
"""The argument by which a wrapper takes the loss that it wraps."""


def names() -> list[str]:
    """The menu. A wrapper is written with the loss that it wraps: `cross_batch_memory(contrastive)`."""
    return list(MENU)


def build(name: str, *, num_classes: int, embedding_dim: int, seed: int = 0, **knobs: float | int | str) -> nn.Module:
    """Build a loss of the menu, ready to be called with embeddings (B, D) and labels (B,).

    Args:
        name: a name of the menu, or `wrapper(name)`.
        num_classes: training classes C, for losses that learn one vector per class.
        embedding_dim: embedding dimensions D, likewise.
        seed: for losses that draw at random.
        knobs: all knobs of the loss.

    Raises:
        InputError: the loss is unknown, or a knob is missing or unknown.

    Example:
        Here both positive pairs are √2 apart and both close negative pairs 0: the loss is √2 + 1.

        >>> import torch
        >>> from realitycheck import losses
        >>> loss = losses.build("contrastive", num_classes=2, embedding_dim=2, pos_margin=0.0, neg_margin=1.0)
        >>> embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        >>> round(loss(embeddings, torch.tensor([0, 1, 0, 1])).item(), 4)
        2.4142
    """
    problems = [*_unknown(name)]
    if not problems:
        addresses = [MENU[part].address.partition(":") for part in parts(name)]
        classes = [getattr(import_module(module), class_name) for module, _, class_name in addresses]
        problems = [*_wrong_knobs(name, knobs, knobs_of(*classes))]
    if problems:
        raise InputError("losses.build", problems)
    return construct(*classes, num_classes=num_classes, embedding_dim=embedding_dim, seed=seed, knobs=knobs)


def _unknown(name: str) -> Iterator[Problem]:
    for part in parts(name):
        if part not in MENU:
            close = get_close_matches(part, MENU, n=1)
            fix = f"Did you mean '{close[0]}'?" if close else "See `realitycheck.losses.names()`."
            yield Problem(0, "name", f"unknown loss '{part}'. {fix}", "loss-unknown")


def _wrong_knobs(name: str, given: Collection[str], takes: Collection[str]) -> Iterator[Problem]:
    for knob in sorted({*given} - {*takes}):
        yield Problem(
            0, knob, f"unknown hyper-parameter of {name}: '{knob}'. Known: {', '.join(takes)}.", "knob-unknown"
        )
    for knob in sorted({*takes} - {*given}):
        yield Problem(0, knob, f"missing hyper-parameter of {name}; add `{knob}=…`.", "knob-missing")


def parameters_of(resolved: type) -> dict[str, inspect.Parameter]:
    """The constructor's arguments by name, through `**kwargs` down to the parents that take them.

    A child may give its parent what that requires; so the arguments of parents count as having a default.
    """
    own, *passed_on = _constructors(resolved) or [{}]
    parents = {
        name: parameter.replace(default=None) for taken in reversed(passed_on) for name, parameter in taken.items()
    }
    return parents | own


def knobs_of(*classes: type) -> dict[str, inspect.Parameter]:
    """The knobs that a loss takes, or a wrapper together with the loss that it wraps."""
    resolved, *inner = classes
    own = {name: parameter for name, parameter in parameters_of(resolved).items() if not (inner and name == BASE)}
    within = parameters_of(inner[0]) if inner else {}
    return {name: parameter for name, parameter in {**own, **within}.items() if name not in OFFERED}


def lengths_of(*classes: type) -> dict[str, int]:
    """The powers of length that a loss declares, or a wrapper together with the loss that it wraps; see `Loss.lengths`.

    A class by address declares none unless it has the attribute.
    """
    return {name: int(power) for kind in classes for name, power in getattr(kind, "lengths", {}).items()}


def construct(
    *classes: type[Any], num_classes: int, embedding_dim: int, seed: int, knobs: Mapping[str, float | int | str]
) -> nn.Module:
    """Build a loss, ready to be called with embeddings (B, D) and labels (B,).

    Args:
        classes: the class of the loss; for a wrapped loss the wrapper's first, and then that of the loss in it.
        num_classes: training classes C, for classes that take it.
        embedding_dim: D, as `embedding_dim` or `embedding_size`.
        seed: of what the loss draws at random.
        knobs: every knob of all classes.
    """
    resolved, *inner = classes
    sizes = (num_classes, embedding_dim, embedding_dim, seed)
    offered: dict[str, int | nn.Module] = dict(zip(OFFERED, sizes, strict=True))
    if inner:
        theirs = {name: value for name, value in knobs.items() if name in parameters_of(inner[0])}
        knobs = {name: value for name, value in knobs.items() if name not in theirs}
        offered[BASE] = construct(*inner, num_classes=num_classes, embedding_dim=embedding_dim, seed=seed, knobs=theirs)
    taken = {name: value for name, value in offered.items() if name in parameters_of(resolved)}
    module: nn.Module = resolved(**taken, **knobs)
    return module


def _constructors(resolved: type) -> list[dict[str, inspect.Parameter]]:
    """The named arguments of each `__init__` that a keyword can reach, the class's own first."""
    from torch import nn

    from realitycheck.losses.base import Loss

    reached = []
    for parent in resolved.__mro__:
        if parent in (Loss, nn.Module, object):
            break
        if "__init__" in vars(parent):
            named = list(inspect.signature(vars(parent)["__init__"]).parameters.values())[1:]
            reached.append({p.name: p for p in named if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)})
            if not any(p.kind is p.VAR_KEYWORD for p in named):
                break
    return reached
