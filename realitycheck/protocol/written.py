"""A study as people write it: names and options, before the menus and the spaces complete it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from realitycheck.losses.menu import MENU
from realitycheck.protocol.model import DatasetChoice, LossChoice, Name, Primary, Promise, Protocol, Study
from realitycheck.protocol.space import Space

Spaces = dict[Name, Space]
"""A file of `protocols/spaces/`: loss name → the ranges of its knobs."""


class WrittenDataset(Promise):
    """The options of a dataset; `dataset` is its name on the menu or its address, where the key is not."""

    dataset: str | None = None
    root: str | None = None


class WrittenLoss(Promise):
    """The options of a loss. `loss` is its name on the menu or its address, where the label is not.

    `space` replaces the protocol's space for this loss. A loss by address says distance, family and space.
    """

    loss: str | None = None
    distance: Literal["cosine", "euclidean"] | None = None
    family: Literal["pairs", "proxies"] | None = None
    space: Space | None = None


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


def completed(written: WrittenStudy, protocol: Protocol, spaces: Mapping[str, Space], *, folder: Path) -> Study:
    """The study, with every loss's distance, family and space; `folder` is where relative roots start."""
    losses = (_loss(label, each or WrittenLoss(), spaces) for label, each in written.losses.items())
    datasets = (_dataset(name, each or WrittenDataset(), folder) for name, each in written.datasets.items())
    return Study(
        study=written.study,
        question=written.question,
        protocol=protocol,
        datasets=tuple(datasets),
        losses=tuple(losses),
        baseline=written.baseline,
        primary=written.primary,
        smallest_difference=written.smallest_difference,
    )


def _loss(label: str, options: WrittenLoss, spaces: Mapping[str, Space]) -> LossChoice:
    name = options.loss or label
    face = MENU.get(name, options)
    space = spaces[name] if options.space is None else options.space
    choice = {
        "label": label,
        "address": name,
        "distance": face.distance,
        "family": face.family,
        "space": space,
    }
    return LossChoice.model_validate(choice)


def _dataset(name: str, options: WrittenDataset, folder: Path) -> DatasetChoice:
    root = None if options.root is None else str(folder.absolute() / Path(options.root).expanduser())
    return DatasetChoice(name=name, address=options.dataset or name, root=root)
