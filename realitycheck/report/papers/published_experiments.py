"""Published tables of experiments beside the main tables: functions, corruptions, faces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from realitycheck.errors import InputError
from realitycheck.protocol.document import read_document
from realitycheck.protocol.validation import validate
from realitycheck.report.blocks import Block, Column, Note, RowGroup, Table
from realitycheck.report.papers.paper_files import PaperPart, Phrase, Positive
from realitycheck.report.wording import DASH

FOLDER = Path(__file__).parent / "experiments"
"""One file per paper."""


class ExperimentColumn(PaperPart):
    """A column: its heading, and what it is called here: an evaluation, a metric or another key of a section."""

    name: Phrase
    key: Phrase


class ExperimentRow(PaperPart):
    """A line: its name in the paper, what it is called here or null, what must be known of it, and its numbers."""

    name: Phrase
    ours: Phrase | None
    note: str
    values: Annotated[tuple[float, ...], Field(min_length=1)]


class ExperimentTable(PaperPart):
    """One table, with how far to trust it."""

    title: Phrase
    dataset: Phrase
    trust: Phrase
    columns: Annotated[tuple[ExperimentColumn, ...], Field(min_length=1)]
    rows: Annotated[tuple[ExperimentRow, ...], Field(min_length=1)]


class PaperExperiments(PaperPart):
    """One file: the experiments of one paper, by the numbers of their tables."""

    authors: Phrase
    year: Positive
    paper: Phrase
    tables: dict[str, ExperimentTable]


@cache
def published_experiments() -> Mapping[str, PaperExperiments]:
    """The files by name.

    Raises:
        InputError: one is invalid.
    """
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.yaml"))}


def _read(path: Path) -> PaperExperiments:
    document = read_document(path, source=path.name)
    value, problems = validate(PaperExperiments, document)
    if value is None or problems or document.problems:
        raise InputError(path.name, [*problems, *document.problems])
    return value


def experiment_blocks(
    paper: str,
    number: str,
    own: Mapping[str, Mapping[str, float | None]],
    called: Mapping[str, str],
    *,
    further: Sequence[ExperimentColumn] = (),
) -> Iterator[Block]:
    """Print one table, below each of its lines that has a counterpart the numbers of this study.

    Args:
        paper: the name of its file.
        number: of the table in the paper.
        own: label of a loss of the study → its numbers by key of a column, in the paper's unit.
        called: label of a loss → its name in the column `ours`.
        further: columns after those of the paper, of this study alone.
    """
    source = published_experiments()[paper]
    table = source.tables[number]
    short = f"{source.authors} ({source.year})"
    columns = (*table.columns, *further)
    yield Table(
        (Column("Published as"), Column("Here"), *(Column(column.name, number=True) for column in columns)),
        tuple(_lines(table, columns, own, called)),
        caption=f"{short}, table {number}: {table.title}, on {table.dataset}; below a line, in pale, the same of this "
        "study. Data, network and settings differ, so no difference is tested.",
    )
    notes = "; ".join(f"{row.name}: {row.note}" for row in table.rows if row.note)
    yield Note(f"How far to trust it: {table.trust}." + (f" {notes}." if notes else "") + f" {source.paper}.")


def _lines(
    table: ExperimentTable,
    columns: Sequence[ExperimentColumn],
    own: Mapping[str, Mapping[str, float | None]],
    called: Mapping[str, str],
) -> Iterator[RowGroup]:
    for row in table.rows:
        values = [f"{value:.2f}" for value in row.values]
        yield RowGroup(((row.name, row.ours or DASH, *values, *(DASH for _ in columns[len(values) :])),))
        for label in (label for label, name in called.items() if row.ours is not None and name == row.ours):
            yield RowGroup((("this study", label, *_numbers(columns, own[label])),), muted=True)


def _numbers(columns: Sequence[ExperimentColumn], known: Mapping[str, float | None]) -> list[str]:
    values = [known.get(column.key) for column in columns]
    return [DASH if value is None else f"{value:.2f}" for value in values]
