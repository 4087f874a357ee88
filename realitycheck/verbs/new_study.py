"""`init`: look at images, choose what they and this machine allow, and write a study that passes `check`."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from realitycheck import catalog
from realitycheck.arithmetic import obstacle
from realitycheck.atomic import made_there, make_folder, storage_errors
from realitycheck.check.near_duplicates import near_duplicates
from realitycheck.datasets.base import Dataset
from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.datasets.reading.decode import SUFFIXES
from realitycheck.errors import InputError, Problem
from realitycheck.plan.fitting import fitted
from realitycheck.plan.splits import Split, split_classes
from realitycheck.plan.wall_time import wall_time
from realitycheck.protocol.model import DatasetChoice, Protocol
from realitycheck.protocol.pair_list_keys import placed
from realitycheck.protocol.places import source_of
from realitycheck.protocol.read import ReadStudy, read_protocol
from realitycheck.protocol.validation import nearest
from realitycheck.shipped import shipped_names
from realitycheck.verbs.advances import time_text
from realitycheck.verbs.plan import StudyPlan, plan_study
from realitycheck.verbs.study import Progress, Say, check_study, prepare_data, study_warnings, unsaid, unwatched
from realitycheck.verbs.study_draft import COST, DESIGNS, Draft, comment

WORKERS = 2
"""Workers whose wall time is written into the study; the number of `run` on a CPU."""


@dataclass(frozen=True, slots=True)
class NewStudy:
    """What `init_study` wrote.

    Args:
        path: the study's file.
        facts: sentences on the images.
        design: how many searches and seeds a loss gets, and the protocol and why, as sentences.
        read: the study, checked.
        warnings: what `check` warns of.
        plan: what it costs; None where that was not asked for.
    """

    path: Path
    facts: tuple[str, ...]
    design: tuple[str, ...]
    read: ReadStudy
    warnings: tuple[Problem, ...]
    plan: StudyPlan | None


def init_study(
    images: str,
    *,
    root: str | None = None,
    name: str | None = None,
    home: Path | str = ".",
    protocol: str | None = None,
    searches: str = "2x25",
    measure: bool = True,
    watch: Progress = unwatched,
    say: Say = unsaid,
) -> NewStudy:
    """Write a study on images to `studies/` of a home, and check it.

    Args:
        images: a folder with one sub-folder per class, a CSV list, or the name of a dataset of the menu.
        root: the images of a named dataset that does not ship with the package.
        name: of the study; by default that of the folder, list or dataset.
        home: the folder that has, or gets, `studies/`.
        protocol: its name; by default one for the images and this machine.
        searches: `1x50`, `2x25` or `2x50`: searches of each loss, and trials of each.
        measure: whether this machine is measured for some seconds per loss, to say what the study costs.
        watch: sees the progress of the images.
        say: called with every problem of the images that stops nothing.

    Raises:
        InputError: the images cannot be used, a study of this name exists, or the package of the trunk's weights is
            not installed.
    """
    if searches not in DESIGNS:
        says = f"unknown design '{searches}'. {nearest(searches, list(DESIGNS))}"
        raise InputError.one("the command line", "design-unknown", says, where="--searches")
    choice = _choice(images, root, name, Path(home).absolute() / "studies")
    path = Path(home).absolute() / "studies" / f"{choice.name}.yaml"
    if path.exists():
        says = f"{path} exists. Choose another name with --name, or remove the file."
        raise InputError.one(images, "study-exists", says)
    dataset = catalog.build_dataset(choice)
    draft = _draft(choice, dataset, path, protocol=protocol, searches=searches)
    _write(path, draft.text())
    try:
        read = check_study(path, watch=watch, say=say)
        plan = plan_study(read, watch=watch) if measure else None
    except BaseException as error:
        path.unlink(missing_ok=True)  # so that `init` can be called again once the images are in order
        if isinstance(error, InputError):  # the lines are those of a file that is gone
            raise InputError(images, [replace(problem, line=0) for problem in error.problems]) from None
        raise
    warnings = tuple(study_warnings(read))
    alike = [fact for pair in prepare_data(read).values() if (fact := near_duplicates(pair))]
    facts = (*draft.facts, *(warning.says for warning in warnings), *alike, *_cost(plan))
    later = [line for fact in facts[len(draft.facts) :] for line in comment(fact)]
    text = draft.text().replace(COST, "\n".join(later if plan is not None else [*later, COST]))
    _write(path, text)
    added = text.count("\n") - draft.text().count("\n")  # above the lines that warnings name
    warnings = tuple(replace(warning, line=warning.line and warning.line + added) for warning in warnings)
    design = (f"protocol: {draft.named}, {draft.reason}", DESIGNS[searches].title)
    return NewStudy(path, (*draft.facts, *alike), design, read, warnings, plan)


def _write(path: Path, text: str) -> None:
    make_folder(path.parent)
    with storage_errors(path), made_there(path):
        path.write_text(text, encoding="utf-8")


def _choice(images: str, root: str | None, name: str | None, studies: Path) -> DatasetChoice:
    """The dataset, with its name on the menu as the address."""
    place = Path(placed(images, Path()))
    if images in DATASETS and not place.exists():
        if DATASETS[images].needs_root and root is None:
            says = f"missing option; add `--root` with its images. Layout: {DATASETS[images].layout}."
            raise InputError.one(images, "root-missing", says, where="--root")
        where = None if root is None else placed(root, Path())
        return DatasetChoice(name=_slug(name or images), address=images, root=where)
    if not place.exists():
        says = f"unknown images '{images}': no folder, no file and no dataset. {nearest(images, list(DATASETS))}"
        raise InputError.one("the command line", "images-unknown", says)
    if place.is_file() and place.name.lower().endswith(SUFFIXES):
        says = f"{place} is one image. Name the folder that has a sub-folder of images for each class."
        raise InputError.one("the command line", "images-one", says)
    kind = "folder" if place.is_dir() else "csv"
    whole = place.resolve()
    return DatasetChoice(name=_slug(name or whole.stem), address=kind, root=str(whole))


def _slug(name: str) -> str:
    """A name that a study may have: small letters, digits, `_`, `.` and `-`."""
    return re.sub(r"[^a-z0-9_.-]+", "_", name.lower()).strip("_.-")[:64] or "images"


def _draft(choice: DatasetChoice, dataset: Dataset, path: Path, *, protocol: str | None, searches: str) -> Draft:
    named, reason = (protocol, "as asked for") if protocol else _suited(dataset)
    chosen = _protocol(named, home=path.parents[1])
    order = "official" if dataset.official else chosen.split.order
    split = split_classes(len(dataset.classes), order=order, seed=chosen.split.seed, official=dataset.official)
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
    root = choice.root and _relative(Path(choice.root), path)
    return Draft(
        name=choice.name,
        dataset=choice.address,
        root=root,
        facts=list(_facts(dataset, split, counts)),
        protocol=chosen,
        named=named,
        reason=reason,
        design=searches,
        fitting=fitted(chosen.of(choice.address), [int(counts[label]) for label in split.trainval]),
        official=dataset.official is not None,
        arithmetic=_arithmetic(chosen),
        version=version("realitycheck"),
    )


def _suited(dataset: Dataset) -> tuple[str, str]:
    """A protocol for the images and this machine, and why."""
    from realitycheck.training.device import has_cuda  # loads torch

    if dataset.channels == 1:
        return "sketches28", "a small network for grey images of 28 pixels"
    if has_cuda():
        return "reality2026", "fine-tunes a ResNet-50, since there is a GPU"
    return "frozen_trunk", "only the embedder trains, on features computed once, since there is no GPU"


def _protocol(name: str, *, home: Path) -> Protocol:
    path = source_of(home / "protocols" / f"{name}.yaml", f"protocols/{name}.yaml")
    if not path.is_file():
        known = sorted({*(file.stem for file in (home / "protocols").glob("*.yaml")), *shipped_names("protocols")})
        says = f"unknown protocol '{name}'. {nearest(name, known)}"
        raise InputError.one("the command line", "protocol-unknown", says, where="--protocol")
    return read_protocol(path).value


def _arithmetic(protocol: Protocol) -> str | None:
    """Another class of arithmetic where this machine cannot compute in the protocol's on its CPU; else None."""
    wanted = protocol.recipe.arithmetic
    if protocol.recipe.computes.device != "cpu" or not obstacle(wanted):
        return None
    return "arm64" if platform.machine() in ("aarch64", "arm64") else "cpu-fp32"


