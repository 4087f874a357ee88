"""How often a sign among all pairs of equal losses is false, in simulated studies with luck of the search.

    python tests/benchmarks/simulate_pairs.py --out docs/measured/all_pairs.json

The studies are those of `simulate_verdicts.py` that draw near-best settings.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from simulate_verdicts import DESIGNS, Cell, Share, facts, publish

from realitycheck.statistics.all_pairs import all_pairs
from realitycheck.statistics.base import Estimator, LossScores
from realitycheck.statistics.estimators import estimator

METHODS = ("searches_calibrated", "searches_pooled")
LEVEL = 0.95


def cells() -> Iterator[Cell]:
    """Four and twelve losses of equal luck, and twelve of which one or four have much."""
    for design in (one for one in DESIGNS if one.searches > 1 and one.trials == 25):
        for losses, lucky in ((4, 0), (12, 0), (12, 1), (12, 4)):
            yield Cell("settings", design, losses, lucky, lucky_baseline=False)


def is_false(rule: Estimator, scores: dict[str, LossScores]) -> bool:
    """Whether any pair of equal losses gets a sign."""
    fit = rule.fit(scores, losses=len(scores))
    found = all_pairs(fit, list(scores), level=LEVEL, undecided=fit.disagreeing, rng=np.random.default_rng(0))
    return any(pair.p_stepdown < 1 - LEVEL for pair in found)


def measure(cell: Cell, *, studies: int) -> Iterator[dict[str, object]]:
    """Yield one row per rule; all rules of a cell see the same studies."""
    drawn = cell.studies(studies)
    for method in METHODS:
        rule = estimator(method, level=LEVEL, searches=cell.design.searches)
        false = np.array([is_false(rule, scores) for scores in drawn])
        head = {"model": cell.model, "design": cell.design.name, "losses": cell.losses, "lucky": cell.lucky}
        yield {**head, "lucky_baseline": False, "method": method, "false_sign": asdict(Share.of(false))}


def main() -> None:
    """Write all rates as one file, with the commit and the date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    rows = []
    for cell in cells():
        for row in measure(cell, studies=asked.studies):
            rows.append(row)
            print(row, flush=True)
    publish(asked.out, facts(asked.studies), rows)


if __name__ == "__main__":
    main()
