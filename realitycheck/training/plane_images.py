"""The images and the training behind a picture of embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.datasets import FashionMNIST

from realitycheck.catalog import resolve_loss
from realitycheck.datasets.members.sketches import Sketches
from realitycheck.errors import InputError
from realitycheck.losses.build import build, knobs_of, lengths_of
from realitycheck.losses.drawn_fields import PlaneEmbeddings
from realitycheck.protocol.units import LengthUnit, powers_of
from realitycheck.runs import Knobs
from realitycheck.training.plane_net import first_length, fit, five_layers

SKETCHES = ("airplane", "apple", "bicycle", "cat", "fish", "tree")
EACH = 50
"""Images of a class."""

ITERATIONS, SEED = 300, 0


def plane_images(root: Path | None) -> tuple[Tensor, Tensor, list[str]]:
    """(N, 1, 28, 28) images in [0, 1], their labels (N,), and the names of the classes.

    Args:
        root: of torchvision's FashionMNIST, which is not downloaded; None for six classes of the sketches.

    Raises:
        InputError: there are no images at that root.
    """
    if root is not None:
        return _fashion(root)
    data = Sketches()
    places = [np.flatnonzero(data.labels == data.classes.index(name))[:EACH] for name in SKETCHES]
    drawn = np.stack(list(data.images(np.concatenate(places).tolist(), size=28)))
    return torch.from_numpy(drawn) / 255, torch.arange(len(SKETCHES)).repeat_interleave(EACH), list(SKETCHES)


def _fashion(root: Path) -> tuple[Tensor, Tensor, list[str]]:
    """The first images of each class of FashionMNIST."""
    try:
        data = FashionMNIST(str(root), train=True, download=False)
    except RuntimeError as error:
        says = f"no FashionMNIST of torchvision at {root}. Download it there, or leave the option out."
        raise InputError.one("picture", "picture-images-missing", says, where="fashion_mnist") from error
    places = [(data.targets == number).nonzero()[:EACH, 0] for number in range(len(data.classes))]
    images = data.data[torch.cat(places)][:, None] / 255
    return images, torch.arange(len(places)).repeat_interleave(EACH), [str(name) for name in data.classes]


def plane_of(
    loss: str, images: Tensor, labels: Tensor, *, setting: Knobs, knobs: Mapping[str, float]
) -> PlaneEmbeddings:
    """Train the net under one loss.

    Args:
        loss: its name.
        images: (N, 1, 28, 28) in [0, 1].
        labels: (N,).
        setting: hyper-parameters; lengths in units of the untrained net's embeddings.
        knobs: those that replace them, where the loss has them.
    """
    classes = resolve_loss(loss)
    taken = knobs_of(*classes)
    values = {**setting, **{name: value for name, value in knobs.items() if name in taken}}
    net = five_layers(seed=SEED)
    raw = LengthUnit(first_length(net, images), powers_of(values, lengths_of(*classes))).raw(values)
    built = build(loss, num_classes=int(labels.max()) + 1, embedding_dim=2, seed=SEED, **raw)
    fitted = fit(net, built, images, labels, iterations=ITERATIONS, seed=SEED)
    vectors = fitted.vectors if fitted.vectors is not None else fitted.points[:0]
    return PlaneEmbeddings(loss, fitted.points.double().numpy(), labels.numpy(), vectors.double().numpy())
