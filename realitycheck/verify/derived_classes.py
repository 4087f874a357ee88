"""Every loss against the baseline, test class by test class."""

from __future__ import annotations

from collections.abc import Sequence

from realitycheck.verify.derived_course import DerivedCourse, DerivedRow
from realitycheck.verify.digests import Json
from realitycheck.verify.formulas import mean
from realitycheck.verify.printed import Cell, WantedTable, cell
from realitycheck.verify.wanted_scores import DASH, marked, marks_of, signed

SHOWN = 3
"""Classes that a row names at either end."""


def per_class(course: DerivedCourse) -> Json | None:
    """The gaps of all losses with common replicates; None where there is none."""
    declared = course.declared
    base = _rows(course, course.row(declared.baseline))
    losses: list[Json] = []
    for row in course.losses:
        own = _rows(course, row)
        common = [index for index in own if index in base]
        if row.label == declared.baseline or not common:
            continue
        gaps = [[a - b for a, b in zip(own[index], base[index], strict=True)] for index in common]
        columns = list(zip(*gaps, strict=True))
        losses.append(
            {
                "label": row.label,
                "replicates": len(common),
                "gaps": [mean(column) for column in columns],
                "always_higher": sum(all(gap > 0 for gap in column) for column in columns),
                "always_lower": sum(all(gap < 0 for gap in column) for column in columns),
            }
        )
    return {"classes": _names(course, len(losses[0]["gaps"])), "losses": losses} if losses else None


def _rows(course: DerivedCourse, row: DerivedRow) -> dict[int, tuple[float, ...]]:
    category = course.declared.primary[0]
    scores = {one.index: one.classes(category, row.distance, row.evaluation) for one in row.replicates}
    return {index: values for index, values in scores.items() if values is not None}


def _names(course: DerivedCourse, count: int) -> list[str]:
    """Those of the first opening that has as many; numbers where none has."""
    lists = [list(opening.get("classes", ())) for opening in course.openings]
    fitting = [names for names in lists if len(names) == count]
    return fitting[0] if fitting else [f"class {number + 1}" for number in range(count)]


def class_table(dataset: Json) -> list[WantedTable]:
    """In how many classes a loss is higher and lower, and the largest gaps."""
    facts = dataset["per_class"]
    if facts is None:
        return []
    rows = {row["label"]: row for row in dataset["rows"]}
    lines = []
    for one in facts["losses"]:
        gaps = one["gaps"]
        order = [place for _, place in sorted((gap, place) for place, gap in enumerate(gaps))]
        gains, losses = [n for n in order[::-1] if gaps[n] > 0], [n for n in order if gaps[n] < 0]
        counts = (len(gains), one["always_higher"], len(losses), one["always_lower"])
        name = marked(one["label"], marks_of(rows[one["label"]], counts=False))
        ends = [_ends(facts["classes"], gaps, places) for places in (gains, losses)]
        lines.append([name, *(cell(str(count)) for count in counts), *ends])
    heads = [
        "Loss",
        "Higher",
        "Higher in every seed",
        "Lower",
        "Lower in every seed",
        "Largest gains",
        "Largest losses",
    ]
    return [WantedTable("test classes", heads, lines)]


def _ends(classes: Sequence[str], gaps: Sequence[float], places: Sequence[int]) -> Cell:
    parts: list[str | Cell] = []
    for place in places[:SHOWN]:
        parts += [", " if parts else "", f"{classes[place]} ", signed(gaps[place])]
    return cell(*parts) if parts else cell(DASH)
