"""`check_study`, `load_study` and `prepare_data`: what every other verb begins with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from realitycheck import catalog
from realitycheck.arithmetic import assignments, unpinned
from realitycheck.check import (
    data,
    duplicates,
    foundation_images,
    listed_images,
    losses,
    machine,
    names,
    paths,
    weight_files,
)
from realitycheck.check.apart import apply_apart
from realitycheck.check.inspection import FILE_RULES, Inspection
from realitycheck.check.rules.base import rule, rules_of
from realitycheck.check.rules.study_rules import losses_are_several
from realitycheck.errors import InputError, Problem
from realitycheck.plan.shown_queries import draw_queries
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import ReadStudy, StudyFiles, open_files, parse_files
from realitycheck.records.nearest_images import Query
from realitycheck.stores.manifest import half_of_store
from realitycheck.stores.prepare import Stores
from realitycheck.verbs.continued_losses import continuing_warnings
from realitycheck.verbs.folders import other_stores_of, stores_of
from realitycheck.verbs.present import data_changes, see_data
from realitycheck.verbs.slots import missing_devices

Progress = Callable[[str, int, int], None]
"""Called with what is being prepared, how much of it is done, and of how much."""

Say = Callable[[Problem], None]
"""Called with what a person should know although it stops nothing."""

NAME_RULES = rules_of(losses, names)
"""What a study names is held to its class; these rules import torch."""


def unwatched(title: str, done: int, count: int) -> None:
    """Ignore progress."""


def unsaid(problem: Problem) -> None:
    """Ignore what stops nothing."""


def open_study(study: ReadStudy | Path | str) -> ReadStudy:
    """Read a study's file, its protocol and its spaces, without torch; a study that is read already is returned.

    Classes named by address are also looked for beside the study: its home folder joins the import path.

    Raises:
        InputError: a file is wrong; it lists every problem with its line.
    """
    return study if isinstance(study, ReadStudy) else _inspected(Path(study)).study()


def open_packed(path: Path, texts: Mapping[str, str]) -> ReadStudy:
    """Read a study from the texts in its packed ledger, as `open_study` reads it from its files.

    Raises:
        InputError: a text is wrong; it lists every problem with its line.
    """
    return _held_to_file_rules(parse_files(path, texts)).study()


def load_study(path: Path | str) -> ReadStudy:
    """Read a study's file, its protocol and its spaces, and check every name and knob against its class.

    Raises:
        InputError: something is wrong; it lists every problem with its line.

    Example:
        >>> from realitycheck import load_study
        >>> study = load_study("studies/demo.yaml")
        >>> [loss.label for loss in study.study.losses]
        ['contrastive', 'normalized_softmax']
    """
    inspection = _inspected(Path(path))
    apply_apart(inspection, NAME_RULES)
    return inspection.study()


def shipped_files(path: Path | str) -> tuple[str, ...]:
    """The names of the study's files that its home does not have, so that those of the package are used."""
    try:
        return open_files(Path(path)).shipped
    except InputError:
        return ()


def named_code(path: Path | str) -> list[str]:
    """The addresses of the classes that `check_study` and `load_study` run, by the files alone; nothing is imported.

    None are run where the files have problems.
    """
    try:
        inspection = _inspected(Path(path))
    except InputError:
        return []
    return [] if inspection.error() else inspection.addresses()


def check_study(path: Path | str, *, watch: Progress = unwatched, say: Say = unsaid) -> ReadStudy:
    """`load_study` and `prepare_data` in one: a problem of one layer hides none of the next.

    Args:
        path: the study's file.
        watch: sees the progress of the images.
        say: called with every problem that stops nothing: changed images, and damaged stores that are made again.

    Raises:
        InputError: something is wrong; it lists every problem of the three files, of the data and of the weights.
    """
    inspection = _inspected(Path(path))
    inspection.apply([rule("keys(study.losses)")(losses_are_several)])
    apply_apart(inspection, NAME_RULES, first_apart=[data.dataset_opens])
    _apply_machine_rules(inspection)
    _apply_data_rules(inspection, watch)
    read = inspection.study()
    stores = _stores_of(read, inspection)
    for problem in (*(notice for pair in stores.values() for notice in pair.notices), *data_changes(read, stores)):
        say(problem)
    see_data(read, stores)
    return replace(read, warnings=tuple(_data_warnings(read, inspection)))


def study_warnings(read: ReadStudy) -> list[Problem]:
    """What is allowed but probably not meant; that of the images only where `check_study` has read them."""
    protocols = (weight_files.protocols_with_weights(read, choice.name) for choice in read.study.datasets)
    unfetched = dict.fromkeys(
        problem for some in protocols for one in some for problem in weight_files.unfetched_weights(read, one)
    )
    warnings = [*names.study_warnings(read), *continuing_warnings(read), *_unused_splits(read)]
    return [*warnings, *unfetched, *read.warnings]


def prepare_data(read: ReadStudy, *, watch: Progress = unwatched) -> dict[str, Stores]:
    """Make each dataset's pixel stores where they are missing, and check that the protocol fits them.

    Raises:
        InputError: images cannot be read, or a fold cannot fill a batch; it lists every problem of every dataset.
    """
    inspection = Inspection(read.files)
    _apply_data_rules(inspection, watch)
    if error := inspection.error():
        raise error
    stores = _stores_of(read, inspection)
    see_data(read, stores)
    return stores


