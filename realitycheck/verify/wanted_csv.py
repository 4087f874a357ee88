"""The lines of the CSV files as the records lead to them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from realitycheck.verify.digests import Json
from realitycheck.verify.printed import Cell, PrintedTable, WantedTable, cell, plain, shown
from realitycheck.verify.wanted_scores import half_width, heading, points

YES = {True: "yes", False: "no"}


def csv_table(text: str) -> PrintedTable:
    """A CSV file; the quote before a formula is no part of a cell."""
    heads, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    return PrintedTable(list(map(plain, heads)), [[plain(part.removeprefix("'")) for part in row] for row in rows])


def scores_csv(study: Json, datasets: Sequence[Json]) -> WantedTable:
    """One line per dataset and row: mean, half-width, that of retraining only, and n of every column."""
    columns = list(
        dict.fromkeys((one["category"], one["metric"]) for data in datasets for one in data["rows"][0]["cells"])
    )
    names = [f"{study['categories'][category]} {heading(metric)}" for category, metric in columns]
    heads = ["dataset", "loss", "distance", "trained", "status", "exploratory"]
    heads += [f"{name} {part}" for name in names for part in ("mean", "half_width", "retraining_half_width", "n")]
    rows = []
    for data in datasets:
        for row in (*data["rows"], *data.get("defaults", ()), *data["untrained"]):
            own = {(one["category"], one["metric"]): one for one in row["cells"]}
            first = (data["dataset"], row["label"], row["distance"], YES[row["trained"]], row["status"])
            line = [cell(text) for text in (*first, YES[row["exploratory"]])]
            rows.append([*line, *(part for column in columns for part in _parts(own.get(column)))])
    return WantedTable("scores", heads, rows, keys=2)


def _parts(one: Json | None) -> tuple[Cell, Cell, Cell, Cell]:
    if one is None:
        return cell(""), cell(""), cell(""), cell("")
    n = sum(value is not None for value in one["values"])
    mean = cell("") if one["mean"] is None else points(one["mean"])
    own, alone = (cell("") if one[name] is None else half_width(one[name]) for name in ("interval", "retraining"))
    return mean, own, alone, cell(str(n))


def seeds_csv(study: Json, datasets: Sequence[Json]) -> WantedTable:
    """One line per dataset, row and replicate: its score in every column."""
    columns = list(
        dict.fromkeys((one["category"], one["metric"]) for data in datasets for one in data["rows"][0]["cells"])
    )
    heads = ["dataset", "loss", "trained", "search", "replicate"]
    heads += [f"{study['categories'][category]} {heading(metric)}" for category, metric in columns]
    rows = []
    for data in datasets:
        for row in (*data["rows"], *data.get("defaults", ()), *data["untrained"]):
            own = {(one["category"], one["metric"]): one["values"] for one in row["cells"]}
            count = len(row["cells"][0]["values"])
            searches = study["searches_per_loss"]
            share = max(1, count // searches)
            for place in range(count):
                several = count >= searches
                search = str(place // share + 1) if row["trained"] and several else ""
                number = place // share + searches * (place % share) if several else place
                first = (data["dataset"], row["label"], YES[row["trained"]], search, str(number + 1))
                values = [own[column][place] if column in own else None for column in columns]
                rows.append([*map(cell, first), *map(_percent, values)])
    return WantedTable("seeds", heads, rows, keys=5)


def _percent(value: float | None) -> Cell:
    return cell("") if value is None else shown(value, lambda one: f"{100 * one:.6f}")


def settings_csv(study: Json, datasets: Sequence[Json]) -> WantedTable:
    """One line per hyper-parameter of the setting that each search chose."""
    heads = ["dataset", "loss", "search", "hyper_parameter", "trial", "source", "validation_map_at_r", "value", "raw"]
    rows = []
    for data in datasets:
        for one in data["searches"]:
            for knob in one["knobs"]:
                ends = [repr(end) for end in knob["bounds"]] if knob["bounds"] else ["", ""]
                first = (data["dataset"], one["label"], str(one["number"] + 1), knob["name"], str(one["slot"] + 1))
                value = [str(knob["value"]), "" if knob["raw"] is None else str(knob["raw"]), knob["scale"], *ends]
                line = [*map(cell, (*first, one["source"])), _percent(one["value"]), *map(cell, value)]
                rows.append([*line, cell(knob["on_bound"] or "")])
    return WantedTable("settings", [*heads, "scale", "low", "high", "at_bound"], rows, keys=4)


def differences_csv(study: Json, datasets: Sequence[Json]) -> WantedTable:
    """One line per dataset and loss but the baseline."""
    heads = ["dataset", "loss", "status", "exploratory", "baseline", "category", "metric", "verdict", "difference"]
    heads += ["low", "high", "p", "p_holm", "detectable", "seeds", "seed_correlation", "reason", "warnings"]
    rows = [_difference(study, data, one) for data in datasets for one in data["comparisons"]]
    return WantedTable("differences", heads, rows, keys=2)


def gains_csv(study: Json, datasets: Sequence[Json]) -> WantedTable:
    """One line per dataset, untrained row and loss."""
    heads = ["dataset", "loss", "status", "exploratory", "untrained", "category", "metric", "verdict", "difference"]
    heads += ["low", "high", "p_holm", "iteration_0_best", "fold_runs", "reason"]
    rows = []
    for data in datasets:
        facts, late = data["against_untrained"], {row["label"]: row["exploratory"] for row in data["rows"]}
        for untrained, gains in facts["gains"].items() if facts else ():
            for one in gains:
                label, interval = one["label"], one["interval"]
                first = (data["dataset"], label, study["statuses"][label], YES[late[label]], untrained)
                rows.append(
                    [
                        *map(cell, (*first, study["categories"][study["category"]], study["metric"])),
                        cell(one["verdict"] or ""),
                        cell("") if one["mean"] is None else points(one["mean"]),
                        *(cell("") if interval is None else points(interval[end]) for end in ("low", "high")),
                        cell("") if one["verdict"] is None else shown(one["p_holm"], lambda p: f"{p:.4g}"),
                        *(cell(str(number)) for number in reversed(facts["first_best"][label])),
                        cell(one["reason"] or ""),
                    ]
                )
    return WantedTable("gains over untrained models", heads, rows, keys=5)


def _difference(study: Json, data: Json, one: Json) -> list[Cell]:
    label, interval, r = one["label"], one["interval"], one["correlation"]
    row = next(row for row in data["rows"] if row["label"] == label)
    undecided = one["verdict"] is None
    concerned = {label, study["baseline"]}
    codes = [
        warning["code"]
        for warning in data["warnings"]
        if not (labels := {about["label"] for about in warning["about"]} - {None}) or labels & concerned
    ]
    first = (data["dataset"], label, study["statuses"][label], YES[row["exploratory"]], study["baseline"])
    return [
        *map(cell, (*first, study["categories"][study["category"]], study["metric"], one["verdict"] or "")),
        *(cell("") if one["mean"] is None else points(one["mean"]),),
        *(cell("") if interval is None else points(interval[end]) for end in ("low", "high")),
        *(cell("") if undecided else shown(one[name], lambda p: f"{p:.4g}") for name in ("p", "p_holm")),
        cell("") if one["detectable"] is None else points(one["detectable"]),
        cell(str(sum(gap is not None for gap in one["differences"]))),
        cell("") if r is None else shown(r, lambda value: f"{value:.2f}"),
        *map(cell, (one["reason"] or "", " ".join(codes))),
    ]
