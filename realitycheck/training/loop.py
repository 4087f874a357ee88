"""The training loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from realitycheck.errors import Diverged
from realitycheck.losses.base import Need
from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.training.checkpoint import Stateful
from realitycheck.training.class_vectors import class_vectors_of, own_distance
from realitycheck.training.device import autocast
from realitycheck.training.embed import embed
from realitycheck.training.embedding_model import EmbeddingModel
from realitycheck.training.feed import Feed
from realitycheck.training.machine_failures import is_machine_failure
from realitycheck.training.steps import forget_gradients, step
from realitycheck.training.teacher import Teacher


class IntervalMeans(NamedTuple):
    """Means over some iterations.

    `proxy_distance` is None where `class_vectors.own_distance` has no finite value. With the recipe's
    `unaugmented_distance` it is that of all training images at the end of the interval.
    """

    loss: float
    proxy_distance: float | None


@dataclass(slots=True)
class Sums:
    """What an interval has summed up so far: its iterations, and (2,) the losses and the distances to own vectors."""

    iterations: int
    values: Tensor


class Replays(Protocol):
    """Another way to do the same step, see `captured_steps`."""

    def step(self, trainer: Trainer, sums: Sums, vectors: Tensor | None) -> None:
        """Do one iteration."""


@dataclass(slots=True)
class Trainer:
    """A model, its loss and its optimisers.

    `distance` is the one that the loss declares. `iteration` counts from the start of the run. Batches and augmentation
    depend only on it and on the seeds. `sums` are those of an interval that has begun.
    """

    feed: Feed
    model: EmbeddingModel
    loss: nn.Module
    teacher: Teacher | None
    optimizers: Mapping[str, torch.optim.Optimizer]
    distance: str
    iteration: int = 0
    sums: Sums | None = None
    replays: Replays | None = None

    @property
    def recipe(self) -> Recipe:
        """How it trains."""
        return self.feed.recipe

    @property
    def store(self) -> Store:
        """Where its images are."""
        return self.feed.store

    @property
    def device(self) -> torch.device:
        """Where it trains."""
        return self.feed.device

    @property
    def modules(self) -> dict[str, nn.Module]:
        """The modules, by name."""
        modules = {"model": self.model, "loss": self.loss, "teacher": self.teacher}
        return {name: module for name, module in modules.items() if module is not None}

    @property
    def parts(self) -> dict[str, Stateful]:
        """Every part with a state that changes during training, by name."""
        return {**self.modules, **{f"{name} optimizer": optimizer for name, optimizer in self.optimizers.items()}}

    def advance(
        self,
        iterations: int,
        *,
        between: Callable[[], None] | None = None,
        tell: Callable[[], None] | None = None,
    ) -> IntervalMeans:
        """Train to the end of an interval and return means over it.

        Args:
            iterations: the length of the interval; `sums` may hold some of it already.
            between: called between two iterations of the interval.
            tell: called between two batches that are embedded at its end.

        Raises:
            Diverged: if the loss raises an exception, or its mean is not finite.
        """
        vectors = self._class_vectors()
        self.model.train()
        self.loss.train()
        sums = self.sums = self.sums or Sums(0, torch.zeros((2,), dtype=torch.float64, device=self.device))
        while sums.iterations < iterations:
            if sums.iterations and between is not None:
                between()
            if self.replays is None:
                self.take_step(sums.values, vectors)
            else:
                self.replays.step(self, sums, vectors)
            sums.iterations += 1
            self.iteration += 1
        self.sums = None
        # Checked once per evaluation interval: a check in every step would synchronise the device with the host.
        loss, away = (value / iterations for value in sums.values.tolist())
        if not math.isfinite(loss):
            raise Diverged(f"the training loss was {loss} by iteration {self.iteration}")
        if vectors is not None and self.recipe.unaugmented_distance:
            away = self._unaugmented_distance(vectors, tell)
        return IntervalMeans(loss, None if vectors is None or not math.isfinite(away) else away)

    def _unaugmented_distance(self, vectors: Tensor, tell: Callable[[], None] | None) -> float:
        """The mean distance between the embeddings of all training images as they are and their class vectors."""
        indices, labels = self.feed.batches.every()
        embeddings = embed(
            self.model,
            self.store,
            indices.numpy(),
            output="embedder",
            recipe=self.recipe,
            device=self.device,
            between=tell,
        )
        return float(own_distance(embeddings, labels.to(self.device), vectors, distance=self.distance))

    def take_step(self, sums: Tensor, vectors: Tensor | None) -> None:
        """Do the step of this iteration, and add its loss and the distance to own `vectors` to (2,) `sums`."""
        images, labels = self.feed.batch(self.iteration, view="batch")
        with autocast(self.recipe.computes.precision, self.device):
            features = self.model.features(images)
            embeddings = self.model.embed(features)
        embeddings = embeddings.float()
        loss = self._backward(embeddings, labels, self._needed(features))
        if vectors is not None:
            sums[1].add_(own_distance(embeddings, labels, vectors, distance=self.distance))
        if self.recipe.gradient_clip is not None:
            nn.utils.clip_grad_value_(self.model.parameters(), self.recipe.gradient_clip.value)
        for optimizer in self.optimizers.values():
            step(optimizer)
        sums[0].add_(loss.detach())

    def _class_vectors(self) -> Tensor | None:
        """Return the loss's class vectors (C, D), or None where it has not one per class."""
        return class_vectors_of(self.loss, classes=len(self.feed.batches.members), dims=self.model.dims)

    def _needed(self, features: Tensor) -> dict[str, Tensor]:
        """Return the additional inputs that the loss declares in `needs`, by argument name."""
        inputs = {}
        needs = getattr(self.loss, "needs", ())
        if Need.FEATURES in needs:
            inputs[Need.FEATURES.value] = features.float()
        if self.teacher is not None:
            self.teacher.follow(self.model)
            images, _ = self.feed.batch(self.iteration, view="keys")
            with autocast(self.recipe.computes.precision, self.device):
                inputs[Need.KEYS.value] = self.teacher(images).float()
        return inputs

    def _backward(self, embeddings: Tensor, labels: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """Compute the loss of a batch and accumulate its gradient in every parameter.

        A constant, such as a zero where no triplet is active, is a step without gradient: every gradient stays None,
        so that no optimiser changes a parameter or its own state, by weight decay or momentum either.
        """
        for optimizer in self.optimizers.values():
            forget_gradients(optimizer)
        try:
            loss = _scalar(self.loss(embeddings, labels, **inputs), self.device)
            if loss.requires_grad:
                torch.autograd.backward(loss)
        except Exception as error:
            if is_machine_failure(error):
                raise
            reason = f"the loss raised {type(error).__name__} at iteration {self.iteration}"
            raise Diverged(reason) from error
        return loss


def _scalar(value: Tensor | float, device: torch.device) -> Tensor:
    """Return the value of a loss as a tensor; a plain number is a constant."""
    loss = value if isinstance(value, Tensor) else torch.tensor(float(value), device=device)
    if loss.shape != ():
        raise ValueError(f"`forward` returned a tensor of shape {tuple(loss.shape)}, and not a scalar")
    return loss
