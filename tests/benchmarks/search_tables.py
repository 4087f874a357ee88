"""The table, the JSON and the figure of the benchmark of searches, from the packed ledgers alone."""

from __future__ import annotations

import json
import math
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import pyplot as plt
from scipy import stats
from search_cells import ORDER, ROOT, SURFACES, Budget, Cell, write_files

from realitycheck import verbs
from realitycheck.protocol.space import Bounds, Space
from realitycheck.records.evidence import LossEvidence, SearchEvidence
from realitycheck.records.ledger import Ledger
from realitycheck.runs import Category
from realitycheck.verbs.report import study_evidence

FIGURES = ROOT / "docs" / "figures"
matplotlib.use("svg")
plt.rcParams.update({"svg.hashsalt": "searches", "svg.fonttype": "none", "font.family": "DejaVu Sans"})

ON_BOUND = 1e-9
"""How near to a bound, as a share of the range on its scale, counts as on it."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the searches of a cell end apart, in points.

    Args:
        means: of each search, over its seeds.
        mean: of these.
        between: their standard deviation.
        low: of a 95 % interval of `between` by chi-square, which needs normal means.
        high: of it.
        seed: standard deviation of one seed within its search, pooled.
        search: √max(0, between² − seed²/r): without the seeds' part.
    """

    means: tuple[float, ...]
    mean: float
    between: float
    low: float
    high: float
    seed: float
    search: float


@dataclass(frozen=True, slots=True)
class Row:
    """One cell under one budget.

    Args:
        cell: its name.
        surface: what is searched on.
        loss: the loss.
        sampler: the sampler.
        rate: the fixed shared rate, or None.
        startup: how start-up trials are drawn.
        trials: of each search.
        select: the rule of selection.
        knobs: how many are searched.
        validation: MAP@R of the chosen setting of each search, in points.
        complete: test MAP@R of the complete models.
        aggregate: test MAP@R of the fold models.
        rates: the chosen shared rate of each search.
        on_bounds: share of the proposals by the sampler with a knob on a bound; None for a sampler of start-up only.
        ask: median seconds of such a proposal, in a child process; None without notes.
        trainings: runs in the ledger.
    """

    cell: str
    surface: str
    loss: str
    sampler: str
    rate: float | None
    startup: str
    trials: int
    select: str
    knobs: int
    validation: Spread
    complete: Spread
    aggregate: Spread
    rates: tuple[float | None, ...]
    on_bounds: float | None
    ask: float | None
    trainings: int


def spread_of(scores: Sequence[Sequence[float]]) -> Spread:
    """The spread of searches from the scores of their seeds; with one score each, seeds have no part."""
    means = tuple(statistics.fmean(own) for own in scores)
    freedom = sum(len(own) - 1 for own in scores)
    squares = math.fsum((value - mean) ** 2 for own, mean in zip(scores, means, strict=True) for value in own)
    seed = math.sqrt(squares / freedom) if freedom else 0.0
    between, count = statistics.stdev(means), len(means) - 1
    low, high = (between * math.sqrt(count / stats.chi2.ppf(tail, count)) for tail in (0.975, 0.025))
    search = math.sqrt(max(0.0, between**2 - seed**2 / len(scores[0])))
    return Spread(means, statistics.fmean(means), between, low, high, seed, search)


def share_on_bounds(trials: Sequence[Mapping[str, Any]], space: Space) -> float | None:
    """The share of settings with a number on a bound of its range; None without settings."""
    ranges = {name: bounds for name, bounds in space.items() if isinstance(bounds, Bounds)}
    if not trials:
        return None
    return statistics.fmean(any(_is_bound(one[name], bounds) for name, bounds in ranges.items()) for one in trials)


def _is_bound(value: float, bounds: Bounds) -> bool:
    low, high = bounds.bounds
    return math.isclose(value, low, rel_tol=ON_BOUND, abs_tol=ON_BOUND * (high - low)) or math.isclose(
        value, high, rel_tol=ON_BOUND, abs_tol=ON_BOUND * (high - low)
    )


