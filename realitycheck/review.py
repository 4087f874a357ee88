"""What is wrong with the names and knobs of a study, and what in it is hardly meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from realitycheck.catalog import resolve_dataset, resolve_trunk
from realitycheck.errors import InputError, Problem
from realitycheck.loss_review import knob_problems
from realitycheck.losses.menu import parts
from realitycheck.protocol.model import DatasetChoice, LossChoice, Protocol
from realitycheck.protocol.parse import ReadStudy
from realitycheck.protocol.published import differences, published
from realitycheck.trunks.menu import MENU as TRUNKS


def study_problems(read: ReadStudy) -> list[Problem]:
    """What is wrong with the names and knobs of a study, with lines: its losses, datasets and trunk."""
    problems = [problem for choice in read.study.losses for problem in _loss_problems(read, choice)]
    for each in read.study.datasets:
        keys = ("datasets", each.name)
        problems += [read.lines.problem(keys, says) for says in _missing(resolve_dataset, each.address)]
    trunk = _missing(resolve_trunk, read.study.protocol.recipe.trunk.name)
    problems += [read.protocol_problem(("recipe", "trunk", "name"), says) for says in trunk]
    small = [] if trunk else _size_problems(read.study.protocol)
    return problems + [read.protocol_problem(("recipe", "image_size"), says) for says in small]


def _size_problems(protocol: Protocol) -> list[str]:
    """Whether the trunk takes images of the recipe's size: it is shown two empty ones."""
    import torch

    recipe = protocol.recipe
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            trunk = resolve_trunk(recipe.trunk.name)(channels=recipe.trunk.channels, in_channels=1)
            trunk.eval()(torch.zeros(2, 1, recipe.image_size, recipe.image_size))
    except Exception as error:  # a stranger's trunk may raise anything
        return [f"must be a size that {recipe.trunk.name} takes; got {recipe.image_size}: {error}. Raise it."]
    return []


def study_warnings(read: ReadStudy) -> list[Problem]:
    """What is allowed but hardly meant."""
    keys = ("recipe", "batch_norm")
    found = [read.protocol_problem(keys, says) for says in _batch_norm_warnings(read.study.protocol)]
    for choice in read.study.losses:
        found += [read.lines.problem(("losses", choice.label), says) for says in _setting_warnings(read, choice)]
    return found


def _batch_norm_warnings(protocol: Protocol) -> Iterator[str]:
    entry = TRUNKS.get(protocol.recipe.trunk.name)
    if protocol.recipe.batch_norm != "train" and entry is not None and not entry.pretrained:
        yield (
            f"should be `train` where the trunk starts from random weights; got {protocol.recipe.batch_norm}. "
            "Change it, or its statistics stay those of no data."
        )


def _setting_warnings(read: ReadStudy, choice: LossChoice) -> Iterator[str]:
    """Where a search begins with a setting that was published for another recipe."""
    if choice.published is None:
        return
    protocol, setting = read.study.protocol, read.setting(choice.label)
    found = published()[parts(choice.address)[0]][setting]
    told = differences(found.belongs, protocol, protocol.batches.of(choice.family))
    if told:
        yield f"the published setting '{setting}' belongs to {', '.join(told)} ({found.source})."


def _loss_problems(read: ReadStudy, choice: LossChoice) -> Iterator[Problem]:
    found = [each for data in read.study.datasets for each in _problems_on(read, choice, data)]
    for knob, says in dict.fromkeys(found):
        yield (
            read.knob_problem(choice.label, knob, says) if knob else read.lines.problem(("losses", choice.label), says)
        )


def _missing(resolve: Callable[[str], type[Any]], name: str) -> list[str]:
    try:
        resolve(name)
    except InputError as error:
        return [problem.says for problem in error.problems]
    return []


def _problems_on(read: ReadStudy, choice: LossChoice, data: DatasetChoice) -> list[tuple[str, str]]:
    return knob_problems(choice, read.study.protocol, dataset=data.name)
