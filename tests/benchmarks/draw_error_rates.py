"""Write docs/measured/error_rates.md, its figure and the table of docs/statistics.md from the committed simulations.

python tests/benchmarks/draw_error_rates.py
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from realitycheck.report.drawing import BAND, COLOURS, draw

DOCS = Path(__file__).parents[2] / "docs"
BEGIN, END = "<!-- error rates: generated -->", "<!-- end of error rates -->"
PAIRS_BEGIN, PAIRS_END = "<!-- all pairs: generated -->", "<!-- end of all pairs -->"
Row = dict[str, Any]
TWO, ONE = "2 × 25, r = 5", "1 × 50, r = 10"
METHODS = (
    ("searches_calibrated", TWO, COLOURS[0]),
    ("searches_pooled", TWO, COLOURS[2]),
    ("runners_up", ONE, COLOURS[1]),
    ("student_t", ONE, COLOURS[3]),
)
"""Each rule in the design that it is meant for."""


def rows_of(name: str) -> list[Row]:
    """The rows of one committed simulation."""
    rows: list[Row] = json.loads((DOCS / "measured" / name).read_text())["rows"]
    return rows


def summary() -> str:
    """The table of docs/statistics.md: four and twelve losses, and the limit of each rule."""
    rows = [row for row in rows_of("error_rates.json") if _short(row)]
    tables = [*_table(HEADS, map(_line, rows)), "", GAINS, "", *_table(GAIN_HEADS, map(_gain_line, rows))]
    return "\n".join([BEGIN, f"{_source()}.", "", *tables, END])


def pairs() -> str:
    """The second table of docs/statistics.md: signs among all pairs."""
    table = _table((*HEADS[:5], "any false sign"), map(_pair_line, rows_of("all_pairs.json")))
    return "\n".join([PAIRS_BEGIN, f"{_source('all_pairs.json')}.", "", *table, PAIRS_END])


def _source(name: str = "error_rates.json") -> str:
    facts = json.loads((DOCS / "measured" / name).read_text())
    return f"{facts['studies']:,} studies a row, {facts['date']}, estimators of commit {facts['commit']}"


def page() -> str:
    """All rates, as a page."""
    lines = [
        "# Error rates",
        "",
        f"Simulated: {_source()}.",
        "[Statistics](../statistics.md#error-rates) explains the columns. Percentages, with 95 % Clopper-Pearson "
        "intervals.",
        "",
        *_table(HEADS, map(_line, rows_of("error_rates.json"))),
        "",
        "## Against an untrained trunk",
        "",
        GAINS,
        "",
        *_table(GAIN_HEADS, map(_gain_line, rows_of("error_rates.json"))),
        "",
        "## New classes",
        "",
        "`class_bootstrap`, twelve losses.",
        "",
        *_table(CLASS_HEADS, map(_class_line, rows_of("error_rates_classes.json"))),
    ]
    return "\n".join(lines) + "\n"


HEADS = (
    *("model", "design", "losses", "of much luck", "rule", "covered, little luck", "covered, much luck"),
    *("any false better or worse", "any false equivalent", "power at 0.6"),
)
RATES = ("covered_little", "covered_much", "false_family", "false_equivalence", "power")
GAINS = "The same studies against an untrained trunk without randomness, which has the score of the losses:"
GAIN_HEADS = (*HEADS[:5], "gain covered, little luck", "gain covered, much luck", "any false better or worse")
GAIN_RATES = ("gain_covered_little", "gain_covered_much", "gain_false_family")
CLASS_HEADS = ("design", "classes", "shape", "difference covered", "mean covered", "any false better or worse")


def _short(row: Row) -> bool:
    """Whether a row is in the short table."""
    chosen = row["losses"], row["lucky"], row["lucky_baseline"]
    kinds = {(4, 0, False), (12, 0, False), (12, 1, False), (12, 4, False)}
    meant = {(method, design) for method, design, _ in METHODS}
    return row["model"] == "settings" and chosen in kinds and (row["method"], row["design"]) in meant


def _line(row: Row) -> tuple[str, ...]:
    return (*_head(row), *_rates(row, RATES))


def _gain_line(row: Row) -> tuple[str, ...]:
    return (*_head(row), *_rates(row, GAIN_RATES))


def _pair_line(row: Row) -> tuple[str, ...]:
    return (*_head(row), _rate(row["false_sign"]))


def _head(row: Row) -> tuple[str, ...]:
    lucky = f"{row['lucky']}, with the baseline" if row["lucky_baseline"] else str(row["lucky"])
    return (row["model"], row["design"], str(row["losses"]), lucky, f"`{row['method']}`")


def _rates(row: Row, names: Sequence[str]) -> Iterator[str]:
    return (_rate(row[name]) if name in row else "–" for name in names)


def _class_line(row: Row) -> tuple[str, ...]:
    rates = (_rate(row[name]) for name in ("covered", "covered_mean", "false_family"))
    return (row["design"], str(row["classes"]), row["shape"], *rates)


def _rate(share: dict[str, float]) -> str:
    """A percentage with its 95 % interval."""
    rate, low, high = (100 * share[name] for name in ("rate", "low", "high"))
    return f"{rate:.1f} ({low:.1f}–{high:.1f})"


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for line in lines:
        yield "| " + " | ".join(line) + " |"


def figure() -> str:
    """Coverage and false verdicts, over the number of losses and over the losses of much luck."""
    rows = [row for row in rows_of("error_rates.json") if row["model"] == "settings" and not row["lucky_baseline"]]
    equal = [row for row in rows if not row["lucky"]]
    mixed = [row for row in rows if row["losses"] == 12]

    def paint(canvas: Canvas) -> None:
        (cover, lucky_cover), (false, lucky_false) = canvas.subplots(2, 2, sharey="row")
        for panel, chosen, over in ((cover, equal, "losses"), (lucky_cover, mixed, "lucky")):
            panel.axhspan(93, 97, color=BAND, lw=0)
            _curves(panel, chosen, over, "covered_little", fmt="o-")
            panel.set_ylim(0, 101)
        _curves(lucky_cover, mixed, "lucky", "covered_much", fmt="s--")
        for panel, chosen, over in ((false, equal, "losses"), (lucky_false, mixed, "lucky")):
            panel.axhspan(0, 6, color=BAND, lw=0)
            _curves(panel, chosen, over, "false_family", fmt="o-")
            panel.set_ylim(0, 101)
        cover.set(title="Losses of equal luck", ylabel="differences covered, %")
        lucky_cover.set_title("Twelve losses, some of much luck (dashed)")
        false.set(xlabel="losses", ylabel="studies with a false verdict, %")
        lucky_false.set_xlabel("losses of ten times the luck of the others")
        lucky_false.text(1, 0.5, _source(), transform=lucky_false.transAxes, ha="right", size=8)
        canvas.legend(*cover.get_legend_handles_labels(), loc="outside lower center", ncols=2)

    title = "Coverage of differences, and studies with any false better or worse"
    return draw(paint, name="error-rates", height=6.4, title=title, caption="").svg


def _curves(panel: Axes, rows: Sequence[Row], over: str, rate: str, *, fmt: str) -> None:
    for method, design, colour in METHODS:
        own = [row for row in rows if (row["method"], row["design"]) == (method, design) and rate in row]
        own.sort(key=lambda row: row[over])
        middle = [100 * row[rate]["rate"] for row in own]
        reach = [[abs(100 * (row[rate][end] - row[rate]["rate"])) for row in own] for end in ("low", "high")]
        places = [row[over] for row in own]
        label = f"{method}, {design}"
        panel.errorbar(places, middle, yerr=reach, fmt=fmt, color=colour, ms=4, lw=1.2, label=label)
        if fmt == "o-":
            panel.set_xticks(places)


def main() -> None:
    """Write the figure and the tables into the docs."""
    measured = DOCS / "measured"
    (measured / "error_rates.svg").write_text(figure())
    (measured / "error_rates.md").write_text(page())
    statistics = DOCS / "statistics.md"
    text = statistics.read_text()
    for begin, table, end in ((BEGIN, summary(), END), (PAIRS_BEGIN, pairs(), PAIRS_END)):
        before, rest = text.split(begin)
        text = before + table + rest.split(end)[1]
    statistics.write_text(text)


if __name__ == "__main__":
    main()
