"""What all losses had in common in each search (docs/statistics.md, What searches have in common)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from realitycheck.verify.checks import Checks
from realitycheck.verify.derived_scores import DerivedScores
from realitycheck.verify.digests import Json
from realitycheck.verify.formulas import known, mean, variance
from realitycheck.verify.printed import plain
from realitycheck.verify.wanted_scores import points


def shared_effects(scores: DerivedScores) -> Json | None:
    """The mean of each search over the losses with all their scores; None with one search or fewer than two losses."""
    searches, table = scores.declared.searches, []
    for row in scores.course.losses:
        values = scores.values(row, scores.declared.primary)
        share = len(values) // searches
        if len(known(values)) == len(values) and searches > 1:
            table.append([mean(known(values[share * h : share * (h + 1)])) for h in range(searches)])
    if len(table) < 2:
        return None
    means = [mean(list(column)) for column in zip(*table, strict=True)]
    centre = mean(means)
    left = [value - mean(row) - (own - centre) for row in table for value, own in zip(row, means, strict=True)]
    residual = math.fsum(one**2 for one in left) / ((len(table) - 1) * (searches - 1))
    by_chance = math.sqrt(residual / len(table))
    return {"losses": len(table), "means": means, "sd": math.sqrt(variance(means)), "by_chance": by_chance}


def check_shared(own: Json | None, reported: Json | None, where: str, checks: Checks) -> None:
    """Hold the sentence on the means of the searches to these numbers."""
    if own is None or not reported:
        return
    text = str(reported.get("sentence", ""))
    there = re.findall(r"(?<![\w-])\d+\.\d\d(?!\d)", text)
    wanted: Sequence[float] = [*own["means"], own["sd"], own["by_chance"]]
    holds = len(there) == len(wanted) and all(
        plain(printed) in points(value) for printed, value in zip(there, wanted, strict=False)
    )
    holds = holds and f"over {own['losses']} losses" in text
    says = "the means of the searches in its sentence are not those that the records lead to."
    place = f"{where}: shared_effects.sentence"
    checks.holds(holds, what="numbers in sentences", where=place, code="sentence-differs", says=says)
