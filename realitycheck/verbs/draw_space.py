"""`picture`: what a loss does in its space, as SVG documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from realitycheck.errors import InputError
from realitycheck.losses.menu import MENU
from realitycheck.protocol.knobs import own_knobs, phase_knobs
from realitycheck.protocol.paper_settings import first_length, first_setting
from realitycheck.protocol.units import LengthUnit, powers_of
from realitycheck.protocol.validation import nearest
from realitycheck.report.wording import number
from realitycheck.runs import Knobs

POINTS = 34
"""Of a grid in each direction; an even number, since the gradient of a cosine has no bound at the origin."""

EXTENT = 2.4
"""Of a landscape, in units of the length of a class vector."""


def picture(loss: str, *, classes: Sequence[int], knobs: Mapping[str, float], folder: Path | str) -> Path:
    """Draw a loss of the menu: the landscape of one with class vectors, the plane of similarities of one on pairs.

    Args:
        loss: its name.
        classes: numbers of classes, one landscape each; not used for a loss on pairs.
        knobs: hyper-parameters that replace those of the authors' own setting. Lengths are in units of the length of a
            class vector, as those of the setting are where its embedding length is known.
        folder: where the file goes: `landscape-<loss>.svg` or `plane-<loss>.svg`.

    Raises:
        InputError: the loss is unknown, a wrapper, or has no such picture, or a hyper-parameter is unknown.
    """
    # torch and matplotlib, that other verbs do without
    from realitycheck.losses.build import build
    from realitycheck.losses.landscapes import landscape, similarity_plane
    from realitycheck.report.space_pictures import landscape_picture, plane_picture, standalone
    from realitycheck.report.writers.text_files import write_texts

    entry = MENU[_known(loss)]
    values = {**_own_setting(loss), **knobs}
    setting = ", ".join(f"{name} {number(value)}" for name, value in values.items())
    if entry.family == "pairs":
        built = build(loss, num_classes=2, embedding_dim=3, seed=0, **values)
        figure = plane_picture(loss, setting, similarity_plane(built, low=-0.2, points=POINTS))
    else:
        landscapes = [
            landscape(
                build(loss, num_classes=count, embedding_dim=2, seed=0, **values),
                classes=count,
                extent=EXTENT,
                points=POINTS,
            )
            for count in classes
        ]
        figure = landscape_picture(loss, setting, landscapes)
    (path,) = write_texts(Path(folder), {f"{figure.name}.svg": standalone(figure)})
    return path


def picture_embeddings(
    losses: Sequence[str], *, knobs: Mapping[str, float], folder: Path | str, fashion_mnist: Path | None = None
) -> Path:
    """Draw the two-dimensional embeddings of a small net, one loss beside another.

    Args:
        losses: names of the menu.
        knobs: hyper-parameters that replace those of the authors' own setting, of each loss that has them.
        folder: where the file goes: `embeddings-<losses>.svg`.
        fashion_mnist: the root of torchvision's FashionMNIST; None for six classes of the sketches.

    Raises:
        InputError: a loss is unknown, a wrapper, or needs more than embeddings, or there are no images at that root.
    """
    from realitycheck.report.space_pictures import embeddings_picture, standalone
    from realitycheck.report.writers.text_files import write_texts
    from realitycheck.training.plane_images import SEED, plane_images, plane_of

    images, labels, names = plane_images(fashion_mnist)
    planes = [plane_of(_known(loss), images, labels, setting=_own_setting(loss), knobs=knobs) for loss in losses]
    setting = f"a net of five layers, {len(labels)} images, seed {SEED}"
    figure = embeddings_picture(planes, names, setting)
    (path,) = write_texts(Path(folder), {f"{figure.name}.svg": standalone(figure)})
    return path


def _known(loss: str) -> str:
    """The name of a loss of the menu that is no wrapper."""
    entry = MENU.get(loss)
    if entry is None or entry.wraps:
        names = [name for name, known in MENU.items() if not known.wraps]
        raise InputError.one("picture", "loss-unknown", f"unknown loss '{loss}'. {nearest(loss, names)}", where="loss")
    return loss


def _own_setting(loss: str) -> Knobs:
    """The authors' own hyper-parameters of the first phase, lengths in units of the initial embedding length."""
    from realitycheck.catalog import resolve_loss
    from realitycheck.losses.build import lengths_of

    setting = own_knobs(phase_knobs(first_setting(loss, None) or {}, "normal"))
    length = first_length(loss, None)
    if length is None:
        return setting
    return LengthUnit(length, powers_of(setting, lengths_of(*resolve_loss(loss)))).relative(setting)
