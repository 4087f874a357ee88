"""The file of a trunk's weights: there, of the named digest, and with the trunk's tensors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from realitycheck.catalog import build_trunk
from realitycheck.check.rules.base import Found, Made, rule
from realitycheck.datasets.base import Dataset
from realitycheck.errors import InputError, Problem
from realitycheck.https import require_https
from realitycheck.protocol.document import Fault
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.read import ReadStudy
from realitycheck.protocol.recipe import TrunkChoice, Weights
from realitycheck.trunks.weights import load, locate, require_source, set_aside, to_fetch

FOLDER = "weights"
"""In a study's home: where relative paths of weights begin, and where those of an address are put."""

KEYS = ("recipe", "trunk", "weights")


@rule("protocol@<dataset>.recipe.trunk.weights", home="home", _="<dataset>", makes="made.<dataset>.weights")
def weights_are_there(weights: Weights | None, *, home: Path, _: str) -> Found:
    """The file of weights is there, with the named digest; one that is still to be fetched is not examined."""
    if weights is None or weights.source is None:
        return
    try:
        if to_fetch(weights.source, folder=home / FOLDER):
            require_source(weights.source, sha256=weights.sha256)
            require_https(weights.source)
        else:
            yield Made(locate(weights.source, sha256=weights.sha256, folder=home / FOLDER))
    except InputError as error:
        yield from (Fault(problem.code, f"{weights.source}: {problem.says}") for problem in error.problems)
    except OSError as error:
        says = f"cannot read {weights.source}: {error.strerror}. Correct the source."
        yield Fault("weights-unreadable", says)


@rule(
    "protocol@<dataset>.recipe.trunk.weights",
    path="made.<dataset>.weights",
    dataset="made.<dataset>.images",
    name="protocol@<dataset>.recipe.trunk.name",
    channels="protocol@<dataset>.recipe.trunk.channels",
    model="protocol@<dataset>.recipe.trunk.model",
)
def weights_fit_the_trunk(
    _: object, *, path: Path, dataset: Dataset, name: str, channels: int | None, model: str | None
) -> Found:
    """The file has every tensor of the trunk, for the dataset's images."""
    choice = TrunkChoice(name=name, channels=channels, model=model)
    try:
        load(build_trunk(choice, in_channels=dataset.channels), path)
    except InputError as error:
        yield from (Fault(problem.code, f"{error.source}: {problem.says}") for problem in error.problems)


def protocols_with_weights(read: ReadStudy, dataset: str) -> Iterator[Protocol]:
    """The protocol on a dataset, and the same with the trunk of each foundation model of the study."""
    protocol = read.study.protocol_on(dataset)
    recipes = (one.recipe(protocol.recipe) for one in read.study.foundations.values())
    yield protocol
    yield from (protocol.model_copy(update={"recipe": recipe}) for recipe in recipes)


def weights_file(read: ReadStudy, protocol: Protocol) -> str | None:
    """The file of the trunk's weights, its digest checked; None where the trunk starts from random ones.

    Raises:
        InputError: the weights cannot be had, or have another digest.
    """
    weights = protocol.recipe.trunk.weights
    if weights is None or weights.source is None:
        return None
    try:
        return str(locate(weights.source, sha256=weights.sha256, folder=read.home / FOLDER))
    except InputError as error:
        problems = [
            read.protocol_problem(KEYS, problem.code, f"{weights.source}: {problem.says}") for problem in error.problems
        ]
        raise InputError(read.source, problems) from None


def set_aside_weights(read: ReadStudy, protocol: Protocol) -> Problem | None:
    """Set a downloaded file of another digest aside, so that it is downloaded again; what happened, or None."""
    weights = protocol.recipe.trunk.weights
    if weights is None or weights.source is None:
        return None
    name = set_aside(weights.source, sha256=weights.sha256, folder=read.home / FOLDER)
    if name is None:
        return None
    says = f"SHA-256 mismatch of the file of {weights.source}. It is set aside as {name}, and downloaded again."
    return read.protocol_problem(KEYS, "weights-damaged", says)


def unfetched_weights(read: ReadStudy, protocol: Protocol) -> Iterator[Problem]:
    """Weights that a study will fetch when it runs."""
    weights = protocol.recipe.trunk.weights
    if weights and weights.source and (path := to_fetch(weights.source, folder=read.home / FOLDER)):
        says = (
            f"{weights.source} is not here yet; `plan` and `run` fetch it. Without a network, put the file at {path}."
        )
        yield read.protocol_problem(KEYS, "weights-unfetched", says)
