"""The lines of this study below those of published tables of experiments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

from realitycheck.verify.checks import Checks
from realitycheck.verify.digests import Json
from realitycheck.verify.printed import Cell, PrintedTable, cell, plain, shown
from realitycheck.verify.wanted_scores import DASH

CORRUPTED = {
    "Gaussian": "gaussian-3",
    "uniform": "uniform-3",
    "salt and pepper": "salt_pepper-3",
    "dropout": "dropout-3",
    "cutout": "cutout-2",
    "affine shear": "shear-3",
    "jigsaw": "jigsaw-1",
    "hue and saturation": "hue_saturation-3",
    "defocus blur": "defocus_blur-1",
}
"""Head of a column → kind and severity; a published column for which there is none has a dash."""

OWN = plain("this study")
"""The first cell of a line of this study."""

PUBLISHED_METRIC = "precision_at_1"
"""The score of the published table of corruptions."""

Numbers = dict[str, dict[str, float | None]]
"""Head of a column → label of a loss → number, as it is printed."""


def check_counterparts(
    study: Json, datasets: Sequence[Json], tables: Sequence[PrintedTable], file: str, checks: Checks
) -> None:
    """Hold the lines of this study in published tables to the numbers of its own tables.

    Args:
        study: the keys of the study, and `addresses`, of each loss by label.
        datasets: the numbers of each dataset.
        tables: those of the file, in order.
        file: its name.
        checks: the result.
    """
    published = [table for table in tables if table.heads[:2] == [plain("Published as"), "Here"]]
    wanted = [one for dataset in datasets for one in _wanted(study, dataset)]
    same = len(published) == len(wanted)
    says = f"it has {len(published)} published tables of experiments, and the records lead to {len(wanted)}."
    checks.holds(same, what=f"published tables of {file}", where=file, code="cell-differs", says=says)
    for table, (numbers, names) in zip(published, wanted, strict=False):
        _check_labels(table, names, file, checks)
        for row in table.rows:
            if row[0] == OWN:
                _check_row(row, table.heads, numbers, file, checks)


def _check_labels(table: PrintedTable, names: Mapping[str, str], file: str, checks: Checks) -> None:
    """Each published line is followed by those of the losses that it is about, and by no others."""
    for place, row in enumerate(table.rows):
        if row[0] == OWN:
            continue
        below = [after[1] for after in takewhile(lambda after: after[0] == OWN, table.rows[place + 1 :])]
        own = [label for label, name in names.items() if plain(name) == row[1]]
        checks.holds(
            below == list(map(plain, own)),
            what=f"cells of {file}",
            where=f"{file}, published experiments, {row[0]}",
            code="cell-differs",
            says=f"the lines below it are of {below}, and the records lead to {own}.",
        )


def _wanted(study: Json, dataset: Json) -> list[tuple[Numbers, Mapping[str, str]]]:
    """Those of the published tables of a dataset, in the order of the page."""
    wanted: list[tuple[Numbers, Mapping[str, str]]] = []
    addresses = study["addresses"]
    if dataset["corruption"]:
        same = study["metric"] == PUBLISHED_METRIC  # otherwise there is nothing to compare
        wanted.append((_corrupted(study, dataset), addresses if same else {}))
    courses = (dataset["proxy_distances"] or {"courses": []})["courses"]
    if any(one["functions"] for one in courses):
        wanted.append((_courses(courses), _ablations(courses)))
    if dataset["verification"]:
        rows = dataset["verification"]["evaluations"][0]["rows"]
        numbers = {row["label"]: _percent(row["accuracy"]["mean"]) for row in rows}
        names = {label: address for label, address in addresses.items() if label in numbers}
        wanted.append(({"pairs of this study": numbers}, names))
    return wanted


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value


def _corrupted(study: Json, dataset: Json) -> Numbers:
    place = (study["category"], study["metric"])
    clean = {
        row["label"]: _percent(one["mean"])
        for row in dataset["rows"]
        for one in row["cells"]
        if (one["category"], one["metric"]) == place
    }
    tables = {
        f"{table['kind']}-{table['severity']}": {line["label"]: _percent(line["mean"]) for line in table["lines"]}
        for table in dataset["corruption"]["tables"]
    }
    return {"uncorrupted": clean, **{head: tables.get(name, {}) for head, name in CORRUPTED.items()}}


def _courses(courses: Sequence[Json]) -> Numbers:
    heads = {"R@1": "precision_at_1", "NMI": "nmi"}
    scores = {
        head: {one["label"]: _percent(one["scores"].get(metric)) for one in courses} for head, metric in heads.items()
    }
    return {**scores, "distance to proxy at the end": {one["label"]: one["end"] for one in courses}}


def _ablations(courses: Sequence[Json]) -> dict[str, str]:
    """The published functions that a course is about: one whose others are the identity or the same."""
    functions = {one["label"]: one["functions"] for one in courses if one["functions"]}
    return {label: own for label, (own, *others) in functions.items() if others in (["identity"], [own])}


def _check_row(row: Sequence[str], heads: Sequence[str], numbers: Numbers, file: str, checks: Checks) -> None:
    named: Mapping[str, dict[str, float | None]] = {plain(head): column for head, column in numbers.items()}
    for head, text in list(zip(heads, row, strict=True))[2:]:
        options = _options(named.get(head, {}).get(row[1]))
        checks.holds(
            text in options,
            what=f"cells of {file}",
            where=f"{file}, published experiments, {row[1]}, {head}",
            code="cell-differs",
            says=f"it is {text or 'empty'}, and the records lead to {options[0]}.",
        )


def _options(value: float | None) -> Cell:
    return cell(DASH) if value is None else shown(value, lambda one: f"{one:.2f}")
