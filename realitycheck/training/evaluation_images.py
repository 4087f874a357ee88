"""The images of an evaluation, batch by batch: where pixels are not on the GPU, threads draw them ahead."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.stores.transfer import on, pinned
from realitycheck.training.prefetch import drawn_ahead


def images_in_batches(
    store: Store, indices: NDArray[np.int64], *, size: int, recipe: Recipe, device: torch.device
) -> Generator[Tensor, None, None]:
    """Iterate over batches of `size` images of a store, on a device; close the iterator if not all are taken."""
    places = [range(start, min(start + size, len(indices))) for start in range(0, len(indices), size)]
    if not threads_draw(store, device):
        for place in places:
            yield store.plain(indices[place.start : place.stop], recipe=recipe, device=device)
        return

    def draw(place: range) -> Tensor:
        images = store.plain(indices[place.start : place.stop], recipe=recipe, device=torch.device("cpu"))
        return pinned(images, device)

    with closing(drawn_ahead(draw, places)) as drawn:
        for images in drawn:
            yield on(images, device)


def threads_draw(store: Store, device: torch.device) -> bool:
    """Return whether threads draw ahead: on a CPU they would take the time of the threads that compute."""
    return device.type == "cuda" and not store.resident
