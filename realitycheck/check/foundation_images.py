"""The foundation models of a study: each can be built, has its weights, and takes the images of every dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from realitycheck.catalog import build_trunk
from realitycheck.check.data import data_faults
from realitycheck.check.names import try_trunk
from realitycheck.check.rules.base import Found, Made, rule
from realitycheck.check.weight_files import FOLDER
from realitycheck.datasets.base import Dataset
from realitycheck.errors import InputError
from realitycheck.protocol.document import Fault
from realitycheck.protocol.foundation_keys import FoundationTrunk
from realitycheck.protocol.split_keys import SplitRule
from realitycheck.stores.decode_parts import kept_images
from realitycheck.stores.prepare import prepare
from realitycheck.trunks.weights import load, locate, to_fetch


@rule("study.foundations.<foundation>", home="home")
def foundation_can_be_built(foundation: FoundationTrunk, *, home: Path) -> Found:
    """The trunk is built, takes images of its size, and has its weights where the file is here."""
    try:
        try_trunk(foundation.trunk, size=foundation.image_size)
        if (path := _weights(foundation, home)) is not None:
            load(build_trunk(foundation.trunk, in_channels=3), path)
    except InputError as error:
        yield from (Fault(problem.code, problem.says) for problem in error.problems)
    except (OSError, RuntimeError) as error:
        yield Fault("foundation-unbuildable", f"cannot build this model: {error}. Correct its trunk or its size.")


def _weights(foundation: FoundationTrunk, home: Path) -> Path | None:
    """The file of the weights; None where there are none, or where they are still to be fetched.

    Raises:
        InputError: the file is missing or has another digest.
    """
    weights = foundation.trunk.weights
    if weights is None or weights.source is None or to_fetch(weights.source, folder=home / FOLDER):
        return None
    return locate(weights.source, sha256=weights.sha256, folder=home / FOLDER)


@rule(
    "study.foundations",
    name="<dataset>",
    dataset="made.<dataset>.images",
    split="made.<dataset>.split",
    folder="made.stores",
    others="made.others",
    watch="made.watch",
    makes="made.<dataset>.foundations",
)
def foundations_see_the_images(
    foundations: Mapping[str, FoundationTrunk] | None,
    *,
    name: str,
    dataset: Dataset,
    split: SplitRule,
    folder: Callable[[str], Path],
    others: Sequence[Path],
    watch: Callable[[str, int, int], None],
) -> Found:
    """The images of a dataset are decoded at the size of every foundation model."""
    stores, faults = {}, []
    for label, one in (foundations or {}).items():
        kept = kept_images(image_size=one.image_size, resize=None, fit=one.fit)
        progress = partial(watch, f"images of {name} for {label}")
        try:
            made = prepare(dataset, folder(name), split=split, kept=kept, watch=progress, others=others)
            stores[one.named(label)] = made.test
        except InputError as error:
            faults += list(_at(label, error))
    yield from faults
    yield Made(stores)


def _at(label: str, error: InputError) -> Iterator[Fault]:
    return (Fault(one.code, one.says, (label,)) for one in data_faults(error.source, error.problems))
