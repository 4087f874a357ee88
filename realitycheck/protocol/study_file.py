"""A study as people write it: names and options, before the menus and the spaces complete it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from realitycheck.errors import InputError
from realitycheck.losses.menu import entry, parts
from realitycheck.plugin_source import sources_of
from realitycheck.protocol.base import FrozenSection, Name, Text
from realitycheck.protocol.foundation_keys import FoundationTrunk, foundation_evaluations
from realitycheck.protocol.model import DatasetChoice, LossChoice, Primary, Protocol, Study
from realitycheck.protocol.pair_list_keys import PairFiles, placed
from realitycheck.protocol.paper_settings import first_length, first_setting
from realitycheck.protocol.space import Space
from realitycheck.protocol.sweep_keys import Sweep

SpaceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}(@[a-z0-9][a-z0-9_.-]{0,63})?$")]
"""A loss of the menu, or `loss@dataset` where one dataset's ranges differ."""

Spaces = dict[SpaceName, Space]
"""A file of `protocols/spaces/`: loss name → the ranges of its knobs."""


class WrittenDataset(FrozenSection):
    """The options of a dataset; `dataset` is its name on the menu or its address, where the key is not."""

    dataset: Text | None = None
    root: Text | None = None
    exclude: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None


class WrittenLoss(FrozenSection):
    """The options of a loss. `loss` is its name on the menu or its address, where the label is not.

    `space` replaces the protocol's space for this loss. A loss by address gives distance, family and space. `setting`
    names the published setting with which its search begins, where the protocol has `first: published`.
    """

    loss: Text | None = None
    distance: Literal["cosine", "euclidean"] | None = None
    family: Literal["pairs", "proxies"] | None = None
    space: Space | None = None
    setting: Text | None = None


class WrittenStudy(FrozenSection):
    """A file of `studies/`. `override` has values of the protocol by their dotted keys, such as `search.trials`."""

    study: Name
    question: str
    protocol: Text
    override: Annotated[dict[Text, Any], Field(min_length=1)] | None = None
    datasets: Annotated[dict[Name, WrittenDataset | None], Field(min_length=1)]
    losses: Annotated[dict[Name, WrittenLoss | None], Field(min_length=1)]
    baseline: Name
    primary: Primary
    smallest_difference: Annotated[float, *Study.model_fields["smallest_difference"].metadata]
    same: Annotated[tuple[Name, ...], Field(min_length=2)] | None = None
    compare: Literal["baseline", "all_pairs"] = "baseline"
    sweep: Sweep | None = None
    default_rows: bool = False
    pair_lists: Annotated[dict[Name, PairFiles], Field(min_length=1)] | None = None
    foundations: Annotated[dict[Name, FoundationTrunk], Field(min_length=1)] | None = None


def completed(written: WrittenStudy, protocol: Protocol, spaces: Spaces, *, path: Path) -> Study:
    """The study of the file `path`, with the distance, family and space of every loss.

    Raises:
        InputError: a loss lacks one of them, or the published setting that its search begins with.
    """
    folder, foundations = path.parent, written.foundations or {}
    named_evaluations = (*protocol.evaluations, *foundation_evaluations(foundations))
    protocol = protocol.model_copy(update={"evaluations": named_evaluations})
    options = {name: given or WrittenDataset() for name, given in written.datasets.items()}
    datasets = tuple(dataset_choice(name, given, folder) for name, given in options.items())
    losses = {label: given or WrittenLoss() for label, given in written.losses.items()}
    trunks = {protocol.of(choice.address).recipe.trunk.name for choice in datasets}
    named = [part for label, given in losses.items() for part in parts(given.loss or label)]
    return Study(
        study=written.study,
        question=written.question,
        protocol=protocol,
        override=written.override or {},
        datasets=datasets,
        losses=tuple(_loss(label, given, protocol, spaces, datasets) for label, given in losses.items()),
        baseline=written.baseline,
        primary=written.primary,
        smallest_difference=written.smallest_difference,
        same=written.same or (),
        compare=written.compare,
        sweep=written.sweep,
        default_rows=written.default_rows,
        foundations=foundations,
        pair_lists={name: files.placed(folder) for name, files in (written.pair_lists or {}).items()},
        sources=sources_of(*named, *trunks, *(choice.address for choice in datasets)),
    )


def space_of(name: str, spaces: Spaces, *, dataset: str) -> Space:
    """The ranges of a loss of the menu, of a wrapper those of both; `loss@dataset` goes before `loss`."""
    ranges: Space = {}
    for part in parts(name):
        ranges = {**spaces.get(f"{part}@{dataset}", spaces[part]), **ranges}
    return ranges


def dataset_choice(name: str, given: WrittenDataset, folder: Path) -> DatasetChoice:
    """One dataset of a study; `folder` is where its relative root starts."""
    place = None if given.root is None else placed(given.root, folder)
    return DatasetChoice(name=name, address=given.dataset or name, root=place, exclude=given.exclude or ())


def _loss(
    label: str, options: WrittenLoss, protocol: Protocol, spaces: Spaces, datasets: Sequence[DatasetChoice]
) -> LossChoice:
    name = options.loss or label
    face, own = entry(name) or options, options.space
    if face.distance is None or face.family is None or (own is None and not set(parts(name)) <= spaces.keys()):
        says = "incomplete loss: it has no distance, family or space. `realitycheck check` names what to add."
        raise InputError.one("the study", "loss-incomplete", says, where=f"losses.{label}")
    by_dataset = {choice.name: space_of(name, spaces, dataset=choice.address) for choice in datasets if own is None}
    common = space_of(name, spaces, dataset="") if own is None else own
    in_units = protocol.search.first is not None and protocol.search.units == "head"
    return LossChoice(
        label=label,
        address=name,
        distance=face.distance,
        family=face.family,
        space=common,
        spaces={dataset: space for dataset, space in by_dataset.items() if space != common},
        published=first_setting(name, options.setting) if protocol.search.first else None,
        published_length=first_length(name, options.setting) if in_units else None,
    )
