"""The augmented batches of a run, several drawn at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import NamedTuple

import torch
from torch import Tensor

from realitycheck.plan.seeds import derive
from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.stores.transfer import on, pinned
from realitycheck.training.batches import ClassBatches
from realitycheck.training.prefetch import DRAWERS, Ahead

BLOCK_BYTES = 4 * 2**20
"""Approximate bytes of the images that are drawn at a time."""

LONGEST_BLOCK = 64
"""Batches that are drawn at a time, at most. What a run does not use of its last block is drawn in vain."""


class _Block(NamedTuple):
    """Batches of consecutive iterations: (I, B, …) images and (I, B) labels."""

    iterations: range
    images: Tensor
    labels: Tensor


@dataclass(slots=True)
class Feed:
    """Batches as a function of seeds and iteration.

    They are drawn in blocks, because thirty small operations for each batch are 5 % of a step of a small net. The
    values do not depend on the blocks. With `ahead`, threads draw the next blocks on the CPU while this one is used.
    """

    recipe: Recipe
    store: Store
    batches: ClassBatches
    augment_seed: int
    device: torch.device
    ahead: bool = False
    _blocks: dict[str, _Block] = field(default_factory=dict)
    _length: int = 1
    _begun: dict[str, Ahead[_Block]] = field(default_factory=dict)
    _drawing: Lock = field(default_factory=Lock)

    def batch(self, iteration: int, *, view: str) -> tuple[Tensor, Tensor]:
        """Return the iteration's augmented images (B, …) and labels (B,); each `view` draws its own augmentation."""
        block = self._blocks.get(view)
        if block is None or iteration not in block.iterations:
            block = self._blocks[view] = self._next(range(iteration, iteration + self._length), view)
            bytes_of_one = block.images[0].numel() * block.images.element_size()
            self._length = min(LONGEST_BLOCK, max(1, BLOCK_BYTES // bytes_of_one))
            if self.ahead:
                self._begin_after(block.iterations.stop, view)
        place = iteration - block.iterations.start
        return block.images[place], block.labels[place]

    def close(self) -> None:
        """Wait for what is being drawn, so that no thread is left."""
        for begun in self._begun.values():
            begun.close()

    def _next(self, iterations: range, view: str) -> _Block:
        if not self.ahead:
            return self._drawn(iterations, view, self.device)
        begun = self._begun.setdefault(view, Ahead(partial(self._on_host, view=view)))
        block = begun.take(iterations) or self._on_host(iterations, view=view)
        return _Block(iterations, on(block.images, self.device), on(block.labels, self.device))

    def _begin_after(self, iteration: int, view: str) -> None:
        for number in range(DRAWERS):
            start = iteration + number * self._length
            self._begun[view].begin(range(start, start + self._length))

    def _on_host(self, iterations: range, *, view: str) -> _Block:
        """Draw on the CPU, in memory from which a GPU copies by itself; in any thread."""
        _, images, labels = self._drawn(iterations, view, torch.device("cpu"))
        return _Block(iterations, pinned(images, self.device), pinned(labels, self.device))

    def _drawn(self, iterations: range, view: str, place: torch.device) -> _Block:
        with self._drawing:  # batches of a stream keep the passes that they have drawn
            indices, labels = self.batches.draw_block(iterations)
        names = () if view == "batch" else (view,)
        seeds = [derive(self.augment_seed, iteration, *names) for iteration in iterations]
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        drawn = self.store.drawn_block(indices.numpy(), recipe=self.recipe, generators=generators, device=place)
        return _Block(iterations, drawn, on(labels, place))