def _stores_of(read: ReadStudy, inspection: Inspection) -> dict[str, Stores]:
    made = inspection.values.made
    names = [choice.name for choice in read.study.datasets]
    return {
        name: replace(
            made[name, "stores"],
            pairs=made.get((name, "pairs"), {}),
            foundations=made.get((name, "foundations"), {}),
        )
        for name in names
    }


def plans_of(read: ReadStudy, stores: Mapping[str, Stores]) -> tuple[DatasetPlan, ...]:
    """The plan on each dataset, without the units that new proposals get."""
    return tuple(
        DatasetPlan(
            study=read.study,
            dataset=name,
            data=pair.trainval_digest,
            test=pair.test_digest,
            classes=tuple(label for label, images in pair.test_sizes if images > 1),
            queries=_queries(read, name, pair),
        )
        for name, pair in stores.items()
    )


def _queries(read: ReadStudy, name: str, stores: Stores) -> tuple[Query, ...]:
    """The images of a test half whose nearest neighbours are stored."""
    half, sizes = half_of_store(stores.test), [images for _, images in stores.test_sizes]
    drawn = draw_queries(read.study.protocol_on(name).seed, name, stores.test_sizes)
    shown = ((half.shown(sum(sizes[:label]) + place), label, place) for label, place in drawn)
    return tuple(image.as_query(place=place, size=sizes[label]) for image, label, place in shown)


def require_arithmetic(read: ReadStudy, *, devices: Sequence[str], here: bool, elsewhere: bool = False) -> None:
    """Check that this machine can compute in the study's arithmetic, on these devices, before anything starts.

    Args:
        read: the study.
        devices: the one of each slot.
        here: whether this very process computes, which then must have been started with the right variables.
        elsewhere: whether other machines compute, each of which checks itself at every job.

    Raises:
        InputError: it cannot.
    """
    inspection = Inspection(read.files)
    if not elsewhere:
        _apply_machine_rules(inspection)
    if error := inspection.error():
        raise error
    name, wanted = read.study.protocol.recipe.arithmetic, read.study.protocol.recipe.computes
    for device in dict.fromkeys(devices):
        if device != "auto" and device.partition(":")[0] != wanted.device:
            says = f"`{device}` is not allowed here: arithmetic {name} computes on {wanted.device}. Choose auto."
            raise InputError.one("the command line", "device-not-of-arithmetic", says, where="--device")
    if not elsewhere and (problems := list(missing_devices(tuple(devices), count=_gpus))):
        raise InputError("the command line", problems)
    if here and (variables := unpinned(name)):
        says = (
            f"`inline` is not allowed here: this process is not pinned to arithmetic {name}. "
            f"Start it with {assignments(variables)}, or choose local."
        )
        raise InputError.one("the command line", "process-unpinned", says, where="--executor")


def _gpus() -> int:
    from realitycheck.training.device import gpus  # loads torch, which most verbs do without

    return gpus()


def _inspected(path: Path) -> Inspection:
    """A study's files, held to the rules that need no class; its home joins the import path."""
    return _held_to_file_rules(open_files(path))


def _held_to_file_rules(files: StudyFiles) -> Inspection:
    inspection = Inspection(files)
    if str(inspection.files.home) not in sys.path:
        sys.path.append(str(inspection.files.home))
    inspection.apply(FILE_RULES)
    return inspection


def _apply_machine_rules(inspection: Inspection) -> None:
    """Hold this machine to the protocol; what asks for its GPU loads torch."""
    from realitycheck.training.device import has_cuda

    inspection.provide("cuda", has_cuda())
    inspection.apply(rules_of(machine))


def _apply_data_rules(inspection: Inspection, watch: Progress) -> None:
    """Hold images and weights to the protocol; pixel stores are made where they are missing."""
    inspection.provide("watch", watch)
    inspection.provide("path", inspection.files.study.path)
    inspection.provide("stores", partial(stores_of, inspection.files.study.path))
    inspection.provide("others", other_stores_of(inspection.files.study.path))
    inspection.apply(rules_of(paths, data, listed_images, foundation_images, weight_files))


def _data_warnings(read: ReadStudy, inspection: Inspection) -> Iterator[Problem]:
    """What the images of each dataset's files are warned of: unread files, and duplicates."""
    for choice in read.study.datasets:
        dataset, stores = (inspection.values.made[choice.name, name] for name in ("images", "stores"))
        for warning in (*dataset.warnings, *duplicates.duplicate_warnings(stores)):
            yield read.lines.problem(("datasets", choice.name), warning.code, warning.says)


def _unused_splits(read: ReadStudy) -> Iterator[Problem]:
    """A dataset with a split of its own, and a protocol that makes another."""
    for choice in read.study.datasets:
        order = read.study.protocol_on(choice.name).split.order
        if order != "official" and catalog.build_dataset(choice).official is not None:
            says = f"the dataset has a split of its own, which the protocol's `split: {{order: {order}}}` does not use."
            yield read.lines.problem(("datasets", choice.name), "split-unused", says)
