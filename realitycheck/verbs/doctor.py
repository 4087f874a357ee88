"""`doctor`: is this machine fit for a study, and are its files still those that it was begun with?"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from realitycheck import catalog
from realitycheck.check.weight_files import weights_file
from realitycheck.errors import InputError, Problem, RunError, first_few
from realitycheck.executors.base import Job
from realitycheck.protocol.model import DatasetChoice
from realitycheck.protocol.read import ReadStudy
from realitycheck.stores.cache import read_meta
from realitycheck.stores.integrity import visible_damage
from realitycheck.stores.prepare import HALVES
from realitycheck.verbs.executing import build_executor
from realitycheck.verbs.folders import stores_folder
from realitycheck.verbs.study import Progress, require_arithmetic, unwatched

CANARY = "realitycheck.training.canary:compute"
CANARY_SECONDS = 300.0
"""Far more than its second of work, for a machine that is busy."""

_WORDS = {
    "same": "same numbers as the reference for {key}",
    "differs": "DIFFERS from the reference for {key}; results of this machine differ in their last bits",
    "no reference": "no reference for {key}; its digest is {digest}",
}

AT_ONCE = 500
"""Files that are digested between two words of progress."""

NAMED = 5
"""Files that a problem names; of the others it gives the number."""


def machine_facts(read: ReadStudy) -> list[tuple[str, str]]:
    """Facts of this machine, with their headings."""
    from realitycheck.training.device import accelerator  # loads torch, which no other verb has to wait for

    packages = ("realitycheck", "torch", "torchvision", "numpy", "optuna", "scipy", "faiss-cpu")
    return [
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        ("Packages", ", ".join(f"{name} {version(name)}" for name in packages)),
        ("Cores", str(os.cpu_count())),
        ("GPU", accelerator()),
        ("Free disk", f"{shutil.disk_usage(read.home).free / 1e9:.0f} GB"),
    ]


def arithmetic_fact(read: ReadStudy) -> str:
    """Compute the canary of the study's class of arithmetic in a pinned child, and say whether its bits are known."""
    name = read.study.protocol.recipe.arithmetic
    try:
        require_arithmetic(read, devices=("auto",), here=False)
    except InputError as error:
        return f"{name}: not possible here. {error.problems[0].says}"
    executor = build_executor(read, "local", devices=[None], deadline=CANARY_SECONDS, memory=None)
    payload = {"arithmetic": name, "device": "auto"}
    try:
        executor.submit(Job("canary", name, name, f"canary of {name}", payload), address=CANARY)
        (finished,) = executor.wait(seconds=2 * CANARY_SECONDS)
    finally:
        executor.close()
    if finished.body is None:
        raise RunError(f"the canary of {name} failed: {finished.failure}")
    return f"{name}: {_WORDS[finished.body['answer']].format(**finished.body)}"


def examine(read: ReadStudy, *, watch: Progress = unwatched) -> list[Problem]:
    """Digest every file of every dataset, and the trunks' weights, and compare them with what the study was begun with.

    A dataset that the study has not used yet has nothing to be compared with.
    """
    problems: list[Problem] = []
    for choice in read.study.datasets:
        try:
            weights_file(read, read.study.protocol_on(choice.name))
            problems += _changed(read, choice, watch)
        except InputError as error:
            problems += error.problems
    return problems


def _changed(read: ReadStudy, choice: DatasetChoice, watch: Progress) -> Iterator[Problem]:
    manifests = [_manifest(folder) for folder in _stores(read, choice)]
    if not any(manifests):
        return
    present = _present(read, choice, watch)
    for known in manifests:
        for state, names in (
            ("are gone", sorted(known.keys() - present.keys())),
            ("have changed", sorted(name for name in known.keys() & present.keys() if known[name] != present[name])),
            ("are new", sorted(present.keys() - known.keys())),
        ):
            if names:
                says = f"{len(names)} files {state} since the study began: {first_few(names, shown=NAMED)}."
                yield read.lines.problem(
                    ("datasets", choice.name), "files-changed", f"{says} Put them back, or begin a new study."
                )


def _stores(read: ReadStudy, choice: DatasetChoice) -> list[Path]:
    """The finished stores of a dataset: one place, unless its files have changed already or its protocol has."""
    return sorted({path.parent for path in stores_folder(read, choice.name).glob("*/trainval.json")})


def _manifest(place: Path) -> dict[str, str]:
    """Name → SHA-256 of the files of both halves."""
    halves = [read_meta(place / half) for half in HALVES if visible_damage(place / half) is None]
    return {name: sha for half in halves for name, sha in zip(half.get("names", ()), half["files"], strict=False)}


def _present(read: ReadStudy, choice: DatasetChoice, watch: Progress) -> dict[str, str]:
    dataset = catalog.build_dataset(choice)
    count = len(dataset.labels)
    present: dict[str, str] = {}
    for start in range(0, count, AT_ONCE):
        watch(f"files of {choice.name}", start, count)
        indices = range(start, min(start + AT_ONCE, count))
        present |= dict(zip(dataset.names_of(indices), dataset.digests(indices), strict=False))
    return present
