"""The command `export`."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from realitycheck import verbs
from realitycheck.cli.arguments import StudyFile
from realitycheck.cli.loading import warn
from realitycheck.cli.progress import making, out
from realitycheck.cli.signals import ending

OptunaFile = Annotated[
    Path | None, typer.Option(help="An SQLite file for every trial; optuna-dashboard opens it.", show_default=False)
]
ParquetFolder = Annotated[
    Path | None, typer.Option(help="A folder for tables of trials, runs, curves and scores.", show_default=False)
]
BoardFolder = Annotated[Path | None, typer.Option(help="A folder for TensorBoard.", show_default=False)]
BestFolder = Annotated[
    Path | None, typer.Option(help="A folder for the chosen settings and the best model.", show_default=False)
]
LossLabel = Annotated[
    str | None, typer.Option(help="The loss whose model is written; the best by validation.", show_default=False)
]
Weights = Annotated[bool, typer.Option(help="With --best, write the model; it may have to be trained again.")]

Embed = Annotated[Path | None, typer.Option(help="With --best, a folder of images to embed.", show_default=False)]


def export(
    study: StudyFile,
    *,
    optuna: OptunaFile = None,
    parquet: ParquetFolder = None,
    tensorboard: BoardFolder = None,
    best: BestFolder = None,
    loss: LossLabel = None,
    weights: Weights = True,
    embed: Embed = None,
) -> None:
    """Write trials, curves and scores for other tools, or the chosen settings and the best model, finished or not."""
    with ending(), making() as watch:
        written = verbs.export_study(
            study,
            optuna=optuna,
            parquet=parquet,
            tensorboard=tensorboard,
            best=best,
            loss=loss,
            weights=weights,
            embed=embed,
            watch=watch,
            say=warn,
        )
    for path in written:
        out.print(str(path), markup=False, soft_wrap=True)
    if optuna is not None:
        out.print(f"open it with: optuna-dashboard {quote(f'sqlite:///{optuna}')}", markup=False, soft_wrap=True)
    if tensorboard is not None:
        out.print(f"open it with: tensorboard --logdir {quote(str(tensorboard))}", markup=False, soft_wrap=True)
