"""The training loop, top to bottom."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from realitycheck.errors import Diverged
from realitycheck.losses.base import Need
from realitycheck.plan.seeds import derive
from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.training.batches import Batches
from realitycheck.training.checkpoint import Stateful
from realitycheck.training.device import autocast
from realitycheck.training.model import EmbeddingModel
from realitycheck.training.teacher import Teacher


@dataclass(slots=True)
class Trainer:
    """One model, its loss and its optimisers, between two iterations.

    `iteration` counts from the start of the run; batches and augmentation depend on it and on the seeds alone.
    """

    recipe: Recipe
    store: Store
    batches: Batches
    augment_seed: int
    model: EmbeddingModel
    loss: nn.Module
    teacher: Teacher | None
    optimizers: Mapping[str, torch.optim.Optimizer]
    device: torch.device
    iteration: int = 0

    @property
    def parts(self) -> dict[str, Stateful]:
        """All that changes from step to step, beside the iteration."""
        modules = {"model": self.model, "loss": self.loss, "teacher": self.teacher}
        optimizers = {f"{name} optimizer": each for name, each in self.optimizers.items()}
        return {name: part for name, part in {**modules, **optimizers}.items() if part is not None}

    def advance(self, iterations: int) -> float:
        """Train for so many iterations; the mean training loss over them.

        Raises:
            Diverged: the loss raised, or left the numbers.
        """
        self.model.train()
        self.loss.train()
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        for _ in range(iterations):
            images, labels = self._batch("batch")
            with autocast(self.recipe.precision, self.device):
                features = self.model.features(images)
                embeddings = self.model.embed(features)
            loss = self._descend(embeddings.float(), labels, self._beside(features))
            for optimizer in self.optimizers.values():
                optimizer.step()
            total += loss.detach()
            self.iteration += 1
        # One look per evaluation interval: a check in every step would make the device wait for the host.
        mean = float(total) / iterations
        if not math.isfinite(mean):
            raise Diverged(f"the training loss was {mean} by iteration {self.iteration}")
        return mean

    def _batch(self, view: str) -> tuple[Tensor, Tensor]:
        """The iteration's images, augmented, and labels; another `view` is other draws for the same images."""
        indices, labels = self.batches.draw(self.iteration)
        names = () if view == "batch" else (view,)
        generator = torch.Generator().manual_seed(derive(self.augment_seed, self.iteration, *names))
        drawn = self.store.drawn(indices.numpy(), recipe=self.recipe, generator=generator, device=self.device)
        return drawn, labels.to(self.device)

    def _beside(self, features: Tensor) -> dict[str, Tensor]:
        """What the loss declares that it reads beside embeddings and labels, by the name of its argument."""
        found = {}
        needs = getattr(self.loss, "needs", ())
        if Need.FEATURES in needs:
            found[Need.FEATURES.value] = features.float()
        if self.teacher is not None:
            self.teacher.follow(self.model)
            images, _ = self._batch("keys")
            with autocast(self.recipe.precision, self.device):
                found[Need.KEYS.value] = self.teacher(images).float()
        return found

    def _descend(self, embeddings: Tensor, labels: Tensor, beside: Mapping[str, Tensor]) -> Tensor:
        """The loss of a batch, its gradient left in every parameter."""
        for optimizer in self.optimizers.values():
            optimizer.zero_grad()
        try:
            loss: Tensor = self.loss(embeddings, labels, **beside)
            torch.autograd.backward(loss)
        except Exception as error:
            if _machines_fault(error):
                raise
            reason = f"the loss raised {type(error).__name__} at iteration {self.iteration}"
            raise Diverged(reason) from error
        return loss


def _machines_fault(error: Exception) -> bool:
    """Whether memory or the device gave out, which says nothing of the loss; torch's CPU allocator has no own class."""
    device = isinstance(error, MemoryError | torch.OutOfMemoryError | torch.AcceleratorError)
    return device or "DefaultCPUAllocator" in str(error)
