"""Which images make the batch of an iteration: m per class, as a pure function of seed and iteration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.plan.seeds import derive


class Batches(ABC):
    """Batches of a stated shape from some classes of a store.

    No state is carried from one batch to the next, so a run may begin anywhere and two losses of one batch shape see
    the same batches.

    Args:
        labels: (N,) class of every image in the store.
        classes: the classes to draw from.
        shape: `{"classes", "per_class"}`.
        seed: the run's seed of the stream `order`.

    Attributes:
        members: (classes, longest) indices into the store of each class's images, filled up with -1.
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
        self._passes: dict[int, tuple[Tensor, Tensor]] = {}

    @abstractmethod
    def draw(self, iteration: int) -> tuple[Tensor, Tensor]:
        """(B,) int64 indices into the store, images of a class side by side, and (B,) int64 labels.

        Labels number the training classes of this run from 0, as a loss with one proxy per class needs them.
        """


class MPerClassBatches(Batches):
    """`classes` different classes with `per_class` different images each, drawn anew for each batch."""

    def draw(self, iteration: int) -> tuple[Tensor, Tensor]:
        """As `Batches.draw`."""
        generator = torch.Generator().manual_seed(derive(self.seed, iteration))
        chosen = torch.randperm(len(self.members), generator=generator)[: self.shape["classes"]]
        members = self.members[chosen]  # (classes, longest)
        keys = torch.rand(members.shape, generator=generator).masked_fill(members < 0, 2.0)
        picked = keys.topk(self.shape["per_class"], dim=1, largest=False).indices
        return members.gather(1, picked).flatten(), chosen.repeat_interleave(self.shape["per_class"])


class StreamBatches(Batches):
    """Pieces of a stream in which every pass gives `per_class` images of every class, in a new order.

    The original's sampler (Musgrave et al., 2020): a batch may straddle two passes and meet a class twice. Images of a
    class that is smaller than `per_class` are drawn with replacement.
    """

    def draw(self, iteration: int) -> tuple[Tensor, Tensor]:
        """As `Batches.draw`."""
        start, count = iteration * self.shape["classes"], len(self.members)
        places = [divmod(place, count) for place in range(start, start + self.shape["classes"])]
        parts = [self._pass(number) for number in range(places[0][0], places[-1][0] + 1)]
        here = [(parts[number - places[0][0]], place) for number, place in places]
        labels = torch.stack([order[place] for (order, _), place in here])
        return torch.cat([drawn[place] for (_, drawn), place in here]), labels.repeat_interleave(
            self.shape["per_class"]
        )

    def _pass(self, number: int) -> tuple[Tensor, Tensor]:
        """(C,) the order of the classes in a pass, and (C, per_class) the images that each gives."""
        if number not in self._passes:
            # Two at most: the one that a batch ends, and the one that it begins.
            self._passes = {key: each for key, each in self._passes.items() if key == number - 1}
            self._passes[number] = self._new_pass(number)
        return self._passes[number]

    def _new_pass(self, number: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(derive(self.seed, "pass", number))
        order = torch.randperm(len(self.members), generator=generator)
        members = self.members[order]
        wanted, sizes = self.shape["per_class"], (members >= 0).sum(dim=1, keepdim=True)
        keys = torch.rand(members.shape, generator=generator).masked_fill(members < 0, 2.0)
        different = keys.argsort(dim=1)[:, :wanted]
        again = (torch.rand((len(order), wanted), generator=generator) * sizes).long()
        if different.shape[1] < wanted:  # no class has so many
            return order, members.gather(1, again)
        return order, members.gather(1, torch.where(sizes >= wanted, different, again))


def batches_of(*, labels: NDArray[np.int64], classes: Sequence[int], shape: Mapping[str, int], seed: int) -> Batches:
    """The batches that a spec's shape asks for."""
    kind = StreamBatches if shape.get("stream") else MPerClassBatches
    return kind(labels=labels, classes=classes, shape=shape, seed=seed)
