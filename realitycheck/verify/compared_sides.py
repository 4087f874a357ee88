"""A page of `report --compare`: its sides from ledgers and published tables, and its files held to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from realitycheck.verify.checks import Checks
from realitycheck.verify.derived_warnings import FROM_NOTES, ranked
from realitycheck.verify.digests import Json
from realitycheck.verify.numbers_again import NumbersAgain, compare
from realitycheck.verify.printed import Cell, WantedTable, cell, markdown_tables, page_tables, shown
from realitycheck.verify.report_texts import OF_ANOTHER_KIND, read_texts
from realitycheck.verify.table_check import check_tables
from realitycheck.verify.verification import Verified
from realitycheck.verify.wanted_scores import DASH, heading, marked, marks_of, points

NOT_YET = "not yet"
"""The verdict of a comparison without one."""

PUBLISHED_LEVEL = 0.95
"""Of the intervals of published tables."""

FEWEST = 3
"""Common losses without which rankings do not agree or disagree."""


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """One study on one dataset, or one published table.

    Args:
        title: its name in the heads.
        column: category and metric of its scores.
        level: of its intervals.
        scores: label → mean, half-width, whether it was trained, marks and verdict, as `tables.json` has them.
        warnings: codes and numbers of those of a study; None for published numbers.
    """

    title: str
    column: str
    level: float
    scores: Mapping[str, Json]
    warnings: list[Json] | None = None

    @property
    def trained(self) -> dict[str, float]:
        """Label → mean of the losses."""
        return {label: one["mean"] for label, one in self.scores.items() if one["trained"]}


def study_sides(verified: Verified) -> list[ComparedSide]:
    """One side for each dataset of a study, in its primary column; none without records."""
    if verified.study is None:
        return []
    numbers = NumbersAgain(verified.study, verified.courses, verified.texts)
    study = numbers.study_keys()
    place = (study["category"], study["metric"])
    column = f"{study['categories'][place[0]]} {heading(place[1])}"
    several = len(numbers.datasets) > 1
    return [
        ComparedSide(
            f"{study['study']}, {data['dataset']}" if several else study["study"],
            column,
            study["level"],
            dict(_scores(data, place)),
            data["warnings"],
        )
        for data in numbers.datasets
    ]


def _scores(data: Json, place: tuple[str, str]) -> Iterator[tuple[str, Json]]:
    verdicts = {one["label"]: one["verdict"] or NOT_YET for one in data["comparisons"]}
    for trained, rows in ((True, data["rows"]), (False, data["untrained"])):
        for row in rows:
            (own,) = (one for one in row["cells"] if (one["category"], one["metric"]) == place)
            if own["mean"] is not None:
                interval, marks = own["interval"], marks_of(row, counts=True)
                half = (interval["high"] - interval["low"]) / 2 if interval else None
                alone = own["retraining"]
                inner = (alone["high"] - alone["low"]) / 2 if alone and alone != interval else None
                score = {"mean": own["mean"], "half_width": half, "trained": trained, "marks": marks}
                yield row["label"], {**score, "verdict": verdicts.get(row["label"]), "retraining": inner}


def paper_side(
    paper: Json, dataset: str, *, category: str, metric: str, addresses: Mapping[str, str]
) -> ComparedSide | None:
    """A published table; None where it has no such column.

    Args:
        paper: its file as plain JSON.
        dataset: the table's dataset.
        category: that of the column.
        metric: that of the column.
        addresses: label of each loss of the study beside it → the loss's name on the menu, or its address.
    """
    block = paper["tables"][dataset]["blocks"].get(category)
    if block is None:
        return None
    scores: dict[str, Json] = {}
    for key, numbers in block["scores"].items():
        ours = paper["losses"][key]["ours"]
        if ours and numbers[metric]:
            mean, half = numbers[metric]
            score = {"mean": mean / 100, "half_width": None if half is None else half / 100}
            other = {"trained": True, "marks": [], "verdict": None, "retraining": None}
            scores[_label(ours, addresses)] = {**score, **other}
    title = f"{paper['authors']} ({paper['year']}), {dataset}"
    return ComparedSide(title, f"{category}-{block['dims']} {heading(metric)}", PUBLISHED_LEVEL, scores)


def _label(ours: str, addresses: Mapping[str, str]) -> str:
    """The study's label of a loss of the menu; its name on the menu where the study has it not."""
    labels = [label for label, address in addresses.items() if address == ours]
    return labels[0] if labels else f"{ours} (menu)" if ours in addresses else ours


