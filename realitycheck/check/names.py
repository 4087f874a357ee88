"""The datasets and trunks of a study against their classes; and what is allowed but probably not meant."""

from __future__ import annotations

from collections.abc import Iterator

from realitycheck.catalog import build_trunk, resolve_dataset, resolve_trunk
from realitycheck.check.head_lengths import head_length
from realitycheck.check.inert_ranges import range_problems
from realitycheck.check.possible_verdicts import verdict_warnings
from realitycheck.check.rules.base import Found, not_allowed, raise_own, rule
from realitycheck.errors import InputError, Problem
from realitycheck.losses.menu import parts
from realitycheck.protocol.document import Fault
from realitycheck.protocol.model import LossChoice, Protocol
from realitycheck.protocol.paper_settings import differences, published
from realitycheck.protocol.read import ReadStudy
from realitycheck.protocol.recipe import TrunkChoice
from realitycheck.search.samplers.menu import MENU as SAMPLERS
from realitycheck.trunks.menu import MENU as TRUNKS

MOST_RANDOM = 0.75
"""Above this share of start-up trials a search is mostly a random one."""

BATCH = 2
"""Images of the empty batch that a trunk is tried with."""


@rule("dataset.address")
def dataset_is_a_dataset(address: str) -> Found:
    """A dataset can be imported, and is a `Dataset`."""
    from realitycheck.datasets.base import Dataset

    try:
        resolved = resolve_dataset(address)
    except InputError as error:
        yield from (Fault(problem.code, problem.says) for problem in error.problems)
        return
    if not issubclass(resolved, Dataset):
        because = "a dataset must derive from `realitycheck.datasets.base.Dataset`"
        yield not_allowed("dataset-class", f"the class {resolved.__name__}", because, "Name another class.")


@rule("protocol.recipe.trunk.name")
@rule("protocol@<dataset>.recipe.trunk.name")
def trunk_is_a_trunk(name: str) -> Found:
    """A trunk can be imported, and is a `Trunk`."""
    from realitycheck.trunks.base import Trunk

    try:
        resolved = resolve_trunk(name)
    except InputError as error:
        yield from (Fault(problem.code, problem.says) for problem in error.problems)
        return
    if not issubclass(resolved, Trunk):
        because = "a trunk must derive from `realitycheck.trunks.base.Trunk`"
        yield not_allowed("trunk-class", f"the class {resolved.__name__}", because, "Name another class.")


@rule(
    "keys(protocol.recipe.trunk)",
    name="protocol.recipe.trunk.name",
    channels="protocol.recipe.trunk.channels",
    model="protocol.recipe.trunk.model",
)
@rule(
    "keys(protocol@<dataset>.recipe.trunk)",
    name="protocol@<dataset>.recipe.trunk.name",
    channels="protocol@<dataset>.recipe.trunk.channels",
    model="protocol@<dataset>.recipe.trunk.model",
)
def trunk_has_its_options(_: object, *, name: str, channels: int | None, model: str | None) -> Found:
    """A trunk is given the options that it takes, and no other."""
    try:
        build_trunk(TrunkChoice(name=name, channels=channels, model=model), in_channels=1)
    except InputError as error:
        yield from (Fault(problem.code, problem.says, _option(problem)) for problem in error.problems)
    except Exception as error:  # the class of a study's author may raise anything
        raise_own(error, name)
        says = f"cannot build the trunk: {type(error).__name__}: {error}. Correct its options or its constructor."
        yield Fault("trunk-build", says, ("name",))


@rule(
    "protocol.recipe.image_size",
    refuses=False,
    name="protocol.recipe.trunk.name",
    channels="protocol.recipe.trunk.channels",
    model="protocol.recipe.trunk.model",
)
@rule(
    "protocol@<dataset>.recipe.image_size",
    refuses=False,
    name="protocol@<dataset>.recipe.trunk.name",
    channels="protocol@<dataset>.recipe.trunk.channels",
    model="protocol@<dataset>.recipe.trunk.model",
)
def trunk_takes_the_size(size: int, *, name: str, channels: int | None, model: str | None) -> Found:
    """A trunk takes images of the recipe's size: it is tried with empty ones."""
    choice = TrunkChoice(name=name, channels=channels, model=model)
    try:
        try_trunk(choice, size=size)
    except InputError as error:
        yield from (Fault("trunk-size", problem.says) for problem in error.problems)
    except Exception as error:  # the class of a study's author may raise anything
        raise_own(error, name)
        says = f"{size} is out of range: {name} fails for images of this size: {error}. Choose a larger one."
        yield Fault("trunk-size", says)


