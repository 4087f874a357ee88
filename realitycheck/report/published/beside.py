"""A study's scores beside what was published on the same dataset. Nothing here is tested: the protocols differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from realitycheck.protocol.model import Batch, Protocol, Study
from realitycheck.report.facts import protocol_lines
from realitycheck.report.published.tables import PublishedBlock, PublishedLoss, PublishedTable, published_tables
from realitycheck.report.scores import Row
from realitycheck.report.words import count
from realitycheck.runs import Category

HALVES = {
    "sorted": "first half of the classes for trainval, second half for the test half",
    "shuffled": "half of the classes for trainval, half for the test half, drawn by a seed",
    "official": "trainval and test half as the dataset's makers cut them",
}
"""Each rule of a split, in words."""


@dataclass(frozen=True, slots=True)
class Line:
    """One loss in one category.

    Args:
        label: ours; of a loss that the study has not, what the papers call it.
        row: ours; None where the study has it not.
        published: the published numbers, one for each column of the part; None where a paper has it not.
    """

    label: str
    row: Row | None
    published: tuple[PublishedLoss | None, ...]

    @property
    def called(self) -> str:
        """What the papers call the loss."""
        return _named(self.published)


@dataclass(frozen=True, slots=True)
class Part:
    """One category: a column for each paper that has it, and the lines, the study's own losses first."""

    category: Category
    columns: tuple[tuple[PublishedTable, PublishedBlock], ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """All that is published on one dataset, beside one study.

    Args:
        tables: one per paper.
        protocols: how everybody measured: heading, ours, and a phrase for each table.
        parts: one for each category that the study has and somebody published.
        notes: what a reader must know of single pairings: authors, name of the loss, and what.
    """

    tables: tuple[PublishedTable, ...]
    protocols: tuple[tuple[str, str, tuple[str, ...]], ...]
    parts: tuple[Part, ...]
    notes: tuple[tuple[str, str, str], ...]


def beside(study: Study, dataset: str, rows: Sequence[Row]) -> Beside | None:
    """The study's rows on one of its datasets beside the published ones; None where no category has any."""
    address = next((each.address for each in study.datasets if each.name == dataset), "")
    tables = published_tables(address)
    parts = tuple(_parts(study, tables, rows))
    if not parts:
        return None
    return Beside(tables, _protocols(study.protocol, tables), parts, tuple(dict.fromkeys(_notes(parts))))


def _parts(study: Study, tables: Sequence[PublishedTable], rows: Sequence[Row]) -> Iterator[Part]:
    for category in study.protocol.categories:
        found = [(table, table.block(category)) for table in tables]
        columns = tuple((table, block) for table, block in found if block)
        if columns:
            blocks = [block for _, block in columns]
            yield Part(category, columns, (*_ours(study, blocks, rows), *_others(study, blocks)))


def _ours(study: Study, blocks: Sequence[PublishedBlock], rows: Sequence[Row]) -> Iterator[Line]:
    for row in rows:
        published = tuple(block.of(study.loss(row.label).address) for block in blocks)
        if any(published):
            yield Line(row.label, row, published)


def _others(study: Study, blocks: Sequence[PublishedBlock]) -> Iterator[Line]:
    """Losses that the study has not; two papers share a line where both mean the same loss of the menu."""
    addresses = {choice.address for choice in study.losses}
    every = [each for block in blocks for each in block.losses if each.ours not in addresses]
    for key in dict.fromkeys(map(_key, every)):
        found = tuple(_find(block, key) for block in blocks)
        yield Line(_named(found), None, found)


def _named(published: Sequence[PublishedLoss | None]) -> str:
    """`ProxyNCA / ProxyNCA++`: each name once."""
    return " / ".join(dict.fromkeys(each.name for each in published if each))


def _key(loss: PublishedLoss) -> tuple[str | None, str]:
    return (loss.ours, "") if loss.ours else (None, loss.name)


def _find(block: PublishedBlock, key: tuple[str | None, str]) -> PublishedLoss | None:
    return next((each for each in block.losses if _key(each) == key), None)


def _notes(parts: Sequence[Part]) -> Iterator[tuple[str, str, str]]:
    for part in parts:
        for line in part.lines:
            for (table, _), loss in zip(part.columns, line.published, strict=True):
                if loss and loss.note:
                    yield table.short, loss.name, loss.note


def _protocols(protocol: Protocol, tables: Sequence[PublishedTable]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    ours = _own_protocol(protocol)
    return tuple((name, told, tuple(table.protocol[name] for table in tables)) for name, told in ours.items())


def _own_protocol(protocol: Protocol) -> dict[str, str]:
    """This study's protocol under the headings of the published ones."""
    alike, folds = dict(protocol_lines(protocol, interval="")), protocol.folds
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
