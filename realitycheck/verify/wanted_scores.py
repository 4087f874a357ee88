"""The tables of scores, differences, gains and ranks as the records lead to them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from realitycheck.verify.digests import Json
from realitycheck.verify.printed import BOLD, Cell, WantedTable, cell, shown

DASH = "–"

HEADINGS = {"map_at_r": "MAP@R", "r_precision": "RP", "precision_at_1": "P@1", "ndcg_at_r": "nDCG@R", "nmi": "NMI"}
"""The heads of the columns of scores; those with a number of neighbours follow from it."""

WIDEST = 9
"""Columns of scores side by side; more of them are printed in one table per category."""


def heading(metric: str) -> str:
    """`MAP@R`, `R@10`."""
    match = re.fullmatch(r"(recall|precision)_at_(\d+)", metric)
    if match and metric not in HEADINGS:
        return f"{'R' if match[1] == 'recall' else 'P'}@{match[2]}"
    return HEADINGS[metric]


def points(value: float | None) -> Cell:
    """A score in percent; a dash for None."""
    return (DASH,) if value is None else shown(value, lambda one: f"{100 * one:.2f}")


def signed(value: float | None) -> Cell:
    """A difference in percentage points with its sign, none on zero."""
    return (DASH,) if value is None else shown(value, _signed)


def _signed(value: float) -> str:
    text = f"{100 * value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text


def span(interval: Json | None) -> Cell:
    """Both ends of an interval of differences."""
    return (DASH,) if interval is None else cell(signed(interval["low"]), " to ", signed(interval["high"]))


def percent(level: float) -> str:
    """`95 %`."""
    return f"{100 * level:.6g} %"


def p_value(p: float) -> Cell:
    """Three decimals, `< 0.001` below."""
    return shown(p, lambda one: "< 0.001" if one < 0.001 else f"{one:.3f}")


def marked(label: str, marks: Sequence[str]) -> Cell:
    """`label (mark, mark)`."""
    return cell(f"{label} ({', '.join(marks)})" if marks else label)


def marks_of(row: Json, *, counts: bool) -> list[str]:
    """What is printed beside the name of a row."""
    marks = [
        name
        for name, holds in (
            ("reconstruction", row["status"] == "reconstruction"),
            ("exploratory", row["exploratory"]),
            ("late", row["late"]),
            ("deterministic", row["constant"]),
        )
        if holds
    ]
    if counts:
        diverged, pending = (max(one[name] for one in row["cells"]) for name in ("diverged", "pending"))
        marks += [f"{diverged} of {len(row['cells'][0]['values'])} diverged"] if diverged else []
        marks += [f"{pending} pending"] if pending else []
    return marks


def score_tables(study: Json, dataset: Json, *, method: str) -> list[WantedTable]:
    """Mean ± half-width of every column, and that over seeds in brackets where it is another one."""
    both = "both" if method != "student_t" else "own"
    whole = _fits(dataset)
    ordered = sorted(study["categories"], key=lambda one: bool(one != study["category"]))  # the primary one first
    return _score_tables(study, dataset, [ordered] if whole else [[category] for category in ordered], both)


def paper_tables(study: Json, dataset: Json) -> list[WantedTable]:
    """The tables of the LaTeX file: all categories where there are several, each one, and the published layout."""
    categories = list(study["categories"])
    published = [one for one in ("complete", "ensemble", "aggregate") if one in categories]
    tables = _score_tables(study, dataset, [categories], "own") if _fits(dataset) and len(categories) > 1 else []
    tables += _score_tables(study, dataset, _single(study), "own")
    return tables + (_score_tables(study, dataset, [published], "retraining") if _fits(dataset) else [])


def _fits(dataset: Json) -> bool:
    return len(dataset["rows"][0]["cells"]) <= WIDEST


def _single(study: Json) -> list[list[str]]:
    return [[category] for category in study["categories"]]


def _score_tables(study: Json, dataset: Json, parts: Sequence[Sequence[str]], half: str) -> list[WantedTable]:
    """One table for each list of categories; `half` is which half-widths are printed: `own`, `retraining`, `both`."""
    rows = [*_by_loss(dataset), *dataset["untrained"]]
    columns = [(one["category"], one["metric"]) for one in rows[0]["cells"]]
    best = [_best(rows, place) for place in range(len(columns))]
    groups = [[n for part in parts_of for n, one in enumerate(columns) if one[0] == part] for parts_of in parts]
    return [
        WantedTable(
            "test scores",
            ["Loss", *(study["categories"][columns[n][0]] + " " + heading(columns[n][1]) for n in group)],
            [
                [
                    marked(row["label"], marks_of(row, counts=True)),
                    *(_estimate(row["cells"][n], half, best=best[n] == row["label"]) for n in group),
                ]
                for row in rows
            ],
        )
        for group in groups
    ]


def _by_loss(dataset: Json) -> list[Json]:
    """The row of each loss, then that of its published setting where there is one."""
    defaults = dataset.get("defaults") or [None] * len(dataset["rows"])
    return [row for pair in zip(dataset["rows"], defaults, strict=True) for row in pair if row]


def _best(rows: Sequence[Json], place: int) -> str | None:
    means = [(row["cells"][place]["mean"], row["label"]) for row in rows if row["cells"][place]["mean"] is not None]
    return str(max(means, key=lambda pair: pair[0])[1]) if means else None


def _estimate(one: Json, half: str, *, best: bool) -> Cell:
    if one["mean"] is None:
        return cell(DASH)
    interval, retraining = one["retraining" if half == "retraining" else "interval"], one["retraining"]
    mean = cell(BOLD if best else "", points(one["mean"]))
    inner = cell(" (", half_width(retraining), ")") if half == "both" and retraining and _differ(one) else ("",)
    if interval is None:
        return (*mean, *cell(mean, inner))  # the page prints the mean alone
    return cell(mean, " ± ", half_width(interval), inner)


def _differ(one: Json) -> bool:
    """Whether the interval over seeds is another one than that of the protocol, so that both are printed."""
    return bool(one["interval"] != one["retraining"])


def half_width(interval: Json) -> Cell:
    """The number after the ±."""
    return points((interval["high"] - interval["low"]) / 2)


def gain_table(study: Json, dataset: Json, *, reasons: bool) -> list[WantedTable]:
    """Every loss against each untrained row; `reasons` says whether they are printed beside the verdicts."""
    facts = dataset["against_untrained"]
    if facts is None:
        return []
    parts = ("Verdict", "Difference", f"{percent(study['level'])} interval", "Holm p")
    heads = ["Loss", *(f"{row} {part}" for row in facts["gains"] for part in parts), "Iteration 0 best"]
    rows = []
    for place, row in enumerate(dataset["rows"]):
        line = [marked(row["label"], marks_of(row, counts=False))]
        for gains in facts["gains"].values():
            gain = gains[place]
            line += [_badge(gain) if reasons else _word(gain), signed(gain["mean"]), span(gain["interval"])]
            line.append(cell(DASH) if gain["verdict"] is None else p_value(gain["p_holm"]))
        runs, best = facts["first_best"][row["label"]]
        rows.append([*line, cell(f"{best} of {runs}" if runs else DASH)])
    return [WantedTable("gains over untrained models", heads, rows)]


def difference_table(study: Json, dataset: Json) -> list[WantedTable]:
    """Every loss against the baseline."""
    if not dataset["comparisons"]:
        return []
    method = dataset["beside_method"]
    heads = ["Loss", "Verdict", "Difference", f"{percent(study['level'])} interval", "Holm p", "Seeds"]
    alone = study["searches_per_loss"] == 1
    heads += [
        *(["Seed correlation"] if alone else []),
        *([f"{method}: interval", f"{method}: verdict"] if method else []),
        "Warnings",
    ]
    rows = {row["label"]: row for row in dataset["rows"]}
    lines = []
    for place, one in enumerate(dataset["comparisons"]):
        others = dataset["beside"][place : place + 1]
        correlation = one["correlation"]
        numbers = [
            str(n)
            for n, warning in enumerate(dataset["warnings"], 1)
            if one["label"] in [about["label"] for about in warning["about"]]
        ]
        lines.append(
            [
                marked(one["label"], marks_of(rows[one["label"]], counts=False)),
                _badge(one),
                signed(one["mean"]),
                span(one["interval"]),
                cell(DASH) if one["verdict"] is None else p_value(one["p_holm"]),
                cell(str(sum(gap is not None for gap in one["differences"]))),
                *([cell(DASH) if correlation is None else shown(correlation, lambda r: f"{r:.2f}")] if alone else []),
                *(part for other in others for part in (span(other["interval"]), _badge(other))),
                cell(", ".join(numbers) or DASH),
            ]
        )
    return [WantedTable("differences from the baseline", heads, lines)]


def paper_differences(study: Json, dataset: Json) -> list[WantedTable]:
    """The same for the LaTeX file: verdict, difference, interval and p-value."""
    rows = {row["label"]: row for row in dataset["rows"]}
    lines = [
        [
            marked(one["label"], marks_of(rows[one["label"]], counts=False)),
            _word(one),
            signed(one["mean"]),
            span(one["interval"]),
            cell(DASH) if one["verdict"] is None else p_value(one["p_holm"]),
        ]
        for one in dataset["comparisons"]
    ]
    heads = ["Loss", "Verdict", "Difference", f"{percent(study['level'])} interval", "Holm p"]
    return [WantedTable("differences from the baseline", heads, lines)] if lines else []


def _badge(one: Json) -> Cell:
    return cell(*_word(one), f": {one['reason']}") if one["reason"] else _word(one)


def _word(one: Json) -> Cell:
    return cell(one["verdict"] or "not yet")


def rank_table(study: Json, dataset: Json, ranks: Json | None) -> list[WantedTable]:
    """The ranks of the losses; they were checked by simulation in `tables.json`."""
    if ranks is None:
        return []
    rows = {row["label"]: row for row in dataset["rows"]}
    place = (study["category"], study["metric"])
    lines = []
    for one in ranks["intervals"]:
        row = rows[one["label"]]
        means = [own["mean"] for own in row["cells"] if (own["category"], own["metric"]) == place]
        span_of = str(one["best"]) if one["best"] == one["worst"] else f"{one['best']} to {one['worst']}"
        lines.append([marked(one["label"], marks_of(row, counts=False)), points(means[0]), cell(span_of)])
    return [WantedTable("ranks", ["Loss", "Mean", f"Ranks, {percent(study['level'])}"], lines)]


def pair_table(study: Json, ranks: Json | None) -> list[WantedTable]:
    """All pairs, where the study compares them; they were checked by simulation in `tables.json`."""
    if ranks is None or study["compare"] != "all_pairs":
        return []
    rows = []
    for one in ranks["pairs"]:
        names = [with_status(study, one[side]) for side in ("label", "other")]
        word = "higher" if one["mean"] > 0 else "lower"
        sure = one["p_stepdown"] < 1 - study["level"]
        ends = cell(signed(one["low"]), " to ", signed(one["high"]))
        line = [cell(" – ".join(names)), cell(word if sure else "undecided"), signed(one["mean"]), ends]
        rows.append([*line, p_value(one["p_stepdown"])])
    return [WantedTable("pairs", ["Pair", "Result", "Difference", f"{percent(study['level'])} interval", "p"], rows)]


def with_status(study: Json, label: str) -> str:
    """A loss in running text: with its status where it is a reconstruction."""
    return f"{label} (reconstruction)" if study["statuses"].get(label) == "reconstruction" else label
