"""The tables of searches, near-best settings, endings and the noise floor as the records lead to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from realitycheck.verify.digests import Json
from realitycheck.verify.printed import Cell, WantedTable, cell, shown
from realitycheck.verify.wanted_scores import DASH, heading, marked, percent, points, signed, span, with_status


def number(value: Any) -> Cell:
    """The value of a hyper-parameter, with four significant digits if it is not whole."""
    return shown(value, lambda one: f"{one:.4g}") if isinstance(value, float) else cell(str(value))


def search_tables(study: Json, dataset: Json) -> list[WantedTable]:
    """All tables of searches, in the order of the page."""
    chosen = any(one["knobs"] for one in dataset["searches"])
    tables = [_costs(study, dataset), *([_settings(study, dataset)] if chosen else [])]
    tables += [_near(study, dataset)] if dataset["near_best"] else []
    tables += [_effort(study, dataset)] if dataset["search_effort"] else []
    ended = any(one["final"]["runs"] or one["search"]["runs"] for one in dataset["endings"])
    return [*tables, *([_endings(study, dataset)] if ended else [])]


def _named(study: Json, label: str, search: int, marks: Sequence[str] = ()) -> Cell:
    """A search by its loss, and by its number where a loss has several."""
    name = label if study["searches_per_loss"] == 1 else f"{label}, search {search + 1}"
    own = ["reconstruction"] if study["statuses"].get(label) == "reconstruction" else []
    return marked(name, [*own, *marks])


def _costs(study: Json, dataset: Json) -> WantedTable:
    several = study["searches_per_loss"] > 1
    heads = ["Loss", "Trials done", "Diverged", "Chosen trial", "Chosen", "Fresh seeds", "Optimism"]
    means = {row["label"]: _primary(study, row)["search_means"] for row in dataset["rows"]}
    rows = []
    for one in dataset["searches"]:
        value, fresh = one["value"], one["fresh"]
        chosen = DASH if one["slot"] is None else f"{one['slot'] + 1} of {one['wanted']}"
        optimism = None if value is None or fresh is None else value - fresh
        rows.append(
            [
                _named(study, one["label"], one["number"]),
                cell(f"{one['finished']} of {one['wanted']}"),
                cell(str(one["diverged"])),
                marked(chosen, ["the published setting"] if one["source"] == "published" else []),
                *(points(value), points(fresh), signed(optimism)),
                *([points(means[one["label"]][one["number"]])] if several else []),
            ]
        )
    return WantedTable("searches", [*heads, *(["Test score"] if several else [])], rows)


def _primary(study: Json, row: Json) -> Json:
    place = (study["category"], study["metric"])
    return next(one for one in row["cells"] if (one["category"], one["metric"]) == place)


def _settings(study: Json, dataset: Json) -> WantedTable:
    rows = []
    for one in dataset["searches"]:
        for knob in one["knobs"]:
            raw = knob["raw"]
            value = cell(number(knob["value"]), *(() if raw is None else (" (raw ", number(raw), ")")))
            rows.append(
                [
                    _named(study, one["label"], one["number"]),
                    *(cell(knob["name"]), value, _range(knob), cell(knob["scale"]), cell(knob["on_bound"] or "")),
                ]
            )
    heads = ["Loss", "Hyper-parameter", "Chosen", "Range", "Scale", "At a bound"]
    return WantedTable("chosen settings", heads, rows, keys=2)


def _range(knob: Json) -> Cell:
    if knob["bounds"]:
        low, high = (number(float(end) if knob["scale"] in ("linear", "log") else end) for end in knob["bounds"])
        return cell(low, " to ", high)
    return cell(", ".join(number(option)[0] for option in knob["options"]))


def _near(study: Json, dataset: Json) -> WantedTable:
    heads = ["Search", "Trial", "Validation MAP@R", *study["categories"].values()]
    rows = [
        [
            _named(study, one["label"], one["search"], ["chosen"] if one["chosen"] else []),
            cell(str(one["slot"] + 1)),
            points(one["value"]),
            *(points(one["scores"][category]) for category in study["categories"]),
        ]
        for one in dataset["near_best"]
    ]
    return WantedTable("near-best settings", heads, rows, keys=2)


def _effort(study: Json, dataset: Json) -> WantedTable:
    reached = [f"To {what} {part}" for what in ("the untrained score", "99 % of the end") for part in REACHED]
    heads = ["Loss", "Iterations search", "Iterations retraining", "Validations", *reached]
    rows = []
    for one in dataset["search_effort"]["searches"]:
        arrived = [
            text
            for to in (one["to_untrained"], one["to_final"])
            for text in ((str(to["trials"]), f"{to['iterations']:,}") if to else (DASH, DASH))
        ]
        near = DASH if one["near_best"] is None else f"{one['near_best']} ({one['apart']})"
        bounds = f"{one['on_bounds']} of {one['proposed']}" if one["proposed"] else DASH
        counts = [f"{one[name]:,}" for name in ("iterations", "retraining", "evaluations")]
        rows.append([_named(study, one["label"], one["number"]), *map(cell, (*counts, *arrived, bounds, near))])
    return WantedTable("search effort", [*heads, "On a bound", "Near best (apart)"], rows)


REACHED = ("trials", "iterations")


def _endings(study: Json, dataset: Json) -> WantedTable:
    several = study["two_phases"]
    tallies = [
        f"{stage} {part}"
        for stage in ("Final fold runs", "Fold runs of the search")
        for part in ("at the cap", "best at the end")
    ]
    heads = ["Loss", *(["Phase"] if several else []), "Cap", *tallies, "Complete runs iterations"]
    rows = []
    for one in dataset["endings"]:
        phase = "follow-up" if one["phase"] == "followup" else one["phase"]
        counts = [
            text
            for tally in (one["final"], one["search"])
            for text in (f"{tally['capped']} of {tally['runs']}", str(tally["rising"]))
        ]
        low, high = (end(one["complete"], default=0) for end in (min, max))
        complete = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        texts = [*([phase] if several else []), f"{one['cap']:,}", *counts, complete if one["complete"] else DASH]
        rows.append([_named(study, one["label"], one["number"]), *map(cell, texts)])
    return WantedTable("how runs ended", heads, rows, keys=2 if several else 1)


def floor_table(study: Json, dataset: Json) -> list[WantedTable]:
    """The noise floor, where losses are declared to be the same."""
    if not dataset["noise"] or not dataset["noise"]["floors"]:
        return []
    heads = ["Column", "Spread", "Deviation", "Furthest apart", "Difference", f"{percent(study['level'])} interval"]
    rows = []
    for one in dataset["noise"]["floors"]:
        pair, further = one["largest"], one["pairs"] - len(one["closer"])
        names = [with_status(study, pair[side]) for side in ("higher", "lower")]
        rows.append(
            [
                cell(f"{study['categories'][one['category']]} {heading(one['metric'])}"),
                *(points(one["high"] - one["low"]), points(one["sd"]), cell(" over ".join(names))),
                *(signed(pair["gap"]), span(pair["interval"])),
                cell(f"{further} of {one['pairs']}" if one["pairs"] else DASH),
            ]
        )
    return [WantedTable("noise floor", [*heads, "Further apart"], rows)]


def unequal_table(study: Json, datasets: Sequence[Json]) -> WantedTable:
    """Batches, distances, and how many hyper-parameters were searched."""
    several = len(datasets) > 1
    heads, rows = ["Loss", "Batch", "Distance"], []
    for dataset in datasets:
        suffix = f", {dataset['dataset']}" if several else ""
        heads += [f"Hyper-parameters searched{suffix}", f"At a bound{suffix}"]
    for one in study["treatments"]:
        classes, images = one["classes"], one["per_class"]
        batch = f"{classes} class{'es' * (classes != 1)} × {images} image{'s' * (images != 1)}"
        line = [cell(with_status(study, one["label"])), cell(batch), cell(one["distance"])]
        for dataset in datasets:
            own = [search for search in dataset["searches"] if search["label"] == one["label"]]
            line += [cell(str(own[0]["searched"]) if own else DASH), cell(_bounds(own) or DASH)]
        rows.append(line)
    return WantedTable("what was not equal", heads, rows)


def _bounds(searches: Sequence[Json]) -> str:
    """Hyper-parameters with an optimum on a bound, and in which of several searches."""
    reached: dict[str, list[str]] = {}
    for search in searches:
        for knob in search["knobs"]:
            if knob["on_bound"]:
                reached.setdefault(knob["name"], []).append(str(search["number"] + 1))
    several = len(searches) > 1
    return ", ".join(f"{name} ({', '.join(own)})" if several else name for name, own in reached.items())


def warning_table(dataset: Json) -> list[WantedTable]:
    """The codes of the warnings, in order, with their sentences where `tables.json` has them."""
    if not dataset["warnings"]:
        return []
    whole = all("sentence" in one for one in dataset["warnings"])
    rows = [
        [cell(str(n)), cell(one["code"]), *([cell(one["sentence"])] if whole else [])]
        for n, one in enumerate(dataset["warnings"], 1)
    ]
    heads = ["No.", "Warning", *(["What was found"] if whole else [])]
    return [WantedTable("warnings", heads, rows, keys=2)]
