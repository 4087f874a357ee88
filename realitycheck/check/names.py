"""What is wrong with the names and knobs of a study, and what in it is hardly meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from realitycheck.catalog import build_trunk, resolve_dataset, resolve_trunk
from realitycheck.check.losses import knob_problems
from realitycheck.errors import InputError, Problem
from realitycheck.losses.menu import parts
from realitycheck.protocol.model import LossChoice, Protocol
from realitycheck.protocol.paper_settings import differences, published
from realitycheck.protocol.parse import ReadStudy
from realitycheck.protocol.recipe import Recipe
from realitycheck.protocol.salvage import passing_gaps
from realitycheck.protocol.yaml_lines import Keys
from realitycheck.trunks.menu import MENU as TRUNKS


def study_problems(read: ReadStudy) -> list[Problem]:
    """What is wrong with the names and knobs of a study, with lines: its losses, datasets and trunk."""
    study = read.study
    problems: list[Problem] = []
    for choice in study.losses:
        with passing_gaps():
            problems += _loss_problems(read, choice)
    for each in study.datasets:
        says = _missing(resolve_dataset, each.address)
        problems += [read.lines.problem(("datasets", each.name), told) for told in says]
    with passing_gaps():
        problems += _trunk_problems(read, study.protocol.recipe, ("recipe",))
    for each in study.datasets:
        with passing_gaps():
            other = study.protocol.on.get(each.address)
            if other is not None and other.trunk is not None:
                problems += _trunk_problems(read, study.protocol_on(each.name).recipe, ("on", each.address))
    return problems


def _trunk_problems(read: ReadStudy, recipe: Recipe, keys: Keys) -> Iterator[Problem]:
    """Whether there is such a trunk, and whether it takes images of the recipe's size: it is shown two empty ones.

    `keys` is where trunk and size stand: in the recipe, or where a dataset has others.
    """
    import torch

    name, size = recipe.trunk.name, recipe.image_size
    if missing := _missing(resolve_trunk, name):
        yield from (read.protocol_problem((*keys, "trunk", "name"), says) for says in missing)
        return
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            trunk = build_trunk(recipe.trunk, in_channels=1)
            trunk.eval()(torch.zeros(2, 1, size, size))
    except InputError as error:
        yield from (read.protocol_problem((*keys, "trunk"), each.says) for each in error.problems)
    except Exception as error:  # a stranger's trunk may raise anything
        says = f"must be a size that {name} takes; got {size}: {error}. Raise it."
        yield read.protocol_problem((*keys, "image_size"), says)


def study_warnings(read: ReadStudy) -> list[Problem]:
    """What is allowed but hardly meant."""
    keys = ("recipe", "batch_norm")
    found = [read.protocol_problem(keys, says) for says in _batch_norm_warnings(read.study.protocol)]
    for choice in read.study.losses:
        found += [read.lines.problem(("losses", choice.label), says) for says in _setting_warnings(read, choice)]
    return found


def _batch_norm_warnings(protocol: Protocol) -> Iterator[str]:
    trunk = protocol.recipe.trunk
    if protocol.recipe.batch_norm != "train" and trunk.name in TRUNKS and trunk.weights is None:
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
    protocol, refused = read.study.protocol, sorted(read.refused_knobs(choice.label))
    datasets = [each.name for each in read.study.datasets] or [""]  # none may be left of a file that is wrong
    found = [each for name in datasets for each in knob_problems(choice, protocol, dataset=name, refused=refused)]
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