def row_of(out: Path, cell: Cell, budget: Budget) -> Row | None:
    """The row of a cell under a budget, or None while a search, a replicate or a score of it is missing."""
    if not (out / cell.name / "ledger.jsonl.gz").exists():
        return None
    with tempfile.TemporaryDirectory() as home:
        read = verbs.open_study(write_files(Path(home), cell, budget))
        ledger = Ledger(shutil.copytree(out / cell.name, Path(home) / "studies" / cell.name))
        (evidence,) = study_evidence(read, ledger)
        (loss,) = evidence.losses
        scores = {category: _scores(loss, category) for category in (Category.COMPLETE, Category.AGGREGATE)}
        if not all(search.done for search in loss.searches) or any(not own for own in scores.values()):
            return None
        space = read.study.protocol.space_of(read.study.losses[0], SURFACES[cell.surface].dataset)
        asked = [trial for search in loss.searches for trial in search.trials if trial.source == cell.sampler]
        names = {f"proposal {trial.slot + 1}" for trial in asked}
        return Row(
            **{name: getattr(cell, name) for name in ("surface", "loss", "sampler", "rate", "startup")},
            **asdict(budget),
            cell=cell.name,
            knobs=sum(not isinstance(bounds, int | float | str) for bounds in space.values()),
            validation=spread_of([[100 * value] for value in _validations(loss)]),
            complete=spread_of(scores[Category.COMPLETE]),
            aggregate=spread_of(scores[Category.AGGREGATE]),
            rates=tuple(_rate(search, cell) for search in loss.searches),
            on_bounds=share_on_bounds([trial.knobs for trial in asked], space),
            ask=_ask(ledger, names),
            trainings=sum(1 for record in ledger.records.values() if record.kind == "run"),
        )


def _way(row: Row) -> str:
    """How a cell is searched and chosen from: `gp`, `gp, posterior_mean` or `gp, startup qmc`."""
    startup = [] if row.startup == "random" else [f"startup {row.startup}"]
    return ", ".join((row.sampler, *startup, *([] if row.select == "best" else [row.select])))


def _validations(loss: LossEvidence) -> list[float]:
    return [search.chosen.value for search in loss.searches if search.chosen and search.chosen.value is not None]


def _scores(loss: LossEvidence, category: Category) -> list[list[float]]:
    """Points of every replicate, search by search; empty while one is missing."""
    found = [
        [loss.score(replicate, category=category, metric="map_at_r") for replicate in search.replicates]
        for search in loss.searches
    ]
    known = [[100 * value for value in own if value is not None] for own in found]
    return known if all(own and len(own) == len(rest) for own, rest in zip(known, found, strict=True)) else []


def _rate(search: SearchEvidence, cell: Cell) -> float | None:
    name = SURFACES[cell.surface].rate
    return None if name is None or search.chosen is None else float(search.chosen.knobs[name])


def _ask(ledger: Ledger, names: set[str]) -> float | None:
    """Median seconds of these proposals by the notes, whose titles end like `proposal 9/25`."""
    done = [note for note in ledger.notes() if note["kind"] == "done" and "proposal" in note.get("title", "")]
    seconds = [note["seconds"] for note in done if note["title"].split(": ")[-1].split("/")[0] in names]
    return statistics.median(seconds) if seconds else None


def write_all(out: Path) -> None:
    """Write `rows.json` and `table.md` beside the ledgers, and the figures of docs/searches.md."""
    rows = [row for row in (row_of(out, cell, budget) for cell, budget in ORDER) if row]
    content = json.dumps([asdict(row) for row in rows], indent=1)
    (out / "rows.json").write_text(content + "\n", encoding="utf-8")
    (out / "table.md").write_text("\n".join([*_table(rows), "", *_correlations(rows)]) + "\n", encoding="utf-8")
    if rows:
        _draw(rows, FIGURES / "searches.svg")
        _draw_rates(rows, FIGURES / "searches_rate.svg")
    print((out / "table.md").read_text(encoding="utf-8"))


HEADINGS = (
    "loss", "knobs", "sampler", "rate", "trials", "validation, mean (range)", "complete, mean (range)",
    "sd between searches", "of a seed", "search sd", "aggregate, mean", "its search sd", "on bounds", "ask, s",
)  # fmt: skip


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| " + " | ".join(HEADINGS) + " |"
    yield "|" + "---|" * len(HEADINGS)
    for row in rows:
        test = row.complete
        cells = [
            row.loss,
            str(row.knobs),
            _way(row),
            "searched" if row.rate is None else f"{row.rate:g}",
            str(row.trials),
            _ranged(row.validation),
            _ranged(test),
            f"{test.between:.2f} ({test.low:.2f}–{test.high:.2f})",
            f"{test.seed:.2f}",
            f"{test.search:.2f}",
            f"{row.aggregate.mean:.2f}",
            f"{row.aggregate.search:.2f}",
            "–" if row.on_bounds is None else f"{100 * row.on_bounds:.0f} %",
            "–" if row.ask is None else f"{row.ask:.2f}",
        ]
        yield "| " + " | ".join(cells) + " |"


