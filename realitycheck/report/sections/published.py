"""The study's scores beside published ones of the same dataset. Nothing is tested: the protocols differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from realitycheck.losses.menu import MENU
from realitycheck.protocol.model import Batch, Protocol
from realitycheck.report.blocks import (
    Block,
    Column,
    Content,
    Estimate,
    Heading,
    Marked,
    Note,
    Paragraph,
    RowGroup,
    Table,
    Terms,
    rows_of,
)
from realitycheck.report.findings import DatasetFindings
from realitycheck.report.papers.published_tables import PublishedBlock, PublishedLoss, PublishedTable, published_tables
from realitycheck.report.rows import ScoreRow
from realitycheck.report.sections.base import Section
from realitycheck.report.sections.measured import held_constant
from realitycheck.report.wording import DASH, METRIC_NAMES, count, percent
from realitycheck.runs import Category

HALVES = {
    "sorted": "first half of the classes for trainval, second half for the test half",
    "shuffled": "half of the classes for trainval, half for the test half, drawn by a seed",
    "official": "the dataset's official trainval and test halves",
}
"""Each rule of a split, in words."""

UNTESTED = (
    "Others measured these losses on this dataset, each with a protocol of their own. Any difference between the "
    "protocols may explain a gap between their scores and ours. So no gap is tested, and none is a verdict on a loss."
)
"""The warning above all numbers."""


@dataclass(frozen=True, slots=True)
class Line:
    """One loss in one category.

    Args:
        label: our label; the papers' name for a loss that is not in the study.
        row: our scores; None for a loss that is not in the study.
        published: the published numbers, one for each column of the part; None if a paper has none.
    """

    label: str
    row: ScoreRow | None
    published: tuple[PublishedLoss | None, ...]

    @property
    def called(self) -> str:
        """The papers' name of the loss."""
        return _named(self.published)


