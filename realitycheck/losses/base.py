"""The interface of a loss."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

import torch
from torch import Tensor, nn


class Need(StrEnum):
    """An additional input of a loss, passed as the keyword argument of this name.

    `FEATURES`: (B, F) pooled features of the trunk, the input of the embedder. `KEYS`: (B, D) embeddings of the same
    images with another augmentation, without a gradient, by a moving average of the model. The loss's attribute
    `momentum` sets its rate.
    """

    FEATURES = "features"
    KEYS = "keys"


class Loss(nn.Module):
    """Base class of all losses.

    Knobs are keyword-only arguments without defaults. A loss with class vectors also takes `num_classes` and
    `embedding_dim`, and a loss that draws random numbers takes `seed`; the training sets these. Shapes must not
    depend on the labels: use masks, so that no step synchronises with the host and `torch.compile` captures one graph.
    The loss of a batch without positives must be finite. All state of a checkpoint (queues, counters) is in buffers.

    Attributes:
        needs: additional inputs of `forward`.
        keeps_init: prefixes of the names of parameters that keep the constructor's initial values, because these are
            part of the method: layers of a network, or vectors with a meaningful norm. The protocol's `loss_init`
            initialises all other matrices.
        pml_keeps: prefixes of the names of parameters for which pytorch-metric-learning 0.9.92 has an initialisation of
            its own, the one of the constructor here; it draws all others from N(0, 1).
        undecayed: prefixes of the names of parameters without weight decay, as in their paper. A wrapped loss
            declares its own.
        lower_in_followup: knobs that may only decrease in a second phase, by `followup_<knob>_scale`.
        lengths: hyper-parameters that have a unit because the loss reads raw embeddings, with the power of length that
            each has: 1 for a length, -1 for a factor of a distance. A loss that normalises its embeddings has none.
            A wrapper declares its own; those of the loss in it are added.
        acts_later: hyper-parameters without an effect on the first step, such as the size of a memory.
    """

    needs: ClassVar[frozenset[Need]] = frozenset()
    keeps_init: ClassVar[tuple[str, ...]] = ()
    pml_keeps: ClassVar[tuple[str, ...]] = ()
    undecayed: ClassVar[tuple[str, ...]] = ()
    lower_in_followup: ClassVar[tuple[str, ...]] = ()
    lengths: ClassVar[Mapping[str, int]] = {}
    acts_later: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of a batch.

        Args:
            embeddings: (B, D), not normalised.
            labels: (B,) int64.

        Returns:
            A scalar.
        """


def initialize(loss: nn.Module, *, rule: str, generator: torch.Generator) -> None:
    """Initialise every matrix of a loss's parameters, such as (C, D) proxies, by one rule for all losses.

    Args:
        loss: the loss. Vectors, scalars, and parameters in its `keeps_init` are not changed.
        rule: `standard_normal`: entries from N(0, 1). With optimisers that normalise the gradient by entry (RMSprop,
            Adam), the relative step of an entry is then about the learning rate, for every D.
            `unit_norm`: the same directions with norm 1; their relative step grows with √D.
            `own`: every parameter keeps the initial value of its constructor, as in the loss's own code.
            `pml_0_9_92`: as pytorch-metric-learning 0.9.92: N(0, 1), except for parameters in `pml_keeps`.
        generator: random generator on the CPU.
    """
    kept = tuple(getattr(loss, "keeps_init", ()))
    if rule == "pml_0_9_92":
        kept += tuple(getattr(loss, "pml_keeps", ()))
    with torch.no_grad():
        for name, parameter in loss.named_parameters():
            if rule != "own" and parameter.dim() == 2 and not name.startswith(kept):
                drawn = torch.randn(parameter.shape, generator=generator)
                drawn = nn.functional.normalize(drawn, dim=1) if rule == "unit_norm" else drawn
                parameter.copy_(drawn)
