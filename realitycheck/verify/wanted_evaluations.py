"""The tables of evaluations, of distances to class vectors and of sweeps as the records lead to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from realitycheck.verify.checks import Checks
from realitycheck.verify.digests import Json
from realitycheck.verify.printed import Cell, WantedTable, cell, shown
from realitycheck.verify.wanted_scores import DASH, heading, marked, marks_of, p_value, points, signed, with_status

PRINTED = {16: 0.1, 8: 0.01, 0: 0.001}
"""Place in the ROC → the false accept rate, of those with a column."""


def evaluation_tables(study: Json, dataset: Json) -> Iterator[WantedTable]:
    """All of them."""
    yield from _corruption_table(study, dataset)
    yield from _pair_tables(dataset)
    yield from _distance_table(dataset)
    yield from _sweep_table(study, dataset)


def _estimate(mean: float | None, half: float | None) -> Cell:
    if mean is None:
        return cell(DASH)
    return points(mean) if half is None else cell(points(mean), " ± ", points(half))


def _half(interval: Json | None) -> float | None:
    return (interval["high"] - interval["low"]) / 2 if interval else None


def _alone(one: Json) -> Cell:
    """The half-width over seeds in brackets, where it is another one."""
    alone, shown = one["retraining"], one["mean"] is not None and one["interval"] is not None
    return cell(" (", points(_half(alone)), ")") if shown and alone and alone != one["interval"] else ("",)


def _corruption_table(study: Json, dataset: Json) -> Iterator[WantedTable]:
    facts, rows = dataset["corruption"], {row["label"]: row for row in dataset["rows"]}
    if facts is None:
        return
    baseline, lines = study["baseline"], []
    for table in facts["tables"]:
        named = f"{table['kind'].replace('_', ' ')}, severity {table['severity']}"
        for one in table["lines"]:
            drop, half = one["drop"], _half(one["drop"]["interval"])
            change = signed(drop["mean"]) if half is None else cell(signed(drop["mean"]), " ± ", points(half))
            verdict = one["verdict"] or "not yet"
            badge = cell(f"{verdict}: {one['reason']}" if one["reason"] else verdict)
            lines.append(
                [
                    cell(named),
                    marked(one["label"], marks_of(rows[one["label"]], counts=False)),
                    cell(_estimate(one["mean"], _half(one["interval"])), _alone(one)),
                    change,
                    cell(DASH) if one["label"] == baseline else badge,
                    cell(DASH) if one["verdict"] is None else p_value(one["p_holm"]),
                ]
            )
    against = f"Against {with_status(study, baseline)}"
    heads = ["Corruption", "Loss", "Score", "Against clean", against, "Holm p"]
    yield WantedTable("corrupted images", heads, lines, keys=2)


def _pair_tables(dataset: Json) -> Iterator[WantedTable]:
    """One for each evaluation of pairs."""
    for one in (dataset["verification"] or {"evaluations": []})["evaluations"]:
        heads = ["Loss", "Accuracy", *(f"TAR at FAR {far:g}" for far in PRINTED.values()), "EER"]
        rows = [[row["accuracy"], *(row["roc"][place] for place in PRINTED), row["eer"]] for row in one["rows"]]
        yield WantedTable("verification", heads, list(_lines(one["rows"], rows)))
    for one in (dataset["one_threshold"] or {"evaluations": []})["evaluations"]:
        heads = ["Loss", "Spread of best thresholds", "Accuracy at own", "Accuracy at one for all"]
        rows = [[row[name] for name in ("spread", "own", "common", "lost")] for row in one["rows"]]
        yield WantedTable("one threshold", [*heads, "Lost by one for all"], list(_lines(one["rows"], rows)))


def _lines(rows: Sequence[Json], columns: Sequence[Sequence[Json]]) -> Iterator[list[Cell]]:
    for row, scores in zip(rows, columns, strict=True):
        yield [cell(row["label"]), *(_estimate(one["mean"], one["half_width"]) for one in scores)]


def _distance_table(dataset: Json) -> Iterator[WantedTable]:
    facts, rows = dataset["proxy_distances"], {row["label"]: row for row in dataset["rows"]}
    if facts is None:
        return
    courses = facts["courses"]
    named, metrics = any(one["functions"] for one in courses), list(courses[0]["scores"])
    heads = ["Loss", *(["Own distance", "Others"] if named else []), "Distance", *map(heading, metrics)]
    lines = []
    for one in courses:
        functions = map(cell, (one["functions"] or [DASH, DASH]) if named else [])
        end = cell(DASH) if one["end"] is None else shown(one["end"], lambda value: f"{value:.4g}")
        name = marked(one["label"], marks_of(rows[one["label"]], counts=False))
        scores = (points(one["scores"][metric]) for metric in metrics)
        diverged = cell(f"{one['diverged']} of {one['runs']}")
        lines.append([name, *functions, cell(one["distance"]), *scores, end, diverged])
    yield WantedTable("distances to class vectors", [*heads, "Distance at the end", "Diverged"], lines)


def _sweep_table(study: Json, dataset: Json) -> Iterator[WantedTable]:
    facts, lines = dataset["sweeps"], []
    if facts is None:
        return
    for knob in facts["knobs"]:
        for one in knob["values"]:
            marks = ("chosen",) if one["value"] == knob["chosen"] else ()
            score = _estimate(one["scores"]["mean"], one["scores"]["half_width"])
            value = marked(_number(one["value"]), marks)
            tests = [_estimate(one["test"]["mean"], one["test"]["half_width"])] if facts["tested"] else []
            name = cell(f"{knob['label']}: {knob['knob']}")
            lines.append([name, value, score, *tests, cell(str(one["without"]))])
    primary = f"Test {study['categories'][study['category']]} {heading(study['metric'])}"
    heads = ["Loss and hyper-parameter", "Value", "Validation MAP@R", *([primary] if facts["tested"] else [])]
    heads.append("Seeds without")
    yield WantedTable("sweeps", heads, lines, keys=2)


def _number(value: float | int) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def check_rises(study: Json, datasets: Sequence[Json], texts: Mapping[str, str], checks: Checks) -> None:
    """What the page says of scores that do not fall with severity.

    Args:
        study: the keys of the study.
        datasets: the numbers of each dataset.
        texts: name of a file → its text without markup and spaces.
        checks: the result.
    """
    facts = [one["corruption"] for one in datasets if one["corruption"]]
    wanted = [phrase for one in facts for phrase in _risen(study, one)]
    for file, text in texts.items():
        for options in wanted:
            says = f"it does not say: {options[0]}"
            holds = any(option in text for option in options)
            checks.holds(holds, what="rises of scores", where=file, code="sentence-differs", says=says)
        counted = len(re.findall(r"fromseverity\dto\d", text))
        expected = sum(len(one["rises"]) for one in facts)
        says = f"it names {counted} means that do not fall with severity, and the records lead to {expected}."
        checks.holds(counted == expected, what="rises of scores", where=file, code="sentence-differs", says=says)


def _risen(study: Json, facts: Json) -> Iterator[Cell]:
    for rise in facts["rises"]:
        kind = rise["kind"].replace("_", " ")
        steps = f" under {kind} from severity {rise['before']} to {rise['severity']} ("
        yield cell(with_status(study, rise["label"]), steps, signed(rise["gain"]), " points)")
    if not facts["rises"]:
        yield cell("Every mean falls from each severity to the next.")
