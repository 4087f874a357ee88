"""A file of published tables: what it may say, and what in it is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from realitycheck.errors import InputError, Problem
from realitycheck.losses import menu
from realitycheck.protocol.document import Document, read_document
from realitycheck.protocol.schema import nearest, validate
from realitycheck.runs import Category

Count = Annotated[int, Field(ge=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Phrase = Annotated[str, Field(min_length=1)]
Pair = tuple[Percent, Percent | None]
"""A mean and the half-width of its interval; null where none was read."""


class Written(BaseModel):
    """The base of every part of such a file: frozen, strict, and deaf to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Protocol(Written):
    """How a paper measured, a phrase each; what differs by dataset stands with its table."""

    embedding: Phrase
    batch: Phrase
    training: Phrase
    search: Phrase
    runs: Phrase


class Loss(Written):
    """A loss by the paper's name.

    `ours` is the loss of the menu that computes the same, by whatever name; null where none is known to. The note says
    what a reader must know of the pairing.
    """

    name: Phrase
    ours: Phrase | None
    note: str = ""


class Scores(Written):
    """One line of a block, in percent; null where a metric was not read."""

    map_at_r: Pair
    r_precision: Pair | None
    precision_at_1: Pair | None


class Block(Written):
    """One category of one table; `trust` says where its numbers were read and whether anything confirms them."""

    dims: Count
    n: Count
    trust: Phrase
    scores: dict[str, Scores]


class Table(Written):
    """A paper's numbers on one dataset."""

    table: Phrase
    source: Phrase
    trunk: Phrase
    split: Phrase
    blocks: Annotated[dict[Category, Block], Field(min_length=1)]


class Paper(Written):
    """One file: the tables of one paper, by the menu's names of their datasets."""

    authors: Phrase
    year: Count
    paper: Phrase
    protocol: Protocol
    losses: dict[str, Loss]
    tables: dict[str, Table]


def read_paper(path: Path) -> Paper:
    """The tables of one file.

    Raises:
        InputError: the file is wrong; it lists every problem with its line.
    """
    document = read_document(path, source=path.name)
    paper, problems = validate(Paper, document)
    problems += [*document.problems, *(_strangers(paper, document) if paper else ())]
    if paper is None or problems:
        raise InputError(path.name, problems)
    return paper


def _strangers(paper: Paper, document: Document) -> Iterator[Problem]:
    """Names that nothing bears, and one loss of ours that two of a paper's claim to be."""
    taken: set[str] = set()
    for key, loss in paper.losses.items():
        if loss.ours is not None and (says := _wrong_ours(loss.ours, taken)):
            yield document.lines.problem(("losses", key, "ours"), says)
        taken |= {loss.ours} if loss.ours else set()
    for name, table in paper.tables.items():
        for category, block in table.blocks.items():
            yield from _strangers_of(block, paper, document, ("tables", name, "blocks", category.value))


def _wrong_ours(ours: str, taken: set[str]) -> str:
    if menu.entry(ours) is None:
        return f"must be a loss of the menu, or null; got '{ours}'. {nearest(ours, list(menu.MENU))}"
    return f"must be another loss than any before it; got '{ours}' again. Write null." if ours in taken else ""


def _strangers_of(block: Block, paper: Paper, document: Document, keys: tuple[str, ...]) -> Iterator[Problem]:
    for key in block.scores:
        if key not in paper.losses:
            says = f"must be one of the losses above; got '{key}'. {nearest(key, list(paper.losses))}"
            yield document.lines.problem((*keys, "scores", key), says)
