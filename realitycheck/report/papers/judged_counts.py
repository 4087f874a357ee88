"""How many of a paper's printed differences remain: by the mean alone, by a test, and with luck of the search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from realitycheck.report.papers.judged_pairs import LEVEL, JudgedFamily, JudgedPair
from realitycheck.report.papers.paper_files import Paper

ASSUMED = (0.25, 0.5, 1.0, 1.5)
"""Deviations between searches of one loss, in points, that the counts assume."""

MEASURED = {0.46: "nt_xent by gp", 1.54: "contrastive by gp_guarded", 1.76: "contrastive by gp"}
"""Those measured in complete models on grocery photos, in points of MAP@R (docs/searches.md)."""

LUCKS = tuple(sorted({*ASSUMED, *MEASURED}))
"""All of them, the smallest first."""

Group = tuple[JudgedPair, ...]
"""Differences that count as one: all of them must be above zero."""


@dataclass(frozen=True, slots=True)
class JudgedCount:
    """How many groups of differences remain.

    Args:
        compared: what is counted, such as `Warped-Softmax above ProxyNCA++`.
        of: number of groups.
        higher: by the printed means alone.
        alone: by Welch's test without correction; None where nothing is tested.
        holm: after Holm's correction; None where nothing is tested.
        surviving: deviation between searches in points → how many stay significant; upper bounds where nothing is
            tested.
    """

    compared: str
    of: int
    higher: int
    alone: int | None
    holm: int | None
    surviving: Mapping[float, int]


@dataclass(frozen=True, slots=True)
class PaperCounts:
    """All counts of a paper; its leader is its own loss, or the highest of each column where it has none.

    Args:
        against: the loss of the paper above each baseline; for a paper without one, all losses above and below it.
        nearest: the leader above the highest other loss of its column.
        every: the leader above every other loss of its column.
        below: the highest other loss above that of the paper; None for a paper without one.
    """

    against: tuple[JudgedCount, ...]
    nearest: JudgedCount
    every: JudgedCount
    below: JudgedCount | None

    @property
    def rows(self) -> tuple[JudgedCount, ...]:
        """In the order in which they are printed."""
        return (*self.against, self.nearest, self.every, *([self.below] if self.below else []))


def count_paper(paper: Paper, families: Sequence[JudgedFamily]) -> PaperCounts:
    """Count what remains of a paper."""
    own = paper.losses[paper.judged.own].name if paper.judged.own else None
    leading = [family for family in families if family.leads]
    nearest = [(nearest_of(family),) for family in leading]
    below = [(pair.flipped,) for (pair,) in nearest]
    name = own or "The highest loss of a column"
    return PaperCounts(
        against=tuple(_against_baselines(paper, families)),
        nearest=_count(f"{name} above the highest other loss", nearest),
        every=_count(f"{name} above every other loss", [family.pairs for family in leading]),
        below=_count(f"The highest other loss above {name}", below) if own else None,
    )


def _against_baselines(paper: Paper, families: Sequence[JudgedFamily]) -> Iterator[JudgedCount]:
    own = paper.judged.own
    for key in paper.judged.baselines:
        name = paper.losses[key].name
        ours = [family for family in families if family.is_of(key)]
        if own is not None:
            pairs = [pair for family in ours if (pair := family.against(own))]
            yield _count(f"{paper.losses[own].name} above {name}", [(pair,) for pair in pairs])
        else:
            pairs = [pair for family in ours for pair in family.pairs]
            yield _count(f"A loss above {name}", [(pair,) for pair in pairs])
            yield _count(f"A loss below {name}", [(pair.flipped,) for pair in pairs])


def nearest_of(family: JudgedFamily) -> JudgedPair:
    """The difference from the highest of the others."""
    return min(family.pairs, key=lambda pair: pair.difference)


def _count(compared: str, groups: Sequence[Group]) -> JudgedCount:
    tested = all(pair.tested is not None for group in groups for pair in group)
    return JudgedCount(
        compared=compared,
        of=len(groups),
        higher=sum(all(pair.difference > 0 for pair in group) for group in groups),
        alone=sum(all(map(_alone, group)) for group in groups) if tested else None,
        holm=_surviving(groups, luck=0.0) if tested else None,
        surviving={luck: _surviving(groups, luck=luck / 100) for luck in LUCKS},
    )


def _alone(pair: JudgedPair) -> bool:
    return pair.difference > 0 and pair.tested is not None and pair.tested.p < 1 - LEVEL


def _surviving(groups: Sequence[Group], *, luck: float) -> int:
    return sum(all(pair.above(luck=luck) for pair in group) for group in groups)
