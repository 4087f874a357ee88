"""Published tables as values, by dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from realitycheck.metrics.menu import METRICS
from realitycheck.report.papers.paper_files import Paper, PaperBlock, PaperScores, read_paper
from realitycheck.report.wording import points
from realitycheck.runs import Category

FOLDER = Path(__file__).parent
"""One file per paper."""


@dataclass(frozen=True, slots=True)
class PublishedNumber:
    """A published mean in [0, 1] and the half-width of its interval; None where they were not read."""

    mean: float | None
    half_width: float | None

    @property
    def mean_text(self) -> str:
        """In points; a dash where there is none."""
        return "–" if self.mean is None else points(self.mean)

    @property
    def half_text(self) -> str:
        """In points; empty where there is none."""
        return "" if self.half_width is None else points(self.half_width)

    @property
    def text(self) -> str:
        """`23.63 ± 0.24`, or the mean alone."""
        return f"{self.mean_text} ± {self.half_text}" if self.half_text else self.mean_text


@dataclass(frozen=True, slots=True)
class PublishedLoss:
    """One line of a block.

    Args:
        name: the loss as the paper calls it.
        ours: the loss of the menu that computes the same, or None.
        note: what must be known of this pairing, or of its absence; mostly empty.
        numbers: by metric.
    """

    name: str
    ours: str | None
    note: str
    numbers: Mapping[str, PublishedNumber]


@dataclass(frozen=True, slots=True)
class PublishedBlock:
    """One category of a table: its width, the runs behind each number, their reliability, and the losses."""

    category: Category
    dims: int
    n: int
    trust: str
    losses: tuple[PublishedLoss, ...]

    def of(self, ours: str) -> PublishedLoss | None:
        """The line of the same loss as one of the menu."""
        return next((loss for loss in self.losses if loss.ours == ours), None)


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """What one paper published on one dataset.

    Args:
        dataset: its name on the menu.
        authors: in short.
        year: of the paper.
        paper: the whole reference.
        table: which table of the paper.
        source: where the numbers were read.
        protocol: how they were measured: heading → phrase.
        blocks: one per category.
    """

    dataset: str
    authors: str
    year: int
    paper: str
    table: str
    source: str
    protocol: Mapping[str, str]
    blocks: tuple[PublishedBlock, ...]

    @property
    def short(self) -> str:
        """`DeMoor and Prevost (2024)`."""
        return f"{self.authors} ({self.year})"

    def block(self, category: Category) -> PublishedBlock | None:
        """The block of one category."""
        return next((block for block in self.blocks if block.category == category), None)


def published_papers() -> dict[str, Paper]:
    """The files of papers by name, the oldest paper first."""
    return dict(_papers())


def published_tables(dataset: str) -> tuple[PublishedTable, ...]:
    """All tables published on a dataset of the menu, the oldest paper first; empty where none is known here."""
    return tuple(_table(paper, dataset) for paper in _papers().values() if dataset in paper.tables)


def published_datasets() -> tuple[str, ...]:
    """The datasets that `published_tables` knows."""
    return tuple(dict.fromkeys(name for paper in _papers().values() for name in paper.tables))


def paper_tables() -> list[str]:
    """The names of all tables: `warped2024:cub200` and others."""
    return [f"{name}:{dataset}" for name, paper in _papers().items() for dataset in paper.tables]


def paper_table(paper: str, dataset: str) -> PublishedTable | None:
    """The table of one paper on one dataset, or None where there is none."""
    known = _papers().get(paper)
    return _table(known, dataset) if known and dataset in known.tables else None


@cache
def _papers() -> dict[str, Paper]:
    papers = {path.stem: read_paper(path) for path in sorted(FOLDER.glob("*.yaml"))}
    return dict(sorted(papers.items(), key=lambda item: item[1].year))


def _table(paper: Paper, dataset: str) -> PublishedTable:
    table, protocol = paper.tables[dataset], paper.protocol
    return PublishedTable(
        dataset=dataset,
        authors=paper.authors,
        year=paper.year,
        paper=paper.paper,
        table=table.table,
        source=table.source,
        protocol={
            "Trunk": table.trunk,
            "Embedding": protocol.embedding,
            "Split": table.split,
            "Batch": protocol.batch,
            "Training": protocol.training,
            "Search": protocol.search,
            "Runs": protocol.runs,
        },
        blocks=tuple(_block(paper, category, block) for category, block in table.blocks.items()),
    )


def _block(paper: Paper, category: Category, block: PaperBlock) -> PublishedBlock:
    named = {key: paper.losses[key] for key in block.scores}
    losses = tuple(
        PublishedLoss(loss.name, loss.ours, loss.note, _numbers(block.scores[key])) for key, loss in named.items()
    )
    return PublishedBlock(category, block.dims, block.n, block.trust, losses)


def _numbers(scores: PaperScores) -> dict[str, PublishedNumber]:
    pairs = {metric: getattr(scores, metric) or (None, None) for metric in METRICS}
    return {
        metric: PublishedNumber(mean=_share(mean), half_width=_share(half)) for metric, (mean, half) in pairs.items()
    }


def _share(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
