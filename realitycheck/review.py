"""What is wrong with the names and knobs of a study: every loss is held to its signature, and tried once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from realitycheck.catalog import (
    OFFERED,
    build_loss,
    middle_knobs,
    parameters_of,
    resolve_dataset,
    resolve_loss,
    resolve_trunk,
)
from realitycheck.errors import InputError, Problem
from realitycheck.protocol.model import LossChoice, Protocol
from realitycheck.protocol.parse import ReadStudy
from realitycheck.protocol.schema import nearest
from realitycheck.protocol.space import RATES
from realitycheck.trunks.menu import MENU as TRUNKS

if TYPE_CHECKING:
    from torch import nn

CLASSES, DIMS = 3, 4
"""Of the tiny loss and batch that `check` tries every loss with."""


def knob_problems(choice: LossChoice, protocol: Protocol) -> list[tuple[str, str]]:
    """What is wrong with a loss's space: pairs of a knob's name (empty for the loss itself) and a sentence.

    The loss is built and called once, tiny, with every knob in the middle of its range.
    """
    from torch import nn

    try:
        found = resolve_loss(choice.address)
    except InputError as error:
        return [("", problem.says) for problem in error.problems]
    if not issubclass(found, nn.Module):
        return [("", f"must be an nn.Module; got {found.__name__}, which is none. Name another class.")]
    named = list(_name_problems(choice, parameters_of(found)))
    return named or list(_built_problems(choice, protocol))


def study_problems(read: ReadStudy) -> list[Problem]:
    """What is wrong with the names and knobs of a study, with lines: its losses, datasets and trunk."""
    problems = [problem for choice in read.study.losses for problem in _loss_problems(read, choice)]
    for each in read.study.datasets:
        keys = ("datasets", each.name)
        problems += [read.lines.problem(keys, says) for says in _missing(resolve_dataset, each.address)]
    trunk = _missing(resolve_trunk, read.study.protocol.recipe.trunk.name)
    return problems + [read.protocol_problem(("recipe", "trunk", "name"), says) for says in trunk]


def study_warnings(read: ReadStudy) -> list[Problem]:
    """What is allowed but hardly meant."""
    recipe = read.study.protocol.recipe
    entry = TRUNKS.get(recipe.trunk.name)
    if recipe.batch_norm == "train" or entry is None or entry.pretrained:
        return []
    says = (
        f"should be `train` where the trunk starts from random weights; got {recipe.batch_norm}. "
        "Change it, or its statistics stay those of no data."
    )
    return [read.protocol_problem(("recipe", "batch_norm"), says)]


def _loss_problems(read: ReadStudy, choice: LossChoice) -> Iterator[Problem]:
    for knob, says in knob_problems(choice, read.study.protocol):
        yield (
            read.knob_problem(choice.label, knob, says) if knob else read.lines.problem(("losses", choice.label), says)
        )


def _missing(resolve: Callable[[str], type[Any]], name: str) -> list[str]:
    try:
        resolve(name)
    except InputError as error:
        return [problem.says for problem in error.problems]
    return []


def _name_problems(choice: LossChoice, parameters: Mapping[str, inspect.Parameter]) -> Iterator[tuple[str, str]]:
    takes = [name for name in parameters if name not in OFFERED]
    for knob in choice.space:
        if knob in OFFERED:
            yield knob, f"must be left to the house, which knows it; got {knob}. Remove it."
        elif knob not in RATES and knob not in takes:
            yield knob, f"must be a knob of {choice.address}; got '{knob}'. {nearest(knob, takes)}"
    for knob in takes:
        if knob not in choice.space and parameters[knob].default is inspect.Parameter.empty:
            says = f"must be given, {choice.address} has no default for it; got nothing. Add a range or a value."
            yield knob, says


def _built_problems(choice: LossChoice, protocol: Protocol) -> Iterator[tuple[str, str]]:
    from torch import random

    knobs = middle_knobs(choice.space)
    try:
        with random.fork_rng(devices=[]):
            random.manual_seed(0)
            loss = build_loss(choice.address, num_classes=CLASSES, embedding_dim=DIMS, knobs=knobs)
            wrong = _called_problem(loss)
    except Exception as error:  # a stranger's class may raise anything
        yield "", f"must work with {knobs}; got {type(error).__name__}: {error}. Mend its space."
        return
    if wrong:
        yield "", wrong
    learns = any(parameter.requires_grad for parameter in loss.parameters())
    told = protocol.recipe.optimizers.loss.lr is not None or "loss_lr" in protocol.search.shared
    if learns and not told and "loss_lr" not in choice.space:
        yield "loss_lr", "must be given, this loss has parameters of its own; got nothing. Add `loss_lr: …`."
    if not learns and "loss_lr" in choice.space:
        yield "loss_lr", "must be left out, this loss has no parameters; got a rate. Remove it."


def _called_problem(loss: nn.Module) -> str | None:
    """What is wrong with the loss's answer to a batch of random embeddings, each class four times."""
    import torch

    embeddings = torch.randn(4 * CLASSES, DIMS, requires_grad=True)
    value = loss(embeddings, torch.arange(CLASSES).repeat(4))
    if not isinstance(value, torch.Tensor) or value.shape != () or not value.isfinite():
        return f"must give one finite number for a batch; got {value!r}. Mend its forward."
    if not value.requires_grad:
        return "must give a number with a gradient; got one cut off from the embeddings. Mend its forward."
    return None
