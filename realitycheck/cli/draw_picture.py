"""`picture`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from realitycheck import verbs
from realitycheck.cli.progress import out
from realitycheck.errors import InputError

Loss = Annotated[str, typer.Argument(help="A loss of the menu, such as warped_softmax.", show_default=False)]
Classes = Annotated[list[int], typer.Option(help="Classes of a landscape; given several times, one panel each.", min=2)]
Setting = Annotated[
    list[str] | None, typer.Option("--set", help="A hyper-parameter, such as point=0.5.", show_default=False)
]
Folder = Annotated[Path, typer.Option(help="Where the file goes.")]


def picture(loss: Loss, classes: Classes = [2, 4], settings: Setting = None, to: Folder = Path()) -> None:  # noqa: B006
    """Draw the landscape of a loss with class vectors, or the plane of similarities of a loss on pairs, as SVG."""
    knobs = dict(_knob(text) for text in settings or [])
    out.print(str(verbs.picture(loss, classes=classes, knobs=knobs, folder=to)), markup=False, soft_wrap=True)


def _knob(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, int(value) if value.lstrip("-").isdecimal() else float(value)
    except ValueError:
        says = f"'{text}' is not allowed here: write a name and a number, such as `point=0.5`."
        raise InputError.one("the command line", "setting-invalid", says, where="--set") from None
