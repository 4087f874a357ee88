"""Error rates of the rules for verdicts, in simulated studies with luck of the search.

    python tests/benchmarks/simulate_verdicts.py --out docs/measured/error_rates.json
    python tests/benchmarks/simulate_verdicts.py --studies 200 --only runners_up --out rates.json

Losses are equal, or one or all differ by 0.6 points; the untrained model has the score of equal losses. In points of
MAP@R, as standard deviations: a near-best setting moves the score of a loss by 0.13 (or ten times that), a seed by
0.13, and what all losses share in a search by 0.05. The seed's 0.13 is that of the sketches, the 1.3 that of groceries
on a frozen trunk. There are two models of a search: `settings` draws near-best settings
(`tests/statistics/simulated_studies.py`), `surfaces` searches random surfaces
(`tests/statistics/simulated_surfaces.py`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS / "statistics"))

from error_rates import RULES, Estimates, Share  # noqa: E402
from simulated_studies import Luck, study  # noqa: E402
from simulated_surfaces import Bank, bank, study_of_banks  # noqa: E402

from realitycheck.statistics.base import LossScores  # noqa: E402

LITTLE, MUCH, SHARED, SEED = 0.13, 1.3, 0.05, 0.13
SMALLEST = 0.6


@dataclass(frozen=True)
class Design:
    """Searches of some trials, seeds of each, and the most near-best settings that so many trials show."""

    name: str
    searches: int
    trials: int
    replicates: int
    most: int
    methods: tuple[str, ...]


OVER_SEARCHES = ("searches_calibrated", "searches_pooled", "student_t")
DESIGNS = (
    Design("2 × 25, r = 5", 2, 25, 5, 5, OVER_SEARCHES),
    Design("3 × 25, r = 4", 3, 25, 4, 5, OVER_SEARCHES),
    Design("2 × 5, r = 2", 2, 5, 2, 3, OVER_SEARCHES),
    Design("1 × 50, r = 10", 1, 50, 10, 5, ("runners_up", "student_t")),
)
LOSSES = (2, 3, 4, 8, 12, 14)
SURFACES = 24
"""Random surfaces of each kind of luck, with two to four hyper-parameters in turn."""
SEARCHES = 300
"""Searches of each surface."""


@dataclass(frozen=True)
class Cell:
    """One kind of study; `lucky` losses have much luck: the first ones, or the baseline and the first ones."""

    model: str
    design: Design
    losses: int
    lucky: int
    lucky_baseline: bool

    @property
    def much(self) -> tuple[bool, ...]:
        """Which losses have much luck, the baseline last."""
        first = self.lucky - self.lucky_baseline
        return (True,) * first + (False,) * (self.losses - 1 - first) + (self.lucky_baseline,)

    def studies(self, number: int) -> list[dict[str, LossScores]]:
        """Draw studies; their seed depends on the cell alone."""
        spelled = f"{self.model} {self.design.name} {self.losses} {self.lucky} {self.lucky_baseline}"
        rng = np.random.default_rng(list(spelled.encode()))
        sizes = {"searches": self.design.searches, "replicates": self.design.replicates}
        if self.model == "settings":
            search = tuple(MUCH if much else LITTLE for much in self.much)
            luck = Luck(search=search, shared=SHARED, seed=SEED, most=self.design.most)
            return [study(rng, luck, **sizes, effects=(0.0,) * self.losses) for _ in range(number)]
        noise = {"shared": SHARED, "seed": SEED}
        banks = {much: banks_of(MUCH if much else LITTLE, self.design.trials) for much in set(self.much)}
        return [
            study_of_banks(rng, [banks[much][rng.integers(SURFACES)] for much in self.much], **sizes, **noise)
            for _ in range(number)
        ]


@cache
def banks_of(luck: float, trials: int) -> list[Bank]:
    """The surfaces of one kind of luck."""
    rng = np.random.default_rng([trials, round(100 * luck)])
    return [bank(rng, knobs=2 + number % 3, luck=luck, trials=trials, searches=SEARCHES) for number in range(SURFACES)]


def cells() -> Iterator[Cell]:
    """Every cell: all numbers of losses with equal luck, and twelve with mixed luck."""
    for design in DESIGNS:
        yield from (Cell("settings", design, losses, 0, lucky_baseline=False) for losses in LOSSES)
        yield from (Cell("settings", design, 12, lucky, lucky_baseline=False) for lucky in (1, 2, 3, 4))
        yield from (Cell("settings", design, 12, lucky, lucky_baseline=True) for lucky in (1, 4))
    for design in DESIGNS:
        if design.trials > 5:
            yield from (Cell("surfaces", design, losses, 0, lucky_baseline=False) for losses in (4, 12))
            yield from (Cell("surfaces", design, 12, lucky, lucky_baseline=False) for lucky in (1, 4))


def measure(cell: Cell, *, studies: int, only: list[str] | None) -> Iterator[dict[str, object]]:
    """Yield one row per rule; all rules of a cell see the same studies."""
    methods = [method for method in cell.design.methods if not only or method in only]
    drawn = cell.studies(studies) if methods else []
    for method in methods:
        rule = RULES[method](level=0.95, searches=cell.design.searches)
        rates = rates_of(Estimates.of(rule, drawn), much=np.array(cell.much))
        rates |= rates_of_gains(Estimates.above(rule, drawn, untrained=0.0), much=np.array(cell.much))
        shown = {name: asdict(rate) for name, rate in rates.items()}
        yield {
            "model": cell.model,
            "design": cell.design.name,
            "losses": cell.losses,
            "lucky": cell.lucky,
            "lucky_baseline": cell.lucky_baseline,
            "method": method,
            **shown,
        }


def rates_of(found: Estimates, *, much: NDArray[np.bool_]) -> dict[str, Share]:
    """The rates of one rule in equal studies, and with a shift of one loss or of all; a difference has two sides."""
    still: NDArray[np.float64] = np.zeros(found.mean.shape[1])
    lucky = much[:-1] | much[-1]
    one = np.where(np.arange(len(still)) == len(still) - 1, SMALLEST, 0.0)
    inside = found.covers(still)
    shares = {
        "false_family": Share.of(found.different(still).any(axis=1)),
        "false_equivalence": Share.of(found.equivalent(still + SMALLEST, smallest=SMALLEST).any(axis=1)),
        "power": Share.of(found.different(one)[:, -1] == 1),
        "equivalent": Share.of(found.equivalent(still, smallest=SMALLEST)[:, -1]),
    }
    kinds = {"covered_little": ~lucky, "covered_much": lucky}
    return {name: Share.of(inside[:, kind]) for name, kind in kinds.items() if kind.any()} | shares


def rates_of_gains(found: Estimates, *, much: NDArray[np.bool_]) -> dict[str, Share]:
    """The rates of one rule against an untrained model with the score of all losses."""
    still: NDArray[np.float64] = np.zeros(found.mean.shape[1])
    inside = found.covers(still)
    kinds = {"gain_covered_little": ~much, "gain_covered_much": much}
    shares = {name: Share.of(inside[:, kind]) for name, kind in kinds.items() if kind.any()}
    return shares | {"gain_false_family": Share.of(found.different(still).any(axis=1))}


def main() -> None:
    """Write all rates as one file, with the commit and the date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--only", nargs="+", choices=RULES)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    rows = []
    for cell in cells():
        for row in measure(cell, studies=asked.studies, only=asked.only):
            rows.append(row)
            print(summary(row), flush=True)
    publish(asked.out, facts(asked.studies), rows)


def summary(row: dict[str, object]) -> str:
    """One row in one line, for the screen."""
    rates = {name: rate["rate"] for name, rate in row.items() if isinstance(rate, dict)}
    mixed = f"{row['lucky']}{'b' if row['lucky_baseline'] else ' '}"
    head = f"{row['model']:8} {row['design']:14} L {row['losses']:2} lucky {mixed} {row['method']:20}"
    return head + " ".join(f"{name} {100 * rate:.1f}" for name, rate in rates.items())


def publish(path: Path, facts: dict[str, object], rows: list[dict[str, object]]) -> None:
    """Write one JSON document with a row per line."""
    head = json.dumps(facts, ensure_ascii=False)[:-1]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text(f'{head}, "rows": [\n{lines}\n]}}\n')


def facts(studies: int) -> dict[str, object]:
    """What was measured, and when."""
    asked = ["git", "-C", str(TESTS), "log", "-1", "--format=%h", "--", "../realitycheck/statistics"]
    commit = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    return {"date": date.today().isoformat(), "commit": commit, "studies": studies}


if __name__ == "__main__":
    main()
