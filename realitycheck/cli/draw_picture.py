"""`picture`."""

from __future__ import annotations

from math import isfinite, nan
from pathlib import Path
from typing import Annotated

import typer

from realitycheck import verbs
from realitycheck.cli.progress import out
from realitycheck.errors import InputError

MOST = 100
"""Classes of a landscape: their vectors are at equal angles, and more than these cannot be distinguished."""

Losses = Annotated[list[str], typer.Argument(help="Losses of the menu, such as warped_softmax.", show_default=False)]
Classes = Annotated[
    list[int], typer.Option(help="Classes of a landscape; given several times, one panel each.", min=2, max=MOST)
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="A hyper-parameter, such as point=0.5.", show_default=False)
]
Folder = Annotated[Path, typer.Option(help="Where the files go.")]
Embeddings = Annotated[bool, typer.Option("--embeddings", help="Train a small net, and draw its plane instead.")]
FashionMnist = Annotated[
    Path | None, typer.Option(help="Root of torchvision's FashionMNIST; else sketches.", show_default=False)
]


def picture(
    losses: Losses,
    classes: Classes = [2, 4],  # noqa: B006 - typer copies it
    settings: Settings = None,
    to: Folder = Path(),
    embeddings: Embeddings = False,  # noqa: FBT002 - typer makes an option of it
    fashion_mnist: FashionMnist = None,
) -> None:
    """Draw landscapes of losses with class vectors, planes of losses on pairs, or embeddings, as SVG."""
    knobs = dict(_knob(text) for text in settings or [])
    if embeddings:
        paths = [verbs.picture_embeddings(losses, knobs=knobs, folder=to, fashion_mnist=fashion_mnist)]
    else:
        paths = [verbs.picture(loss, classes=classes, knobs=knobs, folder=to) for loss in losses]
    for path in paths:
        out.print(str(path), markup=False, soft_wrap=True)


def _knob(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        number = int(value) if value.lstrip("-").isdecimal() else float(value)
    except ValueError:
        number = nan
    if not isfinite(number):
        says = f"'{text}' is not allowed here: write a name and a finite number, such as `point=0.5`."
        raise InputError.one("the command line", "setting-invalid", says, where="--set")
    return name, number