def try_trunk(choice: TrunkChoice, *, size: int) -> None:
    """Build a trunk with random weights and call it with empty images; whatever it raises is passed on."""
    import torch

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        build_trunk(choice, in_channels=1).eval()(torch.zeros(BATCH, 1, size, size))


def _option(problem: Problem) -> tuple[str, ...]:
    return tuple(problem.where.split(".")) if problem.where else ()


def study_warnings(read: ReadStudy) -> list[Problem]:
    """What is allowed but probably not meant."""
    keys = ("recipe", "batch_norm")
    warnings = [read.protocol_problem(keys, code, says) for code, says in _batch_norm_warnings(read.study.protocol)]
    warnings += [*_startup_warnings(read), *verdict_warnings(read)]
    for choice in read.study.losses:
        warnings += [
            read.lines.problem(("losses", choice.label), code, says) for code, says in _setting_warnings(read, choice)
        ]
        warnings += dict.fromkeys(_range_warnings(read, choice))
    return warnings


def _range_warnings(read: ReadStudy, choice: LossChoice) -> Iterator[Problem]:
    """Ranges of a loss that cannot act under the head of the protocol on one of the datasets."""
    for dataset in read.study.datasets:
        protocol = read.study.protocol_on(dataset.name)
        for knob, says in range_problems(choice, protocol, dataset=dataset.name, length=head_length(protocol)):
            keys = ("losses", choice.label, "space", knob)
            place = "" if keys[:3] in read.lines.at else _in_spaces(read, choice, dataset.address, knob)
            yield read.lines.problem(keys, "range-inert", place + says)


def _in_spaces(read: ReadStudy, choice: LossChoice, dataset: str, knob: str) -> str:
    """The spaces' file and line of a range, for messages."""
    lines = read.files.spaces.lines
    ways = [(name, knob) for part in parts(choice.address) for name in (f"{part}@{dataset}", part)]
    return f"{read.files.spaces.source} line {next((lines.at[way] for way in ways if way in lines.at), 0)}: "


def _batch_norm_warnings(protocol: Protocol) -> Iterator[tuple[str, str]]:
    trunk = protocol.recipe.trunk
    if protocol.recipe.batch_norm != "train" and trunk.name in TRUNKS and trunk.weights is None:
        says = "the trunk starts from random weights, so the statistics of BatchNorm are those of no data. Use `train`."
        yield "batch-norm-untrained", says


def _startup_warnings(read: ReadStudy) -> Iterator[Problem]:
    """Searches of which nearly all trials are drawn at random."""
    search = read.study.protocol.search
    random, trials = search.startup_trials, search.trials
    if SAMPLERS[search.sampler].learns and trials > 1 and random > MOST_RANDOM * trials:
        count = f"{trials - random} of {trials} trials" if random < trials else "no trial"
        says = f"the sampler {search.sampler} proposes {count}; the first {random} are drawn at random. Set "
        says += f"`search.startup_trials` to {max(1, trials // 3)}."
        yield read.protocol_problem(("search", "startup_trials"), "startup-trials-many", says)


def _setting_warnings(read: ReadStudy, choice: LossChoice) -> Iterator[tuple[str, str]]:
    """Where a search begins with a setting that was published for another recipe."""
    if choice.published is None:
        return
    protocol, name = read.study.protocol, read.setting(choice.label)
    setting = published()[parts(choice.address)[0]][name]
    others = differences(setting.belongs, protocol, protocol.batches.of(choice.family))
    if others:
        says = f"the published setting '{name}' belongs to {', '.join(others)} ({setting.source})."
        yield "setting-of-another-recipe", says
