"""The figures of a judged paper: differences with their intervals, and the luck that each of them survives."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from realitycheck.report.blocks import Figure
from realitycheck.report.drawing import BAND, COLOURS, GREY, INK, Style, draw, name_rows
from realitycheck.report.forest import height_of
from realitycheck.report.papers.judged_counts import MEASURED, nearest_of
from realitycheck.report.papers.judged_pairs import LEVEL, JudgedFamily, JudgedPair
from realitycheck.report.papers.judged_paper import JudgedPaper
from realitycheck.report.wording import METRIC_NAMES, percent

METRIC = "map_at_r"
"""The metric of the figures, by which both papers chose their settings, and in which luck was measured."""

NEAREST: Style = (COLOURS[0], "o")
CLAIMED: Style = (COLOURS[1], "D")
"""The marks of the differences from the highest other loss and from that of the claim."""

TWO_SEARCHES = 1.96 * 2**0.5
"""The deviation between searches times this: 95 % of the differences of two equal losses with one search each."""


def difference_figure(judged: JudgedPaper, dataset: str) -> Figure:
    """MAP@R of one dataset: one panel a category, and bands of what luck alone makes."""
    families = [family for family in _shown(judged) if (family.dataset, family.metric) == (dataset, METRIC)]
    name = judged.called(families[0].reference)
    what = f"{name} minus each loss" if families[0].leads else f"Each loss minus {name}"

    def paint(canvas: Canvas) -> None:
        panels = canvas.subplots(1, len(families), sharey=True, squeeze=False).ravel().tolist()
        for panel, family in zip(panels, families, strict=True):
            _paint_family(panel, judged, family)
        panels[0].set_ylim(len(families[0].pairs) - 0.4, -0.6)

    bars = f" Bars: {percent(LEVEL)} intervals of Welch's test, uncorrected." if judged.tested else ""
    low, high = min(MEASURED), max(MEASURED)
    return draw(
        paint,
        name=f"differences-{dataset}",
        height=height_of(len(families[0].pairs)),
        title=f"{what} on {dataset}, {METRIC_NAMES[METRIC]}",
        caption=f"{what}, {METRIC_NAMES[METRIC]}, points.{bars} Bands: 95 % of the differences of two equal losses "
        f"with one search each and no noise of runs, where searches of a loss deviate by {low:g} points (dark) and by "
        f"{high:g} points (pale), as measured on grocery photos.",
    )


def luck_figure(judged: JudgedPaper) -> Figure:
    """For every column, the luck up to which its leader stays above the highest other loss, and above a claim's."""
    leading = [family for family in judged.families if family.leads]
    claim = judged.paper.judged.claim
    own = judged.called(judged.paper.judged.own) if judged.paper.judged.own else "the highest loss"

    def paint(canvas: Canvas) -> None:
        panel = canvas.subplots()
        name_rows(panel, list(map(_column_name, leading)))
        for luck in MEASURED:
            panel.axvline(luck, color=GREY, lw=0.9, ls=(0, (4, 3)), zorder=1)
            panel.text(
                luck, 1.005, f"{luck:g}", transform=panel.get_xaxis_transform(), ha="center", fontsize=9, color=GREY
            )
        for row, family in enumerate(leading):
            _mark(panel, row - 0.14, nearest_of(family), NEAREST)
            _mark(panel, row + 0.14, _claimed(judged, family), CLAIMED)
        over = [f"above {judged.called(claim.over)}"] if claim else []
        _legend(panel, ["above the highest other loss", *over])
        panel.set_xlim(left=0)
        panel.set_xlabel("standard deviation between searches of one loss, points")

    most = "" if judged.tested else " These are upper bounds: those of runs without any noise."
    return draw(
        paint,
        name="luck",
        height=0.95 + 0.24 * len(leading),
        title=f"How much luck of the search the lead of {own} survives, column by column",
        caption=f"The largest deviation between searches at which {own} is still significantly above, if each loss had "
        "one search. No mark: not significantly above, even without luck of the search. Dashed: deviations measured "
        f"on grocery photos.{most}",
    )


def _shown(judged: JudgedPaper) -> list[JudgedFamily]:
    """The families of the paper's own loss; those of its first baseline where it has none."""
    own = judged.paper.judged.own
    if own is not None:
        return [family for family in judged.families if family.leads]
    first = judged.paper.judged.baselines[0]
    return [family for family in judged.families if family.is_of(first)]


def _paint_family(panel: Axes, judged: JudgedPaper, family: JudgedFamily) -> None:
    others = [pair.second if family.leads else pair.first for pair in family.pairs]
    for luck in (max(MEASURED), min(MEASURED)):
        panel.axvspan(-TWO_SEARCHES * luck, TWO_SEARCHES * luck, color=BAND, alpha=0.5, lw=0, zorder=0)
    panel.axvline(0, color=GREY, lw=0.8, zorder=1)
    name_rows(panel, [judged.called(other) for other in others])
    panel.set_title(family.category.value)
    panel.set_xlabel("points")
    for row, pair in enumerate(family.pairs):
        if pair.tested:
            ends = [100 * pair.tested.interval.low, 100 * pair.tested.interval.high]
            panel.plot(ends, [row] * 2, color=COLOURS[0], lw=3)
        panel.plot([100 * pair.difference], [row], ls="", marker="o", ms=5, color=INK, zorder=3)


def _column_name(family: JudgedFamily) -> str:
    return f"{family.dataset}, {family.category.value}, {METRIC_NAMES[family.metric]}"


def _claimed(judged: JudgedPaper, family: JudgedFamily) -> JudgedPair | None:
    """The claim's difference in the column of a family, corrected over all losses against that of the claim."""
    claim, column = judged.paper.judged.claim, (family.dataset, family.category, family.metric)
    for other in judged.families if claim else ():
        if claim and other.is_of(claim.over) and (other.dataset, other.category, other.metric) == column:
            return other.against(family.reference)
    return None


def _mark(panel: Axes, row: float, pair: JudgedPair | None, style: Style) -> None:
    """A mark where the first loss of the pair is significantly above; upper bounds are hollow."""
    colour, marker = style
    if pair is not None and pair.difference > 0 and pair.survives is not None:
        fill = colour if pair.tested else "white"
        panel.plot([100 * pair.survives], [row], ls="", marker=marker, ms=5, mec=colour, mfc=fill, zorder=3)


def _legend(panel: Axes, texts: list[str]) -> None:
    for text, (colour, marker) in zip(texts, (NEAREST, CLAIMED), strict=False):
        panel.plot([], [], ls="", marker=marker, ms=5, color=colour, label=text)
    panel.legend(loc="lower right", frameon=True, facecolor="white", edgecolor="none", framealpha=1)
