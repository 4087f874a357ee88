"""What every loss is."""

from __future__ import annotations

from abc import abstractmethod
from enum import StrEnum
from typing import ClassVar

import torch
from torch import Tensor, nn


class Need(StrEnum):
    """What a loss may read of a batch beside embeddings and labels; it comes as the keyword argument of that name.

    `FEATURES`: (B, F) pooled features of the trunk, below the embedder. `KEYS`: (B, D) embeddings of the same images,
    augmented anew, by a copy of the model that follows it at the rate of the loss's attribute `momentum`; no gradient.
    """

    FEATURES = "features"
    KEYS = "keys"


class Loss(nn.Module):
    """Embeddings and labels become one number to be made small.

    Knobs are keyword-only arguments without defaults. A loss that learns one vector per class also takes
    `num_classes` and `embedding_dim`, and one that draws at random takes `seed`; the house fills these in. Shapes must
    not depend on the labels: use masks, so that no step waits for the host and `torch.compile` sees one graph. A
    batch without positives must give a finite value. What must outlive a checkpoint (queues, counters) is a buffer.

    Attributes:
        needs: what `forward` reads beside embeddings and labels.
        keeps_init: beginnings of the names of parameters that keep the constructor's initial values, where those
            belong to the method: layers of a network, or vectors whose length is a distance. All other matrices are
            drawn anew by the protocol's `loss_init`.
        undecayed: beginnings of the names of parameters that no weight decay reaches, as their paper has it. A loss
            that another one wraps says so of its own.
        lower_in_followup: knobs that a second phase may only lower; it names them as `followup_<knob>_scale`.
    """

    needs: ClassVar[frozenset[Need]] = frozenset()
    keeps_init: ClassVar[tuple[str, ...]] = ()
    undecayed: ClassVar[tuple[str, ...]] = ()
    lower_in_followup: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            embeddings: (B, D), as the embedder gives them; a loss that wants them normalised does it itself.
            labels: (B,) int64.

        Returns:
            A scalar.
        """


def initialize(loss: nn.Module, *, rule: str, generator: torch.Generator) -> None:
    """Draw every matrix of a loss's own parameters, such as its (C, D) proxies, by one rule for all losses.

    Args:
        loss: the loss; vectors and scalars among its parameters, and those that it keeps, are left as they are.
        rule: `standard_normal`: entries from N(0, 1). Optimisers that normalise the gradient entry by entry
            (RMSprop, Adam) then move an entry by about the rate relative to its size, whatever D is.
            `unit_norm`: the same directions with norm 1, whose relative step grows with √D.
            `own`: every parameter keeps what its constructor drew, as in the loss's own code.
        generator: the source of the draws, on the CPU.
    """
    kept = getattr(loss, "keeps_init", ())
    with torch.no_grad():
        for name, parameter in loss.named_parameters():
            if rule != "own" and parameter.dim() == 2 and not name.startswith(tuple(kept)):
                drawn = torch.randn(parameter.shape, generator=generator)
                drawn = nn.functional.normalize(drawn, dim=1) if rule == "unit_norm" else drawn
                parameter.copy_(drawn)
