"""Batches with a fixed number of images per class, as a pure function of seed and iteration."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from realitycheck.plan.seeds import derive


class ClassBatches(ABC):
    """Base class of batches with `per_class` images of each of `classes` classes.

    No state is carried from one batch to the next. So a run can resume at any iteration, and losses with the same
    batch shape get the same batches.

    Args:
        labels: (N,) class of every image in the store.
        classes: the classes to draw from.
        shape: `{"classes", "per_class"}`.
        seed: the run's seed of the stream `order`.

    Attributes:
        members: (classes, longest) indices into the store of each class's images, padded with -1.
    """

    def __init__(
        self, *, labels: NDArray[np.int64], classes: Sequence[int], shape: Mapping[str, int], seed: int
    ) -> None:
        self.shape = shape
        self.seed = seed
        members = [np.flatnonzero(labels == class_index) for class_index in classes]
        longest = max(len(images) for images in members)
        self.members = torch.from_numpy(
            np.stack([np.pad(images, (0, longest - len(images)), constant_values=-1) for images in members])
        )
        self._passes: dict[int, tuple[Tensor, Tensor]] = {}

    def every(self) -> tuple[Tensor, Tensor]:
        """Return (N,) int64 indices into the store of all images, class by class, and their (N,) int64 labels."""
        labels, places = (self.members >= 0).nonzero(as_tuple=True)
        return self.members[labels, places], labels

    def draw(self, iteration: int) -> tuple[Tensor, Tensor]:
        """Return (B,) int64 indices into the store, grouped by class, and (B,) int64 labels."""
        indices, labels = self.draw_block(range(iteration, iteration + 1))
        return indices[0], labels[0]

    @abstractmethod
    def draw_block(self, iterations: range) -> tuple[Tensor, Tensor]:
        """Return (I, B) int64 indices into the store, grouped by class, and (I, B) int64 labels of I batches.

        Labels number the training classes of this run from 0, as losses with one proxy per class need them.
        """


class MPerClassBatches(ClassBatches):
    """Batches of `classes` distinct classes with `per_class` images each, drawn independently.

    The images are distinct. With `repeats` in the shape, those of a class with fewer than `per_class` are drawn with
    replacement, as by the `MPerClassSampler` of pytorch-metric-learning with a batch size.
    """

    def draw_block(self, iterations: range) -> tuple[Tensor, Tensor]:
        """See `ClassBatches.draw_block`."""
        generators = [torch.Generator().manual_seed(derive(self.seed, iteration)) for iteration in iterations]
        orders = [torch.randperm(len(self.members), generator=generator) for generator in generators]
        chosen = torch.stack(orders)[:, : self.shape["classes"]]  # (I, classes)
        members = self.members[chosen]  # (I, classes, longest)
        per_class = self.shape["per_class"]
        if self.shape.get("repeats"):
            drawn = zip(members, generators, strict=True)
            images = torch.stack([_with_repeats(batch, per_class=per_class, generator=own) for batch, own in drawn])
        else:
            keys = torch.empty(members.shape)
            for row, generator in zip(keys, generators, strict=True):
                row.uniform_(generator=generator)  # as `rand`, two thirds of its time
            picked = keys.masked_fill_(members < 0, 2.0).topk(per_class, dim=2, largest=False).indices
            images = members.gather(2, picked)
        return images.flatten(1), chosen.repeat_interleave(per_class, dim=1)


class StreamBatches(ClassBatches):
    """Consecutive slices of an endless stream of passes; each pass visits every class once, in a new order.

    This is the sampler of Musgrave et al. (2020). A batch may span two passes and contain a class twice. A class with
    fewer than `per_class` images is sampled with replacement.
    """

    def draw_block(self, iterations: range) -> tuple[Tensor, Tensor]:
        """See `ClassBatches.draw_block`."""
        indices, labels = zip(*map(self._batch, iterations), strict=True)
        return torch.stack(indices), torch.stack(labels)

    def _batch(self, iteration: int) -> tuple[Tensor, Tensor]:
        start, count = iteration * self.shape["classes"], len(self.members)
        positions = [divmod(position, count) for position in range(start, start + self.shape["classes"])]
        first, last = positions[0][0], positions[-1][0]
        passes = [self._pass(number) for number in range(first, last + 1)]
        rows = [(passes[number - first], position) for number, position in positions]
        labels = torch.stack([order[position] for (order, _), position in rows])
        indices = torch.cat([images[position] for (_, images), position in rows])
        return indices, labels.repeat_interleave(self.shape["per_class"])

    def _pass(self, number: int) -> tuple[Tensor, Tensor]:
        """Return (C,) the class order of a pass, and (C, per_class) the images drawn of each class."""
        if number not in self._passes:
            # A batch spans at most two passes, so keep only the previous one.
            self._passes = {key: drawn for key, drawn in self._passes.items() if key == number - 1}
            self._passes[number] = self._new_pass(number)
        return self._passes[number]

    def _new_pass(self, number: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(derive(self.seed, "pass", number))
        order = torch.randperm(len(self.members), generator=generator)
        return order, _with_repeats(self.members[order], per_class=self.shape["per_class"], generator=generator)


def _with_repeats(members: Tensor, *, per_class: int, generator: torch.Generator) -> Tensor:
    """Return (C, per_class) of the (C, longest) images of classes, with replacement where a class has fewer."""
    sizes = (members >= 0).sum(dim=1, keepdim=True)
    keys = torch.rand(members.shape, generator=generator).masked_fill(members < 0, 2.0)
    distinct = keys.argsort(dim=1)[:, :per_class]
    replaced = (torch.rand((len(members), per_class), generator=generator) * sizes).long()
    if distinct.shape[1] < per_class:  # every class is smaller than `per_class`
        return members.gather(1, replaced)
    return members.gather(1, torch.where(sizes >= per_class, distinct, replaced))


def batches_of(
    *, labels: NDArray[np.int64], classes: Sequence[int], shape: Mapping[str, int], seed: int
) -> ClassBatches:
    """Build the batches that the shape of a spec names."""
    kind = StreamBatches if shape.get("stream") else MPerClassBatches
    return kind(labels=labels, classes=classes, shape=shape, seed=seed)
