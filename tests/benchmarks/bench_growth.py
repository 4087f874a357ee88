"""How costs grow with items, dimensions, records, losses and workers: seconds of the processor and fitted exponents.

    python tests/benchmarks/bench_growth.py                 measures, and prints a table
    python tests/benchmarks/bench_growth.py --write         also writes docs/measured/growth.json, figure and table

An exponent is the slope of a line through the logarithms, by least squares over the upper half of the sizes, where
fixed costs such as imports weigh least. Scores are computed on one thread. Records are answers of the right form and
size in place of training, see `large_study.py`.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bench_coordinator import in_process
from bench_scoring import made_up
from large_study import RECORDS_PER_LOSS, ROOT, carry_on, fill, large_study
from worker_curve import between

from realitycheck import metrics
from realitycheck.arithmetic import cpu_model
from realitycheck.report.drawing import COLOURS, draw

OUT, FIGURE = ROOT / "docs" / "measured" / "growth.json", ROOT / "docs" / "figures" / "growth.svg"
PAGE = ROOT / "docs" / "performance.md"

ITEMS, DIMS = (1_000, 2_000, 4_000, 8_000, 16_000, 32_000), (32, 64, 128, 256, 512, 1_024)
LOSSES, RECORDED, WORKERS = (2, 4, 8, 16, 32), 10_000, (1, 2, 4, 8, 16, 32)
REPEATS, JOBS = 3, 100
TICKS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)

TITLES = {
    "items": "a score at D = 128, by items",
    "dims": "a score of 4,000 items, by dimensions",
    "status": "`status`, by records",
    "report": "`report`, by losses",
    "coordinator": "a run with 4 workers, by records",
    "workers": f"a run at {RECORDED:,} records, by workers",
}
"""Name of a row → what is measured."""


def main() -> None:
    """Measure, print, and write where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write JSON, figure and the table of the page")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = {**_scores(), **_records()}
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    measured = {
        "commit": commit.strip(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": f"{cpu_model()}, Python {platform.python_version()}, torch {torch.__version__.partition('+')[0]}",
        "rows": rows,
    }
    print("\n".join(table(measured)))
    if given.write:
        OUT.write_text(json.dumps(measured, indent=1) + "\n")
        FIGURE.write_text(figure(measured), encoding="utf-8")
        PAGE.write_text(between(PAGE.read_text(encoding="utf-8"), "growth", "\n".join(table(measured))))


def _scores() -> dict[str, Any]:
    """Seconds to score, by items and by dimensions."""
    return {
        "items": {size: _median(_score_of(size, 128)) for size in ITEMS},
        "dims": {size: _median(_score_of(4_000, size)) for size in DIMS},
    }


def _score_of(items: int, dims: int) -> Callable[[], object]:
    embeddings, labels = made_up(items, dims, items // 50)
    return lambda: metrics.retrieval_scores(embeddings, labels, distance="cosine")


def _median(work: Callable[[], object]) -> float:
    """The median processor seconds of some repeats, after one that is not counted."""
    seconds = []
    for _ in range(REPEATS + 1):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return round(statistics.median(seconds[1:]), 5)


def _records() -> dict[str, Any]:
    """Seconds of commands and of the coordinator, by losses and so by records, and by workers."""
    rows: dict[str, dict[int, float]] = {"status": {}, "report": {}, "coordinator": {}, "workers": {}}
    for losses in LOSSES:
        with tempfile.TemporaryDirectory() as folder:
            study = large_study(Path(folder), records=losses * RECORDS_PER_LOSS)
            half = fill(study, records=losses * RECORDS_PER_LOSS // 2)
            rows["coordinator"][half] = _per_run(study, workers=4)
            _emptied(study)
            whole = fill(study, records=losses * RECORDS_PER_LOSS)
            rows["status"][whole] = round(in_process("status", study)["processor"], 2)
            rows["report"][losses] = round(in_process("report", study)["processor"], 2)
    for workers in WORKERS:
        with tempfile.TemporaryDirectory() as folder:
            study = large_study(Path(folder), records=2 * RECORDED)
            fill(study, records=RECORDED)
            rows["workers"][workers] = _per_run(study, workers=workers)
    return rows


def _per_run(study: Path, *, workers: int) -> float:
    """Processor seconds of the coordinator from one answer to the next."""
    marks = carry_on(study, workers=workers, jobs=JOBS)
    return round((marks[-1].cpu - marks[0].cpu) / (len(marks) - 1), 5)


def _emptied(study: Path) -> None:
    for name in ("ledger", "attempts"):
        shutil.rmtree(study.parent / study.stem / name)


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The slope of the logarithms over the upper half of the sizes."""
    begin = len(sizes) // 2
    return float(np.polyfit(np.log(sizes[begin:]), np.log(seconds[begin:]), 1)[0])


def table(measured: dict[str, Any]) -> list[str]:
    """The table of the page."""
    lines = ["| what | from | seconds | to | seconds | exponent |", "|---|---|---|---|---|---|"]
    for name, title in TITLES.items():
        sizes, seconds = _points(measured, name)
        ends = f"{sizes[0]:,} | {seconds[0]:.3g} | {sizes[-1]:,} | {seconds[-1]:.3g}"
        slope = f"{exponent(sizes, seconds):.2f}".replace("-", "−")
        lines.append(f"| {title} | {ends} | {slope} |")
    return lines


def figure(measured: dict[str, Any]) -> str:
    """A panel for each row, both axes logarithmic."""

    def paint(canvas: Any) -> None:
        colours = (*COLOURS, *COLOURS)
        for panel, (name, title), colour in zip(canvas.subplots(3, 2).flat, TITLES.items(), colours, strict=False):
            sizes, seconds = _points(measured, name)
            panel.loglog(sizes, seconds, "o-", color=colour, markersize=4)
            panel.set_title(title.replace("`", ""))
            panel.set_xticks(sizes, [f"{size:,}" for size in sizes])
            panel.minorticks_off()
            ticks = [tick for tick in TICKS if min(seconds) / 4 <= tick <= max(seconds) * 4]
            panel.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
            panel.set_ylim(ticks[0] / 1.2, ticks[-1] * 1.2)
            panel.grid()
            slope = f"{exponent(sizes, seconds):.2f}".replace("-", "−")
            panel.text(0.98, 0.06, f"exponent {slope}", transform=panel.transAxes, ha="right")
        for panel in canvas.axes[::2]:
            panel.set_ylabel("processor seconds")

    title = "Processor seconds by items, dimensions, records, losses and workers, with fitted exponents"
    return draw(paint, name="growth", height=7.6, title=title, caption="").svg


def _points(measured: dict[str, Any], name: str) -> tuple[list[int], list[float]]:
    row = {int(size): float(seconds) for size, seconds in measured["rows"][name].items()}
    return list(row), list(row.values())


if __name__ == "__main__":
    main()
