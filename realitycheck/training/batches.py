"""Which images make the batch of an iteration: m per class, as a pure function of seed and iteration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.plan.seeds import derive


class MPerClassBatches:
    """Batches of `classes` different classes with `per_class` different images each.

    No state is carried from one batch to the next, so a run may begin anywhere and two losses of one batch shape see
    the same batches.

    Args:
        labels: (N,) class of every image in the store.
        classes: the classes to draw from.
        shape: `{"classes", "per_class"}`.
        seed: the run's seed of the stream `order`.
    """

    def __init__(
        self, *, labels: NDArray[np.int64], classes: Sequence[int], shape: Mapping[str, int], seed: int
    ) -> None:
        self.shape = shape
        self.seed = seed
        members = [np.flatnonzero(labels == each) for each in classes]
        longest = max(len(each) for each in members)
        self.members = torch.from_numpy(
            np.stack([np.pad(each, (0, longest - len(each)), constant_values=-1) for each in members])
        )

    def draw(self, iteration: int) -> tuple[Tensor, Tensor]:
        """(B,) int64 indices into the store, images of a class side by side, and (B,) int64 labels.

        Labels number the training classes of this run from 0, as a loss with one proxy per class needs them.
        """
        generator = torch.Generator().manual_seed(derive(self.seed, iteration))
        chosen = torch.randperm(len(self.members), generator=generator)[: self.shape["classes"]]
        members = self.members[chosen]  # (classes, longest)
        keys = torch.rand(members.shape, generator=generator).masked_fill(members < 0, 2.0)
        picked = keys.topk(self.shape["per_class"], dim=1, largest=False).indices
        return members.gather(1, picked).flatten(), chosen.repeat_interleave(self.shape["per_class"])
