"""The cells of the benchmark of searches, and the study and protocol files of each.

A cell is one loss on one surface, searched by one sampler, with its shared rate searched or fixed. A budget says how
many of its trials count, and how the setting is selected. No id holds the number of trials, so all budgets of a cell
share one ledger: a search of 100 trials holds those of 25 and 50.

All searches of a cell are searches of one protocol. Search h has its own sampler seed, its own partition of the folds
and its own training seeds, as in every study: the spread between them is that of the estimand in docs/statistics.md.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realitycheck.protocol.document import read_document
from realitycheck.search.samplers.menu import MENU

ROOT = Path(__file__).resolve().parents[2]

SEARCHES, SEEDS_EACH, STARTUP = 8, 2, 8
"""Searches of a cell, fresh seeds of each chosen setting, and start-up trials of samplers that learn."""

SHARED_RATE = 3e-4
"""Of the embedder, where it is not searched: the middle of its range on a log scale, to one digit."""


@dataclass(frozen=True, slots=True)
class Surface:
    """What is searched on: a protocol of `protocols/`, one dataset, and the shared rate that may be fixed."""

    protocol: str
    dataset: str
    options: Mapping[str, str]
    rate: str | None


SURFACES = {
    "grocery": Surface("frozen_trunk", "grocery_store", {"root": "../data/grocery_store"}, "embedder_lr"),
    "sketches": Surface("sketches28", "sketches", {}, None),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One ledger: a surface, a loss, a sampler, the value of the shared rate, or None where it is searched, and how
    start-up trials are drawn."""

    surface: str
    loss: str
    sampler: str
    rate: float | None = None
    startup: str = "random"

    @property
    def name(self) -> str:
        """The name of its study and of its folder."""
        own = (["fixed"] if self.rate else []) + ([self.startup] if self.startup != "random" else [])
        return "-".join((self.surface, self.loss, self.sampler, *own))


@dataclass(frozen=True, slots=True)
class Budget:
    """Trials of each search, and the rule that selects the setting among them."""

    trials: int
    select: str = "best"


def _cells(losses: tuple[str, ...], samplers: tuple[str, ...], rate: float | None = None) -> list[Cell]:
    return [Cell("grocery", loss, sampler, rate) for sampler in samplers for loss in losses]


THREE = ("contrastive", "nt_xent", "soft_triple")
"""Losses with 3, 2 and 7 knobs, the rate of the embedder among them."""

GUARDED = ("gp_guarded", "tpe", "qmc", "random")

CELLS: tuple[Cell, ...] = (
    *_cells(THREE, ("gp",)),
    *_cells(THREE[:2], GUARDED),
    *_cells(THREE[:2], ("gp",), SHARED_RATE),
    Cell("sketches", "contrastive", "gp"),
    *(Cell("grocery", loss, "gp", startup="qmc") for loss in THREE[:2]),
    *_cells(THREE[:2], ("botorch",)),
)


def _order() -> Iterator[tuple[Cell, Budget]]:
    """By trials; a search of `gp` that is done is also selected from by posterior mean, for some final runs more."""
    for trials in (25, 50, 100):
        yield from ((cell, Budget(trials)) for cell in CELLS)
        yield from ((cell, Budget(trials, "posterior_mean")) for cell in CELLS if cell.sampler == "gp")


ORDER: tuple[tuple[Cell, Budget], ...] = tuple(_order())
"""All that is to be measured, the first first. Cells are dropped from the end, never searches."""


def write_files(home: Path, cell: Cell, budget: Budget) -> Path:
    """Write protocol, spaces and study of a cell under one budget; the path of the study.

    Args:
        home: the folder that gets `protocols/` and `studies/`, and whose `data/` holds the folders of the datasets.
        cell: what is searched.
        budget: trials, and the rule of selection.
    """
    surface = SURFACES[cell.surface]
    protocol = _protocol(read_document(ROOT / "protocols" / f"{surface.protocol}.yaml", source="").data, cell, budget)
    spaces = home / "protocols" / "spaces" / f"{protocol['search']['space']}.yaml"
    spaces.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / "protocols" / "spaces" / spaces.name, spaces)
    _write(home / "protocols" / f"{cell.name}.yaml", protocol)
    path = home / "studies" / f"{cell.name}.yaml"
    _write(path, _study(cell, surface))
    return path


def _protocol(base: Mapping[str, Any], cell: Cell, budget: Budget) -> dict[str, Any]:
    """The surface's protocol with what the cell fixes; whatever shapes an id is written here or in the recipe."""
    shared = dict(base["search"]["shared"])
    if cell.rate is not None:
        shared[SURFACES[cell.surface].rate] = cell.rate
    search = {
        "sampler": cell.sampler,
        "searches": SEARCHES,
        "trials": budget.trials,
        "startup_trials": STARTUP if MENU[cell.sampler].learns else 0,
        "startup": cell.startup,
        "round": 1,
        "space": "v3",
        "units": "head",
        "shared": shared,
    }
    if budget.select != "best":
        search["select"] = budget.select
    return {
        **{key: value for key, value in base.items() if key != "scores"},
        "protocol": cell.name,
        "summary": f"{SEARCHES} searches of {budget.trials} trials by {cell.sampler}, for the benchmark of searches.",
        "search": search,
        "final": {"seeds": SEARCHES * SEEDS_EACH, "complete": "appendix_d", "lengths": "scaled"},
        "categories": ["aggregate", "complete"],
        "interval": {"method": "searches_pooled", "level": 0.95},
    }


def _study(cell: Cell, surface: Surface) -> dict[str, Any]:
    return {
        "study": cell.name,
        "question": "How far apart do independent searches of one loss end?",
        "protocol": cell.name,
        "datasets": {surface.dataset: surface.options},
        "losses": {cell.loss: {}},
        "baseline": cell.loss,
        "primary": {"category": "complete", "metric": "map_at_r"},
        "smallest_difference": 0.5,
    }


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """JSON is YAML, and keeps numbers such as 1e-05 numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
