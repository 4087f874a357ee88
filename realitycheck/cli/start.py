"""What comes first: `--version`, and the command `init`."""

from __future__ import annotations

from typing import Annotated

import typer

import realitycheck
from realitycheck import verbs
from realitycheck.cli.loading import warn
from realitycheck.cli.plan_summary import in_points, wall_sentences
from realitycheck.cli.progress import making, out
from realitycheck.cli.result_lines import print_warnings
from realitycheck.cli.signals import ending

Images = Annotated[
    str,
    typer.Argument(
        help="A folder with one sub-folder of images per class, a CSV list, or a dataset of the menu.",
        show_default=False,
    ),
]
Root = Annotated[str | None, typer.Option(help="The images of a dataset of the menu.", show_default=False)]
StudyName = Annotated[str | None, typer.Option(help="Of the study; that of the folder.", show_default=False)]
ProtocolName = Annotated[
    str | None, typer.Option(help="Its name; one for the images and this machine.", show_default=False)
]
Searches = Annotated[
    str,
    typer.Option(help="1x50: as published. 2x25 or 2x50: two searches, so that verdicts include the luck of a search."),
]
Measure = Annotated[bool, typer.Option(help="Measure this machine to predict the hours.")]


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    if wanted:
        out.print(f"realitycheck {realitycheck.__version__}", markup=False)
        raise typer.Exit(0)


def every_command(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """When every loss gets the same data, model, tuning budget and seeds, which losses really differ?"""


def init(
    images: Images,
    *,
    root: Root = None,
    name: StudyName = None,
    protocol: ProtocolName = None,
    searches: Searches = "2x25",
    plan: Measure = True,
) -> None:
    """Write a study on your images to studies/ of this folder: what they and this machine allow, with comments."""
    with ending(), making() as watch:
        made = verbs.init_study(
            images,
            root=root,
            name=name,
            protocol=protocol,
            searches=searches,
            measure=plan,
            watch=watch,
            say=warn,
        )
    for fact in (*made.facts, *made.design):
        out.print(fact, markup=False, soft_wrap=True)
    print_warnings(made.read, made.warnings)
    if made.plan is not None:
        for line in (*list(wall_sentences(made.plan, 2))[:1], in_points(made.plan)):
            out.print(line, markup=False, soft_wrap=True)
    place = made.read.source
    out.print(f"wrote {place}, which passes `check`. Next: realitycheck run {place}", markup=False, soft_wrap=True)
