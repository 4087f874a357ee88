"""The arguments and options of commands that are more than a name, as typer reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from realitycheck.cli.progress import Mode
from realitycheck.executors.menu import MENU

EXECUTORS = "; ".join(f"{name}, {entry.title}" for name, entry in MENU.items())

StudyFiles = Annotated[
    list[str],
    typer.Argument(help="Study files; with --compare also tables, such as warped2024:cub200.", show_default=False),
]
Compare = Annotated[bool, typer.Option("--compare", help="Put them side by side on one page.")]
Images = Annotated[bool, typer.Option("--images", help="Draw stored neighbours from the data, for this machine alone.")]
StudyFile = Annotated[Path, typer.Argument(help="A study file, such as studies/demo.yaml.", show_default=False)]
Executor = Annotated[str, typer.Option(help=f"Where jobs run: {EXECUTORS}.")]
Address = Annotated[
    str | None,
    typer.Option(help="Of a Ray cluster, or auto; without it one is started on this machine.", show_default=False),
]
Workers = Annotated[int, typer.Option(help="Child processes at a time.", min=1)]
RunWorkers = Annotated[
    int | None, typer.Option(help="Child processes at a time; 2 on a CPU, one for each GPU.", min=1, show_default=False)
]
WorkWorkers = Annotated[
    int | None, typer.Option(help="Child processes at a time; 1 without it.", min=1, show_default=False)
]
PerDevice = Annotated[
    int | None, typer.Option(help="Child processes at a time on each device.", min=1, show_default=False)
]
Device = Annotated[
    str, typer.Option(help="cpu, cuda, cuda:0,cuda:1 and so on, or auto: the one of the protocol's arithmetic.")
]
Deadline = Annotated[
    float, typer.Option(help="Minutes of silence after which a job is killed and tried again.", min=0.1)
]
Memory = Annotated[
    float | None,
    typer.Option(
        help="GB that a job may hold; a share of this machine's memory.", min=0.1, max=1e6, show_default=False
    ),
]

Deviation = Annotated[
    float | None,
    typer.Option(help="Standard deviation in points that the design rests on, of an earlier study.", min=0.0),
]
Pilot = Annotated[
    Path | None, typer.Option(help="An earlier study under the same protocol, from which to take that deviation.")
]

CheckpointEvery = Annotated[
    str, typer.Option(help="Longest time between two checkpoints in a run, such as 30s, 5m or 1h; `off` for none.")
]
UntilSearch = Annotated[
    Literal["search"] | None,
    typer.Option("--until", help="search: leave once every search is done; the test half stays closed."),
]
Until = Annotated[str | None, typer.Option(help="When to leave: a duration such as 55m, or a time such as 17:30.")]

ShowProgress = Annotated[
    Mode, typer.Option("--progress", help="auto: live on a terminal, lines elsewhere; plain; quiet; json: JSON lines.")
]
Graphs = Annotated[bool, typer.Option("--graphs", help="Replay steps on a GPU as CUDA graphs, where bits are equal.")]
Again = Annotated[
    bool, typer.Option("--again", help="Try jobs once more that earlier workers gave up after three failures.")
]
Reuse = Annotated[
    list[Path] | None, typer.Option(help="Folder of another study's records; those of equal id are copied.")
]
