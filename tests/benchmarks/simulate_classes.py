"""Error rates of intervals for new classes, in simulated studies.

    python tests/benchmarks/simulate_classes.py --out docs/measured/error_rates_classes.json

Twelve losses are equal over all classes; a study sees 10, 20 or 40 of them. In points of MAP@R, as standard deviations:
the hardness of a class 20, what one loss makes of it 3, a class under one seed 1.5, a search 0.13.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from simulate_verdicts import (
    DESIGNS,
    RULES,
    Estimates,
    Share,
    facts,
    publish,
)  # first: it adds the folder of models
from simulated_classes import SHAPES, ClassLuck, class_study

LOSSES = 12
CLASSES = (10, 20, 40)


def measure(*, studies: int) -> Iterator[dict[str, object]]:
    """Yield one row per design, number of classes and shape."""
    designs = [design for design in DESIGNS if design.trials > 5]
    for design, classes, shape in itertools.product(designs, CLASSES, SHAPES):
        rng = np.random.default_rng(list(f"{design.name} {classes} {shape}".encode()))
        luck = ClassLuck(hard=20.0, taste=3.0, search=0.13, seed=1.5, shape=shape)
        sizes = {"searches": design.searches, "replicates": design.replicates, "classes": classes}
        drawn = [class_study(rng, luck, losses=LOSSES, **sizes) for _ in range(studies)]
        rule = RULES["class_bootstrap"](level=0.95, searches=design.searches)
        found, still = Estimates.of(rule, drawn), np.zeros(LOSSES - 1)
        shares = {
            "covered": Share.of(found.covers(still)),
            "covered_mean": Share.of(means_covered(rule, drawn)),
            "false_family": Share.of(found.different(still).any(axis=1)),
        }
        rates = {name: asdict(share) for name, share in shares.items()}
        yield {"design": design.name, "classes": classes, "shape": shape, **rates}


def means_covered(rule, drawn) -> np.ndarray:
    """Whether the interval of the first loss of each study holds 0, its mean over all classes."""
    intervals = [rule.fit(scores, losses=LOSSES).loss("loss 0").interval(0.95) for scores in drawn]
    return np.array([interval.low <= 0 <= interval.high for interval in intervals])


def main() -> None:
    """Write all rates as one file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    rows = []
    for row in measure(studies=asked.studies):
        rows.append(row)
        rates = {name: rate["rate"] for name, rate in row.items() if isinstance(rate, dict)}
        print(row["design"], row["classes"], row["shape"], rates, flush=True)
    publish(asked.out, facts(asked.studies), rows)


if __name__ == "__main__":
    main()
