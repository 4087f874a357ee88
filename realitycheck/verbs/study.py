"""`load_study` and `prepare_data`: what every other verb begins with."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from realitycheck import catalog, review
from realitycheck.errors import InputError, Problem
from realitycheck.plan.fit import data_problems
from realitycheck.plan.plan import trainval_folds
from realitycheck.protocol.model import DatasetChoice
from realitycheck.protocol.parse import ReadStudy, read_study
from realitycheck.training.prepare import Stores, prepare


def open_study(study: ReadStudy | Path | str) -> ReadStudy:
    """Read a study's file, its protocol and its spaces, without torch; a study that is read already is itself.

    Classes named by address are looked for beside the study, too: its home folder joins the import path.

    Raises:
        InputError: a file is wrong; it lists every problem with its line.
    """
    if isinstance(study, ReadStudy):
        return study
    read = read_study(Path(study))
    if str(read.home) not in sys.path:
        sys.path.append(str(read.home))
    return read


def load_study(path: Path | str) -> ReadStudy:
    """`open_study`, and check every name and knob against the classes that they mean.

    Raises:
        InputError: something is wrong; it lists every problem with its line.
    """
    read = open_study(path)
    problems = review.study_problems(read)
    if problems:
        raise InputError(read.source, problems)
    return read


def study_warnings(read: ReadStudy) -> list[Problem]:
    """What is allowed, and hardly meant."""
    return review.study_warnings(read)


def prepare_data(read: ReadStudy) -> dict[str, Stores]:
    """Make each dataset's pixel stores where they are missing, and check that the protocol fits them.

    Raises:
        InputError: images cannot be read, or a fold cannot fill a batch; it lists every problem of every dataset.
    """
    stores, problems = {}, []
    for choice in read.study.datasets:
        try:
            stores[choice.name] = _prepared(read, choice)
            problems += _unfit(read, choice, stores[choice.name])
        except InputError as error:
            problems += [_at(read, choice, error.source, each) for each in error.problems]
    if problems:
        raise InputError(read.source, problems)
    return stores


def evidence_folder(read: ReadStudy) -> Path:
    """Where a study's evidence lies: beside its file, in a folder of its name."""
    return read.path.absolute().parent / read.study.study


def _prepared(read: ReadStudy, choice: DatasetChoice) -> Stores:
    dataset = catalog.build_dataset(choice)
    return prepare(dataset, read.study.protocol, evidence_folder(read) / "cache")


def _unfit(read: ReadStudy, choice: DatasetChoice, stores: Stores) -> list[Problem]:
    protocol, classes = read.study.protocol, len(stores.trainval_sizes)
    folds = trainval_folds(protocol, classes) if protocol.folds.count <= classes else ()
    families = {loss.family for loss in read.study.losses}
    found = data_problems(
        protocol, stores.trainval_sizes, stores.test_sizes, [fold.val for fold in folds], families=families
    )
    return [_at(read, choice, choice.name, each) for each in found]


def _at(read: ReadStudy, choice: DatasetChoice, source: str, problem: Problem) -> Problem:
    """A problem of the data at the line that it belongs to: of a protocol's value, or of the dataset in the study."""
    keys = tuple(problem.where.split("."))
    if keys[0] in type(read.study.protocol).model_fields:
        told = read.protocol_problem(keys, problem.says)
        return replace(told, says=f"on {choice.name}: {told.says}")
    return read.lines.problem(("datasets", choice.name), f"{source} {problem}")
