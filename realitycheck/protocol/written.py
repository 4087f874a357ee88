"""A study as people write it: names and options, before the menus and the spaces complete it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from realitycheck.losses.menu import entry, parts
from realitycheck.protocol.base import Name, Promise
from realitycheck.protocol.model import DatasetChoice, LossChoice, Primary, Protocol, Study
from realitycheck.protocol.paper_settings import first_setting
from realitycheck.protocol.space import Space

SpaceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}(@[a-z0-9][a-z0-9_.-]{0,63})?$")]
"""A loss of the menu, or `loss@dataset` where one dataset's ranges differ."""

Spaces = dict[SpaceName, Space]
"""A file of `protocols/spaces/`: loss name → the ranges of its knobs."""


class WrittenDataset(Promise):
    """The options of a dataset; `dataset` is its name on the menu or its address, where the key is not."""

    dataset: str | None = None
    root: str | None = None


class WrittenLoss(Promise):
    """The options of a loss. `loss` is its name on the menu or its address, where the label is not.

    `space` replaces the protocol's space for this loss. A loss by address says distance, family and space. `setting`
    names the published setting with which its search begins, where the protocol says `first: published`.
    """

    loss: str | None = None
    distance: Literal["cosine", "euclidean"] | None = None
    family: Literal["pairs", "proxies"] | None = None
    space: Space | None = None
    setting: str | None = None


class WrittenStudy(Promise):
    """A file of `studies/`."""

    study: Name
    question: str
    protocol: str
    datasets: Annotated[dict[Name, WrittenDataset | None], Field(min_length=1)]
    losses: Annotated[dict[Name, WrittenLoss | None], Field(min_length=1)]
    baseline: Name
    primary: Primary
    smallest_difference: Annotated[float, *Study.model_fields["smallest_difference"].metadata]
    same: Annotated[tuple[Name, ...], Field(min_length=2)] | None = None


def completed(written: WrittenStudy, protocol: Protocol, spaces: Spaces, *, folder: Path) -> Study:
    """The study, with every loss's distance, family and space; `folder` is where relative roots start."""
    datasets = tuple(dataset_choice(name, each or WrittenDataset(), folder) for name, each in written.datasets.items())
    losses = (_loss(label, each or WrittenLoss(), protocol, spaces, datasets) for label, each in written.losses.items())
    return Study(
        study=written.study,
        question=written.question,
        protocol=protocol,
        datasets=datasets,
        losses=tuple(losses),
        baseline=written.baseline,
        primary=written.primary,
        smallest_difference=written.smallest_difference,
        same=written.same or (),
    )


def space_of(name: str, spaces: Spaces, *, dataset: str) -> Space:
    """The ranges of a loss of the menu, of a wrapper those of both; `loss@dataset` goes before `loss`."""
    found: Space = {}
    for part in parts(name):
        found = {**spaces.get(f"{part}@{dataset}", spaces[part]), **found}
    return found


def _loss(
    label: str, options: WrittenLoss, protocol: Protocol, spaces: Spaces, datasets: Sequence[DatasetChoice]
) -> LossChoice:
    name = options.loss or label
    face = entry(name) or options
    own = options.space
    by_dataset = {each.name: space_of(name, spaces, dataset=each.address) for each in datasets if own is None}
    common = space_of(name, spaces, dataset="") if own is None else own
    choice = {
        "label": label,
        "address": name,
        "distance": face.distance,
        "family": face.family,
        "space": common,
        "spaces": {dataset: space for dataset, space in by_dataset.items() if space != common},
        "published": first_setting(name, options.setting) if protocol.search.first else None,
    }
    return LossChoice.model_validate(choice)


def dataset_choice(name: str, options: WrittenDataset, folder: Path) -> DatasetChoice:
    """One dataset of a study; `folder` is where its relative root starts."""
    root = None if options.root is None else os.path.normpath(folder.absolute() / Path(options.root).expanduser())
    return DatasetChoice(name=name, address=options.dataset or name, root=root)
