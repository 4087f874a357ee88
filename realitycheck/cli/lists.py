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
from realitycheck.cli.progress import making

out = Console(highlight=False)

Kind = Annotated[Literal["losses", "datasets", "trunks"], typer.Argument(help="What to list.", show_default=False)]
Markdown = Annotated[bool, typer.Option("--markdown", help="Write the text of docs/losses.md instead.")]
Name = Annotated[str, typer.Argument(help="A dataset of the menu.", show_default=False)]
Folder = Annotated[Path, typer.Argument(help="Folder for data; the dataset gets its own in it.", show_default=False)]


def catalog(kind: Kind, markdown: Markdown = False) -> None:  # noqa: FBT002 - typer makes an option of it
    """List what a study can name: losses, datasets or trunks."""
    if markdown and kind == "losses":
        sys.stdout.write(verbs.losses_markdown())
        return
    head, rows = verbs.listed(kind)
    out.print(_table(head, rows))
    if kind == "datasets":
        out.print("`realitycheck fetch NAME FOLDER` downloads a dataset, or prints where to get it.")


def published(dataset: Name) -> None:
    """Show the tables that papers published on a dataset, and how reliable each of them is."""
    head, blocks, explained = verbs.published_blocks(dataset)
    for block in blocks:
        out.print(f"\n[bold]{block.title}[/]", soft_wrap=True)
        for heading, fact in (*block.details, ("Trust", block.trust)):
            out.print(f"{heading}: {fact}", markup=False, soft_wrap=True)
        out.print(_table(head, block.rows))
        for note in block.notes:
            out.print(note, markup=False, soft_wrap=True)
    out.print(explained, markup=False, soft_wrap=True)


def fetch(dataset: Name, folder: Folder) -> None:
    """Download a dataset, check its digest and unpack it; or print where to get it and which layout it needs."""
    with making() as watch:
        root = verbs.fetch_data(dataset, folder, watch=watch)
    out.print(f"root: {root}", markup=False, soft_wrap=True)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for position, column in enumerate(head):
        table.add_column(column, overflow="fold", no_wrap=position == 0)  # names must be copied as a whole
    for row in rows:
        table.add_row(*row)
    return table