def _ranged(spread: Spread) -> str:
    return f"{spread.mean:.2f} ({min(spread.means):.2f}–{max(spread.means):.2f})"


def _correlations(rows: Sequence[Row]) -> Iterator[str]:
    """Over all searches of a loss on one surface: what predicts the test score of the setting with the best value."""
    rows = [row for row in rows if row.select == "best"]
    yield "| loss | searches | Spearman of validation and test | of the chosen rate and test |"
    yield "|---|---|---|---|"
    for surface, loss in dict.fromkeys((row.surface, row.loss) for row in rows):
        own = [row for row in rows if (row.surface, row.loss) == (surface, loss) and row.trials == rows[0].trials]
        test = [value for row in own for value in row.complete.means]
        validation = [value for row in own for value in row.validation.means]
        searched = [row for row in own if row.rate is None and None not in row.rates]
        rates = [rate for row in searched for rate in row.rates]
        of_rates = [value for row in searched for value in row.complete.means]
        rate = f"{stats.spearmanr(rates, of_rates).statistic:.2f}" if rates else "–"
        yield f"| {loss} | {len(test)} | {stats.spearmanr(validation, test).statistic:.2f} | {rate} |"


def _draw(rows: Sequence[Row], path: Path) -> None:
    """One line of points a row: the searches, by validation and by test."""
    canvas, panels = plt.subplots(1, 2, figsize=(9.6, 1.2 + 0.34 * len(rows)), sharey=True, layout="constrained")
    for panel, part, title in zip(
        panels, ("validation", "complete"), ("Validation, chosen setting", "Test, complete"), strict=True
    ):
        for height, row in enumerate(rows):
            spread = getattr(row, part)
            panel.plot(spread.means, [height] * len(spread.means), "o", color="#0072B2", alpha=0.55, markersize=5)
            panel.plot([spread.mean] * 2, [height - 0.3, height + 0.3], color="#222222")
        panel.set_title(title, loc="left", fontsize=10.5, fontweight="bold")
        panel.set_xlabel("MAP@R, points")
        panel.grid(axis="x", color="#EEF0F2")
        panel.spines[["top", "right"]].set_visible(b=False)
    fixed = {True: "", False: ", rate fixed"}
    names = [f"{row.loss}, {_way(row)}{fixed[row.rate is None]}, {row.trials}" for row in rows]
    panels[0].set_yticks(range(len(rows)), names)
    panels[0].invert_yaxis()
    canvas.savefig(path, metadata={"Date": None})


COLOURS = {"contrastive": "#0072B2", "nt_xent": "#D55E00", "soft_triple": "#009E73"}
SHAPES = {"gp": "o", "gp_guarded": "s", "tpe": "^", "qmc": "D", "random": "v", "botorch": "P"}


def _draw_rates(rows: Sequence[Row], path: Path) -> None:
    """A point per search, the loss by its colour and the sampler by its shape: the chosen rate, and the test score."""
    canvas, panel = plt.subplots(figsize=(9.6, 3.6), layout="constrained")
    for row in (row for row in rows if row.rate is None and None not in row.rates):
        if row.select == "best" and row.trials == rows[0].trials and row.startup == "random":
            style = {"color": COLOURS[row.loss], "marker": SHAPES[row.sampler], "label": f"{row.loss}, {row.sampler}"}
            panel.plot(row.rates, row.complete.means, ls="", alpha=0.7, **style)
    panel.set_xscale("log")
    panel.set_xlabel("chosen rate of the embedder")
    panel.set_ylabel("test MAP@R, complete, points")
    panel.grid(color="#EEF0F2")
    panel.spines[["top", "right"]].set_visible(b=False)
    canvas.legend(frameon=False, loc="outside right upper")
    canvas.savefig(path, metadata={"Date": None})