def check_comparison(folder: Path, sides: Sequence[ComparedSide], checks: Checks) -> None:
    """Hold the files of a comparison to its sides; what does not hold is added to `checks`."""
    names = ("tables.json", "tables.md", "index.html")
    texts = read_texts(folder, names, checks)
    for name in names:
        if name not in texts:
            says = "the file is missing. `report --compare` writes it."
            checks.problem(str(folder / name), "report-incomplete", says)
    if "tables.json" in texts:
        _check_json(texts["tables.json"], sides, checks)
    wanted = [_score_table(sides), _agreement_table(sides)]
    for name, read in (("tables.md", markdown_tables), ("index.html", page_tables)):
        if name in texts:
            check_tables(wanted, read(texts[name]), name, checks)
    checks.skip("Figures, and the texts around tables.")


def _check_json(text: str, sides: Sequence[ComparedSide], checks: Checks) -> None:
    name = "tables.json"
    try:
        reported: Json = json.loads(text)
    except (ValueError, RecursionError) as error:
        says = f"it is no JSON: {error}. `report --compare` writes it again."
        checks.problem(name, "report-incomplete", says)
        return
    try:
        _hold_json(reported, sides, checks)
    except OF_ANOTHER_KIND as error:
        says = f"a value is of another kind than `report` writes ({type(error).__name__}: {error})."
        checks.problem(name, "report-incomplete", f"{says} `report --compare` writes it again.")


def _hold_json(reported: Json, sides: Sequence[ComparedSide], checks: Checks) -> None:
    name = "tables.json"
    own = [
        {"title": one.title, "column": one.column, "level": one.level, "scores": one.scores, "warnings": one.warnings}
        for one in sides
    ]
    agreements = [dict(one) for one in _agreements(sides)]
    compare({"version": 1, "sides": own, "agreements": agreements}, _without_notes(reported), name, checks)
    for side, other in zip(sides, reported.get("sides", ()), strict=False):
        more = sorted(set(other["scores"]) - set(side.scores))
        says = f"it has scores of {', '.join(more)}, which are none of its own."
        checks.holds(not more, what="sides", where=f"{name}, {side.title}", code="table-differs", says=says)


def _without_notes(reported: Json) -> Json:
    """The same without warnings that rest on notes of attempts."""

    def kept(warnings: list[Json] | None) -> list[Json] | None:
        return None if warnings is None else [one for one in warnings if one["code"] not in FROM_NOTES]

    sides = [{**side, "warnings": kept(side.get("warnings"))} for side in reported.get("sides", ())]
    return {**reported, "sides": sides}


def _agreements(sides: Sequence[ComparedSide]) -> Iterator[Json]:
    """Spearman's ρ of the means of the losses that two sides have."""
    for one, two in combinations(sides, 2):
        common = [label for label in one.trained if label in two.trained]
        first, second = ([side.trained[label] for label in common] for side in (one, two))
        flat = len(common) < FEWEST or len(set(first)) == 1 or len(set(second)) == 1
        rho = None if flat else float(np.corrcoef(ranked(first), ranked(second))[0, 1])
        yield {"first": one.title, "second": two.title, "losses": common, "spearman": rho}


def _agreement_table(sides: Sequence[ComparedSide]) -> WantedTable:
    rows = [
        [
            cell(f"{one['first']} – {one['second']}"),
            cell(str(len(one["losses"]))),
            cell(DASH) if one["spearman"] is None else shown(one["spearman"], lambda rho: f"{rho:.2f}"),
        ]
        for one in _agreements(sides)
    ]
    return WantedTable("agreement", ["Pair", "Common losses", "Spearman's ρ"], rows)


def _score_table(sides: Sequence[ComparedSide]) -> WantedTable:
    losses = dict.fromkeys(label for side in sides for label in side.trained)
    labels = [*losses, *dict.fromkeys(label for side in sides for label in side.scores if label not in losses)]
    heads = [f"{side.title}: {side.column} {head}" for side in sides for head in ("Score", "Rank", "Verdict")]
    return WantedTable("scores", ["Loss", *heads], [_line(label, sides) for label in labels])


def _inner(retraining: float | None) -> Cell:
    return ("",) if retraining is None else cell(" (", points(retraining), ")")


def _line(label: str, sides: Sequence[ComparedSide]) -> list[Cell]:
    marks: dict[str, None] = {}
    cells: list[Cell] = []
    for side in sides:
        score = side.scores.get(label)
        if score is None:
            cells += [cell(DASH)] * 3
            continue
        marks |= dict.fromkeys(score["marks"])
        half = score["half_width"]
        better = sum(mean > score["mean"] for mean in side.trained.values())
        cells += [
            cell(points(score["mean"]), "" if half is None else cell(" ± ", points(half)), _inner(score["retraining"])),
            cell(str(1 + better) if score["trained"] else DASH),
            cell(score["verdict"] or DASH),
        ]
    return [marked(label, list(marks)), *cells]
