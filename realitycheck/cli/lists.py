"""Commands that list what is included: menus, published tables, and data that can be fetched."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from realitycheck import verbs
from realitycheck.cli.progress import making, out
from realitycheck.errors import InputError

Kind = Annotated[
    Literal["losses", "datasets", "trunks", "protocols", "spaces", "evaluations", "metrics", "samplers", "executors"],
    typer.Argument(help="What to list.", show_default=False),
]
Markdown = Annotated[bool, typer.Option("--markdown", help="Write the text of docs/losses.md instead.")]
Name = Annotated[str, typer.Argument(help="A dataset of the menu.", show_default=False)]
Published = Annotated[
    str, typer.Argument(help="A dataset of the menu, or a paper: warped2024, musgrave2020.", show_default=False)
]
Reports = Annotated[
    Path | None, typer.Option(help="Write the page and tables of a paper below this folder.", show_default=False)
]
Folder = Annotated[Path, typer.Argument(help="Folder for data; the dataset gets its own in it.", show_default=False)]


PIPE_WIDTH = 400
"""Columns of a list that no terminal shows."""

COUNTED = (
    "of: comparisons. printed: higher by the means. Last columns: significant after Holm's correction if each loss had "
    "one search, by the standard deviation between searches in points. Measured ones: docs/searches.md."
)
"""The note below the counts of a paper."""


def catalog(kind: Kind, markdown: Markdown = False) -> None:  # noqa: FBT002 - typer makes an option of it
    """List what a study or a protocol can name, such as losses; protocols and spaces also of this folder."""
    if markdown and kind == "losses":
        sys.stdout.write(verbs.losses_markdown())
        return
    head, rows = verbs.listed(kind, home=Path.cwd())
    # Into a pipe, lines stay whole: a word that is cut at 80 columns cannot be searched for.
    shown = out if out.is_terminal else Console(width=PIPE_WIDTH, highlight=False)
    shown.print(_table(head, rows, whole_names=True))
    if kind == "datasets":
        out.print("`realitycheck fetch NAME FOLDER` downloads a dataset, or prints where to get it.")


def published(name: Published, reports: Reports = None) -> None:
    """Show the tables that papers published on a dataset, or what the printed differences of a paper support."""
    if judged := verbs.judged_rows(name):
        sentences, (head, rows) = judged
        for sentence in sentences:
            out.print(sentence, markup=False, soft_wrap=True)
        out.print(_table(head, rows, whole_names=False))
        out.print(COUNTED, markup=False, soft_wrap=True)
        for path in verbs.report_published(name, reports / f"published_{name}") if reports else ():
            out.print(str(path), markup=False, soft_wrap=True)
        return
    if reports:
        says = f"`--reports` is not allowed here: it writes the page of a paper, and '{name}' is none."
        raise InputError.one("the command line", "reports-of-a-dataset", says, where="--reports")
    _print_tables(name)


def _print_tables(dataset: str) -> None:
    head, blocks, explained = verbs.published_blocks(dataset)
    for block in blocks:
        out.print(f"\n[bold]{block.title}[/]", soft_wrap=True)
        for heading, fact in (*block.details, ("Trust", block.trust)):
            out.print(f"{heading}: {fact}", markup=False, soft_wrap=True)
        out.print(_table(head, block.rows, whole_names=True))
        for note in block.notes:
            out.print(note, markup=False, soft_wrap=True)
    out.print(explained, markup=False, soft_wrap=True)


def fetch(dataset: Name, folder: Folder) -> None:
    """Download a dataset, check its digest and unpack it; or print where to get it and which layout it needs."""
    with making() as watch:
        root = verbs.fetch_data(dataset, folder, watch=watch)
    out.print(f"root: {root}", markup=False, soft_wrap=True)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, whole_names: bool) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(head):
        table.add_column(column, overflow="fold", no_wrap=position == 0 and whole_names)  # to be copied as a whole
    for row in rows:
        table.add_row(*row)
    return table