def _relative(root: Path, path: Path) -> str:
    """The root as a study writes it: relative to the study where it is in the same home."""
    home = path.parents[1].resolve()
    return os.path.relpath(root, home / "studies") if root.is_relative_to(home) else str(root)


def _facts(dataset: Dataset, split: Split, counts: np.ndarray) -> Sequence[str]:
    halves = [(len(half), int(counts[list(half)].sum())) for half in (split.trainval, split.test)]
    first, last = dataset.classes[split.trainval[0]], dataset.classes[split.trainval[-1]]
    yours = "the dataset's own split" if dataset.official else f"by name, from {first} to {last}"
    span = f"{counts.min():,}" + (f" to {counts.max():,}" if counts.max() > counts.min() else "")
    return [
        f"Images: {len(counts):,} classes, {int(counts.sum()):,} images, {span} a class.",
        f"Trainval ({yours}): {halves[0][0]:,} classes, {halves[0][1]:,} images. "
        f"Test: {halves[1][0]:,} classes, {halves[1][1]:,} images.",
    ]


def _cost(plan: StudyPlan | None) -> list[str]:
    if plan is None:
        return []
    seconds = wall_time(plan.jobs.graph.nodes, workers=WORKERS).seconds
    trainings = plan.trainings.total * plan.losses * plan.datasets
    return [f"Cost: {trainings:,} trainings; at most {time_text(seconds)} on {WORKERS} workers of this machine."]
