"""The file of a trunk's weights: found, of the named digest, and of the trunk's tensors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from realitycheck import catalog
from realitycheck.errors import InputError, Problem
from realitycheck.protocol.model import Protocol
from realitycheck.protocol.parse import ReadStudy
from realitycheck.trunks.weights import load, locate, to_fetch

FOLDER = "weights"
"""In a study's home: where relative paths of weights begin, and where those of an address are put."""

KEYS = ("recipe", "trunk", "weights")


def weights_file(read: ReadStudy, protocol: Protocol) -> str | None:
    """The file of the trunk's weights, its digest checked; None where the trunk starts from random ones.

    Raises:
        InputError: the weights are not to be had, or are others.
    """
    told = protocol.recipe.trunk.weights
    if told is None or told.source is None:
        return None
    try:
        return str(locate(told.source, sha256=told.sha256, folder=read.home / FOLDER))
    except InputError as error:
        problems = [read.protocol_problem(KEYS, f"{told.source}: {each.says}") for each in error.problems]
        raise InputError(read.source, problems) from None


def unfit_weights(read: ReadStudy, protocol: Protocol, *, channels: int | None) -> Iterator[Problem]:
    """What is wrong with the weights of a trunk for images of so many channels; with None, of the file alone.

    Of a file that is still to be fetched nothing is known; `unfetched_weights` tells of it.
    """
    told = protocol.recipe.trunk.weights
    if told is None or told.source is None or to_fetch(told.source, folder=read.home / FOLDER):
        return
    try:
        file = weights_file(read, protocol)
        if file and channels:
            load(catalog.build_trunk(protocol.recipe.trunk, in_channels=channels), Path(file))
    except InputError as error:
        for each in error.problems:
            yield each if each.line else read.protocol_problem(KEYS, f"{error.source}: {each.says}")


def unfetched_weights(read: ReadStudy, protocol: Protocol) -> Iterator[Problem]:
    """Weights that a study will fetch when it runs."""
    told = protocol.recipe.trunk.weights
    if told and told.source and (path := to_fetch(told.source, folder=read.home / FOLDER)):
        says = f"{told.source} is not here yet; `plan` and `run` fetch it. Without a network, put the file at {path}."
        yield read.protocol_problem(KEYS, says)
