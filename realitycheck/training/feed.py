"""The augmented batches of a run, several drawn at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from realitycheck.plan.seeds import derive
from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.training.batches import ClassBatches

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
    values do not depend on the blocks.
    """

    recipe: Recipe
    store: Store
    batches: ClassBatches
    augment_seed: int
    device: torch.device
    _blocks: dict[str, _Block] = field(default_factory=dict)
    _length: int = 1

    def batch(self, iteration: int, *, view: str) -> tuple[Tensor, Tensor]:
        """Return the iteration's augmented images (B, …) and labels (B,); each `view` draws its own augmentation."""
        block = self._blocks.get(view)
        if block is None or iteration not in block.iterations:
            block = self._blocks[view] = self._drawn(range(iteration, iteration + self._length), view)
            bytes_of_one = block.images[0].numel() * block.images.element_size()
            self._length = min(LONGEST_BLOCK, max(1, BLOCK_BYTES // bytes_of_one))
        place = iteration - block.iterations.start
        return block.images[place], block.labels[place]

    def _drawn(self, iterations: range, view: str) -> _Block:
        indices, labels = self.batches.draw_block(iterations)
        names = () if view == "batch" else (view,)
        seeds = [derive(self.augment_seed, iteration, *names) for iteration in iterations]
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        drawn = self.store.drawn_block(indices.numpy(), recipe=self.recipe, generators=generators, device=self.device)
        return _Block(iterations, drawn, labels.to(self.device))