@dataclass(frozen=True, slots=True)
class Part:
    """One category: a column for each paper that has it, and the lines, the study's own losses first."""

    category: Category
    columns: tuple[tuple[PublishedTable, PublishedBlock], ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class PublishedScores:
    """All that is published on one dataset, beside the scores of the study.

    Args:
        tables: one per paper.
        protocols: how the study and every paper measured: heading, our phrase, and one for each table.
        parts: one for each category of the study with published scores.
        notes: notes on single pairings: authors, name of the loss, and the note.
    """

    tables: tuple[PublishedTable, ...]
    protocols: tuple[tuple[str, str, tuple[str, ...]], ...]
    parts: tuple[Part, ...]
    notes: tuple[tuple[str, str, str], ...]


def find(dataset: DatasetFindings) -> PublishedScores | None:
    """Collect what is published on the dataset, or None where no category of the study is."""
    tables = published_tables(dataset.address)
    parts = tuple(_parts(dataset, tables))
    if not parts:
        return None
    return PublishedScores(
        tables, _protocols(dataset.study.protocol, tables), parts, tuple(dict.fromkeys(_notes(parts)))
    )


def blocks(dataset: DatasetFindings, facts: PublishedScores) -> Iterator[Block]:
    """Print how everybody measured, then one table per category with its notes."""
    level = percent(dataset.study.level)
    yield Heading(3, "Published tables")
    yield Paragraph(UNTESTED)
    yield Table(
        (Column(""), Column("This study"), *(Column(table.short) for table in facts.tables)),
        rows_of([(heading, ours, *theirs) for heading, ours, theirs in facts.protocols]),
        caption="The protocol of this study and of every paper.",
        prose=True,
    )
    yield Note(
        f"Percent; mean ± half-width of the interval: {level} over seeds for ours, 95 % over runs for published ones. "
        "A dash: not read from the paper. Pale rows: losses that are not in this study. The published name is printed "
        "below that of the study; losses are paired by what they compute, or as the notes say."
    )
    for part in facts.parts:
        yield _table(dataset, part)
        yield Terms(tuple((table.short, f"{_trust(block)}.") for table, block in part.columns))
    if facts.notes:
        yield Note(" ".join(f"{loss} of {paper}: {note}." for paper, loss, note in facts.notes))
    yield Note(" ".join(f"{table.paper}; {table.table}. Read in: {table.source}." for table in facts.tables))


def _table(dataset: DatasetFindings, part: Part) -> Table:
    papers = [f"{table.authors} {table.year}" for table, _ in part.columns]
    columns = [
        Column(head, number=True, group=metric) for metric in METRIC_NAMES.values() for head in ("Ours", *papers)
    ]
    ours = tuple(_line(dataset, part.category, line) for line in part.lines if line.row)
    others = tuple(_line(dataset, part.category, line) for line in part.lines if not line.row)
    groups = [RowGroup(rows, muted=muted) for rows, muted in ((ours, False), (others, True)) if rows]
    category = dataset.study.categories[part.category]
    return Table((Column("Loss"), *columns), tuple(groups), caption=f"{category} beside published scores.")


def _line(dataset: DatasetFindings, category: Category, line: Line) -> tuple[Content, ...]:
    name = Marked(line.label, line.row.every_mark, below=line.called) if line.row else line.label
    cells: list[Content] = []
    for metric in METRIC_NAMES:
        cells.append(_ours(dataset, line.row, category, metric))
        for loss in line.published:
            number = loss.numbers[metric] if loss else None
            cells.append(Estimate(number.mean, number.half_width) if number else DASH)
    return (name, *cells)


def _ours(dataset: DatasetFindings, row: ScoreRow | None, category: Category, metric: str) -> Content:
    """The score with its interval over seeds, as published ones have it; that of the protocol may count searches."""
    if row is None:
        return DASH
    cell = row.cell(category, metric)
    alone = cell.interval if dataset.study.estimator.over == "seeds" else cell.retraining
    return Estimate(cell.mean, alone.half_width if alone else None)


def _trust(block: PublishedBlock) -> str:
    return f"{block.dims} dimensions, {count(block.n, 'run')}; {block.trust}"


def _parts(dataset: DatasetFindings, tables: Sequence[PublishedTable]) -> Iterator[Part]:
    for category in dataset.study.categories:
        known = [(table, table.block(category)) for table in tables]
        columns = tuple((table, block) for table, block in known if block)
        if columns:
            published = [block for _, block in columns]
            yield Part(category, columns, (*_own_lines(dataset, published), *_other_lines(dataset, published)))


def _own_lines(dataset: DatasetFindings, published: Sequence[PublishedBlock]) -> Iterator[Line]:
    addresses = {loss.label: menu_name(loss.address) for loss in dataset.study.losses}
    for row in dataset.rows:
        losses = tuple(block.of(addresses[row.label]) for block in published)
        if any(losses):
            yield Line(row.label, row, losses)


def menu_name(address: str) -> str:
    """The loss of the menu beside which a loss is shown: itself, or the one of which it is a form."""
    entry = MENU.get(address)
    return entry.form_of if entry and entry.form_of else address


def _other_lines(dataset: DatasetFindings, published: Sequence[PublishedBlock]) -> Iterator[Line]:
    """Losses that are not in the study; two papers share a line for the same loss of the menu."""
    addresses = {menu_name(loss.address) for loss in dataset.study.losses}
    others = [loss for block in published for loss in block.losses if loss.ours not in addresses]
    for key in dict.fromkeys(map(_key, others)):
        losses = tuple(_loss_of(block, key) for block in published)
        yield Line(_named(losses), None, losses)


def _named(published: Sequence[PublishedLoss | None]) -> str:
    """`ProxyNCA / ProxyNCA++`: each name once."""
    return " / ".join(dict.fromkeys(loss.name for loss in published if loss))


def _key(loss: PublishedLoss) -> tuple[str | None, str]:
    return (loss.ours, "") if loss.ours else (None, loss.name)


def _loss_of(block: PublishedBlock, key: tuple[str | None, str]) -> PublishedLoss | None:
    return next((loss for loss in block.losses if _key(loss) == key), None)


def _notes(parts: Sequence[Part]) -> Iterator[tuple[str, str, str]]:
    for part in parts:
        for line in part.lines:
            for (table, _), loss in zip(part.columns, line.published, strict=True):
                if loss and loss.note:
                    yield table.short, loss.name, loss.note


def _protocols(protocol: Protocol, tables: Sequence[PublishedTable]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    ours = _own_protocol(protocol)
    return tuple((name, text, tuple(table.protocol[name] for table in tables)) for name, text in ours.items())


def _own_protocol(protocol: Protocol) -> dict[str, str]:
    """This study's protocol under the headings of the published ones."""
    alike, folds = dict(held_constant(protocol, interval="")), protocol.folds
    pairs, proxies = _shape(protocol.batches.pairs), _shape(protocol.batches.proxies)
    return {
        "Trunk": alike["Model"],
        "Embedding": alike["Embedding"],
        "Split": f"{HALVES[protocol.split.order]}; {count(folds.count, 'fold')} by the rule {folds.kind}",
        "Batch": f"{pairs} for losses of pairs, {proxies} for losses with class vectors",
        "Training": f"{protocol.recipe.optimizers.trunk.name} for the trunk, {count(len(protocol.phases), 'phase')}",
        "Search": alike["Search"],
        "Runs": alike["Retraining"],
    }


def _shape(batch: Batch) -> str:
    return f"{count(batch.classes, 'class', 'classes')} × {count(batch.per_class, 'image')}"


def _keys(facts: PublishedScores) -> dict[str, Any]:
    """Without our rows, which `tables.json` has already."""
    parts = [
        {
            "category": part.category,
            "papers": [table.short for table, _ in part.columns],
            "lines": [{"label": line.label, "published": line.published} for line in part.lines],
        }
        for part in facts.parts
    ]
    return {"published": {"protocols": facts.protocols, "parts": parts, "notes": facts.notes}}


SECTION = Section(
    name="published",
    subject=DatasetFindings,
    find=find,
    blocks=blocks,
    keys=_keys,
)
