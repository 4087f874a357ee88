"""Read a file of published tables, with every problem in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from realitycheck.errors import InputError, Problem
from realitycheck.losses import menu
from realitycheck.protocol.document import Document, read_document
from realitycheck.protocol.validation import nearest, validate
from realitycheck.runs import Category

Positive = Annotated[int, Field(ge=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Phrase = Annotated[str, Field(min_length=1)]
MeanAndHalf = tuple[Percent, Percent | None]
"""A mean and the half-width of its interval; null where none was read."""


class PaperPart(BaseModel):
    """The base of every part of such a file: frozen and strict; unknown keys are rejected."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PaperProtocol(PaperPart):
    """How a paper measured, a phrase each; differences between datasets are given with their tables."""

    embedding: Phrase
    batch: Phrase
    training: Phrase
    search: Phrase
    runs: Phrase


class PaperLoss(PaperPart):
    """A loss by the paper's name.

    `ours` is the loss of the menu that computes the same, by whatever name; null where none is known to. The note says
    what must be known of the pairing.
    """

    name: Phrase
    ours: Phrase | None
    note: str = ""


class PaperScores(PaperPart):
    """One line of a block, in percent; null where a metric was not read."""

    map_at_r: MeanAndHalf
    r_precision: MeanAndHalf | None
    precision_at_1: MeanAndHalf | None


class PaperBlock(PaperPart):
    """One category of one table; `trust` says where its numbers were read and whether anything confirms them."""

    dims: Positive
    n: Positive
    trust: Phrase
    scores: dict[str, PaperScores]


class PaperTable(PaperPart):
    """A paper's numbers on one dataset."""

    table: Phrase
    source: Phrase
    trunk: Phrase
    split: Phrase
    blocks: Annotated[dict[Category, PaperBlock], Field(min_length=1)]


class PaperClaim(PaperPart):
    """A count that a paper states: in how many of its columns its own loss has a higher mean than another one.

    Args:
        over: the other loss.
        higher: how many by the paper.
        of: out of how many.
        place: where the paper says so.
    """

    over: Phrase
    higher: Positive
    of: Positive
    place: Phrase


class PaperJudged(PaperPart):
    """How the paper's differences are judged, by the file's keys of its losses.

    Args:
        baselines: every loss is compared with each of them, where the table has it.
        own: the loss that the paper proposes; null for none. It is compared with every other one.
        untrained: rows that are no losses.
        claim: a count that the paper states; null for none.
        doubts: what else must be known to judge these numbers, a paragraph each.
    """

    baselines: tuple[Phrase, ...]
    own: Phrase | None
    untrained: tuple[Phrase, ...]
    claim: PaperClaim | None
    doubts: tuple[Phrase, ...]


class Paper(PaperPart):
    """One file: the tables of one paper, by the menu's names of their datasets."""

    authors: Phrase
    year: Positive
    paper: Phrase
    protocol: PaperProtocol
    losses: dict[str, PaperLoss]
    judged: PaperJudged
    tables: dict[str, PaperTable]


def read_paper(path: Path) -> Paper:
    """Read the tables of one file.

    Raises:
        InputError: the file is invalid; it lists every problem with its line.
    """
    document = read_document(path, source=path.name)
    paper, problems = validate(Paper, document)
    problems += [*document.problems, *(_unknown_names(paper, document) if paper else ())]
    if paper is None or problems:
        raise InputError(path.name, problems)
    return paper


def _unknown_names(paper: Paper, document: Document) -> Iterator[Problem]:
    """Find unknown names, and losses of the menu that two losses of the paper are paired with."""
    taken: set[str] = set()
    for key, loss in paper.losses.items():
        if loss.ours is not None and (says := _wrong_ours(loss.ours, taken)):
            yield document.lines.problem(("losses", key, "ours"), "ours-unknown", says)
        taken |= {loss.ours} if loss.ours else set()
    for name, key in _judged_names(paper.judged):
        known = paper.judged.baselines if name == "claim" else paper.losses
        if key not in known:
            says = f"unknown {'baseline' if name == 'claim' else 'loss'} '{key}'. {nearest(key, list(known))}"
            yield document.lines.problem(("judged", name), "loss-unknown", says)
    for name, table in paper.tables.items():
        for category, block in table.blocks.items():
            yield from _unknown_rows(block, paper, document, ("tables", name, "blocks", category.value))


def _judged_names(judged: PaperJudged) -> Iterator[tuple[str, str]]:
    yield from (("baselines", key) for key in judged.baselines)
    yield from (("untrained", key) for key in judged.untrained)
    yield from (("own", key) for key in (judged.own,) if key is not None)
    yield from (("claim", claim.over) for claim in (judged.claim,) if claim is not None)


def _wrong_ours(ours: str, taken: set[str]) -> str:
    if menu.entry(ours) is None:
        return f"unknown loss '{ours}'. {nearest(ours, list(menu.MENU))}"
    return f"duplicate loss '{ours}': it is paired with a loss above. Write null." if ours in taken else ""


def _unknown_rows(block: PaperBlock, paper: Paper, document: Document, keys: tuple[str, ...]) -> Iterator[Problem]:
    for key in block.scores:
        if key not in paper.losses:
            says = f"unknown loss '{key}'. {nearest(key, list(paper.losses))}"
            yield document.lines.problem((*keys, "scores", key), "loss-unknown", says)
