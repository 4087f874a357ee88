"""The executor of a study: of the menu, pinned, with what its jobs need."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from realitycheck.executors.base import Executor
from realitycheck.executors.menu import MENU, Resources
from realitycheck.executors.process_groups import memory_share
from realitycheck.plugin_source import loose_files
from realitycheck.protocol.read import ReadStudy

VERBS = {
    "proposal": "realitycheck.search.propose:propose",
    "selection": "realitycheck.search.posterior_mean:select",
    "run": "realitycheck.training.single_run:run",
    "score": "realitycheck.evaluations.score:score",
    "neighbors": "realitycheck.evaluations.nearest_lists:list_neighbors",
}
"""Kind of job → the verb that does it, imported by the child alone."""


def build_executor(
    read: ReadStudy,
    name: str,
    *,
    devices: Sequence[str | None],
    deadline: float,
    memory: float | None,
    gpus: float = 0.0,
    address: str | None = None,
) -> Executor:
    """Make an executor of the menu, with what the verbs need preloaded, pinned to the study's arithmetic.

    `memory` is in bytes; None is a share of the machine on which a job runs.
    """
    pins, elsewhere = read.study.protocol.recipe.computes.pins, MENU[name].elsewhere
    limit = int(memory) if memory is not None else None if elsewhere else memory_share(jobs=len(devices))
    code = {path: file.read_bytes() for path, file in loose_files(*read.study.sources).items()} if elsewhere else {}
    return MENU[name].build(Resources(devices, deadline, limit, preload(), pins, gpus, address, code))


def preload() -> list[str]:
    """What children find loaded: torch with pinned threads first, the verbs, and what the parent has of this package.

    A child imports the parent's main module again; what that needs costs seconds where it is not loaded yet.
    """
    verbs = [address.partition(":")[0] for address in VERBS.values()]
    return ["realitycheck.executors.preload", *verbs, *sorted(module for module in sys.modules if _is_ours(module))]


def _is_ours(module: str) -> bool:
    return module.startswith("realitycheck.")
