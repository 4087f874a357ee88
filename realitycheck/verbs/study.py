"""`load_study` and `prepare_data`: what every other verb begins with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from realitycheck import catalog
from realitycheck.check import names as review
from realitycheck.check.data import data_problems
from realitycheck.check.weight_files import unfetched_weights, unfit_weights
from realitycheck.errors import InputError, Problem
from realitycheck.plan.searches import trainval_folds
from realitycheck.protocol.model import DatasetChoice
from realitycheck.protocol.parse import ReadStudy, inspect_study, read_study
from realitycheck.protocol.salvage import passing_gaps
from realitycheck.stores.prepare import Stores, prepare

Progress = Callable[[str, int, int], None]
"""Called with what is being made ready, how much of it is done, and of how much."""


def unwatched(title: str, done: int, count: int) -> None:
    """Progress that nobody sees."""


def open_study(study: ReadStudy | Path | str) -> ReadStudy:
    """Read a study's file, its protocol and its spaces, without torch; a study that is read already is itself.

    Classes named by address are looked for beside the study, too: its home folder joins the import path.

    Raises:
        InputError: a file is wrong; it lists every problem with its line.
    """
    if isinstance(study, ReadStudy):
        return study
    return _on_path(read_study(Path(study)))


def load_study(path: Path | str) -> ReadStudy:
    """Read a study's file, its protocol and its spaces, and check every name and knob against the classes they mean.

    Raises:
        InputError: something is wrong; it lists every problem with its line.

    Example:
        >>> from realitycheck import load_study
        >>> study = load_study("studies/demo.yaml")
        >>> [loss.label for loss in study.study.losses]
        ['contrastive', 'multi_similarity', 'normalized_softmax']
    """
    read = open_study(path)
    problems = review.study_problems(read)
    if problems:
        raise InputError(read.source, problems)
    return read


def check_study(path: Path | str, *, watch: Progress = unwatched) -> ReadStudy:
    """`load_study` and `prepare_data` in one, and more: what one layer finds hides nothing from the next.

    Raises:
        InputError: something is wrong; it lists every problem of the three files and of the data.
    """
    read = _on_path(inspect_study(Path(path)))
    found = [*review.study_problems(read), *lonely(read)]
    told = {each.where for each in found}
    there = [each for each in read.study.datasets if f"datasets.{each.name}" not in told]
    _, unfit = _data(read, there, watch)
    if error := read.error([*found, *unfit]):
        raise error
    return read


def lonely(read: ReadStudy) -> list[Problem]:
    """One loss cannot be compared."""
    if len(read.document.get(("losses",), dict) or {}) != 1:
        return []
    says = "must be two or more, one of them the baseline; got one. Add a loss to compare with."
    return [read.lines.problem(("losses",), says)]


def study_warnings(read: ReadStudy) -> list[Problem]:
    """What is allowed, and hardly meant."""
    protocols = [read.study.protocol_on(each.name) for each in read.study.datasets]
    unfetched = dict.fromkeys(each for protocol in protocols for each in unfetched_weights(read, protocol))
    return [*review.study_warnings(read), *_unused_splits(read), *unfetched]


def _unused_splits(read: ReadStudy) -> Iterator[Problem]:
    """A dataset with halves of its own, and a protocol that makes others."""
    for choice in read.study.datasets:
        order = read.study.protocol_on(choice.name).split.order
        if order != "official" and catalog.build_dataset(choice).official is not None:
            says = f"has a split of its own, which the protocol's `split: {{order: {order}}}` does not use."
            yield read.lines.problem(("datasets", choice.name), says)


def prepare_data(read: ReadStudy, *, watch: Progress = unwatched) -> dict[str, Stores]:
    """Make each dataset's pixel stores where they are missing, and check that the protocol fits them.

    Raises:
        InputError: images cannot be read, or a fold cannot fill a batch; it lists every problem of every dataset.
    """
    stores, problems = _data(read, read.study.datasets, watch)
    if problems:
        raise InputError(read.source, problems)
    return stores


def evidence_folder(read: ReadStudy) -> Path:
    """Where a study's evidence lies: beside its file, in a folder of its name, which is the file's."""
    return read.path.absolute().parent / read.path.stem


def stores_folder(read: ReadStudy, dataset: str) -> Path:
    """Where a dataset's stores lie; all of it may be deleted, it is made again."""
    return evidence_folder(read) / "cache" / "stores" / dataset


def _on_path(read: ReadStudy) -> ReadStudy:
    if str(read.home) not in sys.path:
        sys.path.append(str(read.home))
    return read


def _data(
    read: ReadStudy, datasets: Sequence[DatasetChoice], watch: Progress
) -> tuple[dict[str, Stores], list[Problem]]:
    stores: dict[str, Stores] = {}
    problems: list[Problem] = []
    for choice in datasets:
        try:
            with passing_gaps():
                stores[choice.name] = _prepared(read, choice, watch)
                problems += _unfit(read, choice, stores[choice.name])
        except InputError as error:
            problems += [_at(read, choice, error.source, each) for each in error.problems]
        problems += _unfit_weights(read, choice)
    return stores, list(dict.fromkeys(problems))


def _prepared(read: ReadStudy, choice: DatasetChoice, watch: Progress) -> Stores:
    dataset, protocol = catalog.build_dataset(choice), read.study.protocol_on(choice.name)
    title = f"images of {choice.name}"
    return prepare(dataset, protocol, stores_folder(read, choice.name), watch=partial(watch, title))


def _unfit(read: ReadStudy, choice: DatasetChoice, stores: Stores) -> Iterator[Problem]:
    protocol, classes = read.study.protocol_on(choice.name), len(stores.trainval_sizes)
    folds = trainval_folds(protocol, classes, search=0) if protocol.folds.count <= classes else ()
    validate = [fold.val for fold in folds]
    families = {loss.family for loss in read.study.losses if "family" in vars(loss)}  # a wrong loss may have none
    found: list[Problem] = []
    for asked in ((), *((family,) for family in sorted(families))):
        with passing_gaps():
            found += data_problems(protocol, stores.trainval_sizes, stores.test_sizes, validate, families=asked)
    yield from (_at(read, choice, choice.name, each) for each in dict.fromkeys(found))


def _unfit_weights(read: ReadStudy, choice: DatasetChoice) -> Iterator[Problem]:
    with passing_gaps():
        yield from unfit_weights(read, read.study.protocol_on(choice.name), channels=_channels(choice))


def _channels(choice: DatasetChoice) -> int | None:
    try:
        return catalog.build_dataset(choice).channels
    except InputError:  # told with the data
        return None


def _at(read: ReadStudy, choice: DatasetChoice, source: str, problem: Problem) -> Problem:
    """A problem of the data at the line that it belongs to: of a protocol's value, or of the dataset in the study."""
    keys = tuple(problem.where.split("."))
    if keys[0] in type(read.study.protocol).model_fields:
        told = read.protocol_problem(keys, problem.says)
        return replace(told, says=f"on {choice.name}: {told.says}")
    return read.lines.problem(("datasets", choice.name), f"{source} {problem}")
