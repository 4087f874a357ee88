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
from typing import Any

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

DESIGNS = (
    ("searches_calibrated", 2),
    ("searches_calibrated", 3),
    ("searches_pooled", 2),
    ("searches_pooled", 3),
    ("runners_up", 1),
    ("student_t", 1),
)
"""Each rule with the numbers of searches that it is meant for."""

NEED_RUNNERS_UP = ("searches_calibrated", "runners_up")


def measure(searches: Searches, *, labels: int, number: int) -> list[dict[str, Any]]:
    """Rates of every rule, for placebos of each loss and for labels of both in turn."""
    names = sorted({loss for loss, _, _ in searches})
    kinds = {f"placebo {name}": [name] * labels for name in names}
    if len(names) == 2:
        kinds["both"] = [names[place % 2] for place in range(labels)]
    rows = []
    scored = all(search.near_best for search in searches.values())
    for kind, losses in kinds.items():
        for method, partitions in DESIGNS:
            if method in NEED_RUNNERS_UP and not scored:
                continue
            drawn = draw(np.random.default_rng(1), searches, losses, partitions=partitions, number=number)
            found = rates(RULES[method](level=0.95, searches=partitions), drawn, searches)
            shown = {name: {"rate": one.rate, "low": one.low, "high": one.high} for name, one in found.items()}
            rows.append({"kind": kind, "labels": labels, "searches": partitions, "method": method, **shown})
    return rows


def means(searches: Searches) -> dict[str, list[list[float]]]:
    """The mean of every search of each loss in points, one list per partition of the folds."""
    found: dict[str, dict[int, list[float]]] = {}
    for (loss, partition, _), search in searches.items():
        found.setdefault(loss, {}).setdefault(partition, []).append(float(np.mean(search.replicates)))
    return {loss: [known[partition] for partition in sorted(known)] for loss, known in found.items()}


def near_best(searches: Searches) -> dict[str, float]:
    """The standard deviation of the near-best settings of a search in points, pooled over the searches of each loss."""
    squares: dict[str, list[float]] = {}
    freedom: dict[str, int] = {}
    for (loss, _, _), search in searches.items():
        known = np.array(search.near_best)
        squares.setdefault(loss, []).append(float(((known - known.mean()) ** 2).sum()))
        freedom[loss] = freedom.get(loss, 0) + len(known) - 1
    return {loss: float(np.sqrt(sum(own) / freedom[loss])) for loss, own in squares.items()}


def table(rows: list[dict[str, Any]], *, labels: int) -> list[str]:
    """Lines of the table of one number of labels."""
    lines = ["| drawn from | searches | rule | covered | any false better or worse |", "|---|---|---|---|---|"]
    for row in rows:
        if row["labels"] == labels:
            shown = " | ".join(_percent(row[name]) for name in ("covered", "false_family"))
            lines.append(f"| {row['kind']} | {row['searches']} | `{row['method']}` | {shown} |")
    return lines


def _percent(rate: dict[str, float]) -> str:
    if rate["low"] == rate["high"]:  # every study, or none: the jackknife says nothing of the error
        return f"{100 * rate['rate']:.1f}"
    return f"{100 * rate['rate']:.1f} ({100 * rate['low']:.0f}–{100 * rate['high']:.0f})"


def main() -> None:
    """Write the rates of one study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--labels", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--number", type=int, default=1000, help="pseudo-studies of each kind and rule")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    read, searches = open_study(asked.study), {}
    for evidence in study_evidence(read, Ledger(evidence_folder(read))):
        searches |= searches_of(evidence, read.study)
    rows = [row for labels in asked.labels for row in measure(searches, labels=labels, number=asked.number)]
    for labels in asked.labels:
        print(f"{labels} labels", *table(rows, labels=labels), sep="\n")
    measured = {"number": asked.number, "means": means(searches), "near_best": near_best(searches), "rows": rows}
    asked.out.write_text(json.dumps(measured, indent=1) + "\n")


if __name__ == "__main__":
    main()
