"""What every loss is."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn


class Loss(nn.Module):
    """Embeddings and labels become one number to be made small.

    Knobs are keyword-only arguments without defaults. A loss that learns one vector per class also takes
    `num_classes` and `embedding_dim`, which the house fills in. Shapes must not depend on the labels: use
    masks, so that no step waits for the host and `torch.compile` sees one graph. A batch without positives
    must give a finite value.
    """

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
        loss: the loss; vectors and scalars among its parameters are left as they are.
        rule: `standard_normal`: entries from N(0, 1). Optimisers that normalise the gradient entry by entry
            (RMSprop, Adam) then move an entry by about the rate relative to its size, whatever D is.
            `unit_norm`: the same directions with norm 1, whose relative step grows with √D.
        generator: the source of the draws, on the CPU.
    """
    with torch.no_grad():
        for parameter in loss.parameters():
            if parameter.dim() == 2:
                drawn = torch.randn(parameter.shape, generator=generator)
                drawn = nn.functional.normalize(drawn, dim=1) if rule == "unit_norm" else drawn
                parameter.copy_(drawn)
