"""The curve of the predicted wall time to 1,000 workers, its table and figure, and the tables of docs/scaling.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT)]

from matplotlib.figure import Figure as Canvas  # noqa: E402

from realitycheck.plan.job_graph import JobGraph, JobSeconds  # noqa: E402
from realitycheck.plan.wall_time import least_time, wall_time  # noqa: E402
from realitycheck.protocol.model import Protocol  # noqa: E402
from realitycheck.protocol.read import read_study  # noqa: E402
from realitycheck.report.drawing import COLOURS, INK, draw  # noqa: E402

FIGURE = ROOT / "docs" / "figures" / "scaling.svg"
PAGE = ROOT / "docs" / "scaling.md"

SECONDS = JobSeconds(proposal=1.0, fold=100.0, complete=100.0, fold_score=10.0, complete_score=5.0)
"""A training of 100 s: other lengths stretch the whole curve, as long as proposals are short beside them."""

LOSSES, ROUNDS, SEARCHES = 14, (1, 2, 4, 8), (1, 2)
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)

XTICKS, YTICKS = (1, 4, 16, 64, 256, 1000), (0.1, 0.3, 1, 3, 10, 30, 100)


def write_all(out: Path) -> None:
    """Compute the curve, and write the JSON, the tables in the page, and the figure."""
    known = json.loads(out.read_text()) if out.exists() else {}
    known["curve"] = [curve(searches, size) for searches in SEARCHES for size in ROUNDS]
    out.write_text(json.dumps(known, indent=1) + "\n")
    text = PAGE.read_text(encoding="utf-8")
    for name, table in TABLES.items():
        text = between(text, name, "\n".join(table(known[name])))
    PAGE.write_text(text, encoding="utf-8")
    FIGURE.write_text(figure(known["curve"]), encoding="utf-8")


def between(text: str, name: str, table: str) -> str:
    """A page with another table between the two comments of this name."""
    head, begin, rest = text.partition(f"<!-- {name} -->\n")
    _, end, tail = rest.partition(f"<!-- end of {name} -->")
    if not begin or not end:
        raise ValueError(f"the page has no table {name}")
    return f"{head}{begin}{table}\n{end}{tail}"


def protocol_of(searches: int, size: int) -> Protocol:
    """The protocol musgrave2020 with this many searches a loss, proposals in rounds of this size."""
    protocol = read_study(ROOT / "studies" / "musgrave2020_cub200.yaml").study.protocol_on("cub200")
    search = protocol.search.model_copy(update={"searches": searches, "round": size})
    return protocol.model_copy(update={"search": search})


def curve(searches: int, size: int) -> dict[str, Any]:
    """The hours of a study, by the number of workers."""
    graph = JobGraph()
    losses = {f"loss {number}": SECONDS for number in range(LOSSES)}
    graph.add_dataset("cub200", protocol_of(searches, size), losses)
    return {
        "searches": searches,
        "round": size,
        "jobs": sum(node.seconds is not None for node in graph.nodes),
        "least": round(least_time(graph.nodes) / 3600, 2),
        "hours": {str(count): round(wall_time(graph.nodes, workers=count).seconds / 3600, 2) for count in WORKERS},
    }


def compared(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The table of what was carried out."""
    yield "| jobs that | workers | jobs | took, s | predicted, s | difference |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        way = "train" if row["how"] == "training" else "sleep"
        numbers = f"{row['seconds']:,.1f} | {row['predicted']:,.1f} | {row['difference']:+.1f} %"
        yield f"| {way} | {row['workers']} | {row['jobs']} | {numbers} |"


def hours(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The table of the curve."""
    yield "| searches | round | jobs | " + " | ".join(f"{count:,}" for count in WORKERS) + " | longest chain |"
    yield "|---" * (len(WORKERS) + 4) + "|"
    for row in rows:
        cells = " | ".join(f"{row['hours'][str(count)]:.3g}" for count in WORKERS)
        yield f"| {row['searches']} | {row['round']} | {row['jobs']:,} | {cells} | {row['least']:.3g} |"


TABLES = {"compared": compared, "curve": hours}
"""The tables of the page, by their names in it and in the JSON."""


def figure(rows: Sequence[Mapping[str, Any]]) -> str:
    """The curves: hours by workers, a panel for each number of searches."""

    def paint(canvas: Canvas) -> None:
        panels = canvas.subplots(1, len(SEARCHES), sharey=True)
        for panel, searches in zip(panels, SEARCHES, strict=True):
            own = [row for row in rows if row["searches"] == searches]
            ideal = [own[0]["hours"]["1"] / count for count in WORKERS]
            panel.plot(WORKERS, ideal, color=INK, linestyle=":", linewidth=1, label="work divided by workers")
            for row, colour in zip(own, COLOURS, strict=False):
                times = [row["hours"][str(count)] for count in WORKERS]
                panel.plot(WORKERS, times, "o-", color=colour, markersize=3.5, label=f"rounds of {row['round']}")
            panel.set_xscale("log")
            panel.set_yscale("log")
            panel.set_title(f"{searches} search{'es' * (searches > 1)} a loss")
            panel.set_xlabel("workers")
            panel.set_xticks(XTICKS, [f"{tick:,}" for tick in XTICKS])
            panel.set_yticks(YTICKS, [f"{tick:g}" for tick in YTICKS])
            panel.minorticks_off()
            panel.grid()
        panels[0].set_ylabel("hours")
        panels[0].legend()

    title = "Predicted hours of a study of 14 losses by the number of workers, for rounds of 1, 2, 4 and 8"
    return draw(paint, name="scaling", height=3.8, title=title, caption="").svg


if __name__ == "__main__":
    write_all(ROOT / "docs" / "measured" / "workers.json")
