"""Coverage and false verdicts of the rules on real searches: pseudo-studies from the searches of finished studies.

    python tests/benchmarks/calibrate_verdicts.py studies/grocery_calibration.yaml --out docs/measured/calibration.json

In such a study several labels name one loss, and search h of every label has the folds of partition h: five labels of
each of two losses, and four searches a label, are five searches in each of four partitions. Rates are of placebos of
one loss, and of labels of both; every rate has a 95 % interval by the jackknife over searches.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "statistics"))
sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

from error_rates import RULES
from real_searches import searches_of
from resampled_studies import Searches, draw, rates

from realitycheck.records.ledger import Ledger
from realitycheck.verbs.folders import evidence_folder
from realitycheck.verbs.report import study_evidence
from realitycheck.verbs.study import open_study

DESIGNS = {"searches_calibrated": 2, "searches_pooled": 2, "runners_up": 1, "student_t": 1}
"""Each rule with the number of searches that it is meant for."""

NEED_RUNNERS_UP = ("searches_calibrated", "runners_up")


def measure(searches: Searches, *, labels: int, number: int) -> list[dict[str, object]]:
    """Rates of every rule, for placebos of each loss and for labels of both in turn."""
    names = sorted({loss for loss, _, _ in searches})
    kinds = {f"placebo {name}": [name] * labels for name in names}
    if len(names) == 2:
        kinds["both"] = [names[place % 2] for place in range(labels)]
    rows = []
    scored = all(search.near_best for search in searches.values())
    for kind, losses in kinds.items():
        for method, partitions in DESIGNS.items():
            if method in NEED_RUNNERS_UP and not scored:
                continue
            drawn = draw(np.random.default_rng(1), searches, losses, partitions=partitions, number=number)
            found = rates(RULES[method](level=0.95, searches=partitions), drawn, searches)
            shown = {name: {"rate": one.rate, "low": one.low, "high": one.high} for name, one in found.items()}
            rows.append({"kind": kind, "labels": labels, "searches": partitions, "method": method, **shown})
    return rows


def main() -> None:
    """Write the rates of one study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--labels", type=int, default=4)
    parser.add_argument("--number", type=int, default=1000, help="pseudo-studies of each kind and rule")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    read, searches = open_study(asked.study), {}
    for evidence in study_evidence(read, Ledger(evidence_folder(read))):
        searches |= searches_of(evidence, read.study)
    rows = measure(searches, labels=asked.labels, number=asked.number)
    for row in rows:
        print(row)
    asked.out.write_text(json.dumps({"searches": len(searches), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
