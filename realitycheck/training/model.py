"""The model of a recipe: trunk → pooling → optional LayerNorm → linear embedder."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from realitycheck.catalog import resolve_trunk
from realitycheck.protocol.model import Recipe


class EmbeddingModel(nn.Module):
    """Images become embeddings.

    Args:
        recipe: names the trunk, the pooling, the LayerNorm and the initialisation.
        in_channels: channels of an image.
        dims: embedding dimensions D.
    """

    def __init__(self, *, recipe: Recipe, in_channels: int, dims: int) -> None:
        super().__init__()
        self.pooling = recipe.pooling
        self.batch_norm = recipe.batch_norm
        self.trunk = resolve_trunk(recipe.trunk.name)(channels=recipe.trunk.channels, in_channels=in_channels)
        width: int = self.trunk.output_dim
        self.norm: nn.Module = nn.Identity()
        if recipe.layer_norm != "none":
            self.norm = nn.LayerNorm(width, elementwise_affine=recipe.layer_norm == "affine")
        self.embedder = nn.Linear(width, dims)
        if recipe.embedder_init == "kaiming_fan_out":
            nn.init.kaiming_normal_(self.embedder.weight, mode="fan_out")
            nn.init.zeros_(self.embedder.bias)

    def features(self, images: Tensor) -> Tensor:
        """(B, F) pooled features of (B, C, H, W) uint8 images: the trunk's own output."""
        maps = self.trunk(images.float().div(255))
        average: Tensor = maps.mean(dim=(2, 3))
        if self.pooling == "avg":
            return average
        largest: Tensor = maps.amax(dim=(2, 3))
        return largest if self.pooling == "max" else largest + average

    def embed(self, features: Tensor) -> Tensor:
        """(B, D) embeddings of (B, F) features, not normalised."""
        embedded: Tensor = self.embedder(self.norm(features))
        return embedded

    def forward(self, images: Tensor) -> Tensor:
        """(B, D) embeddings of (B, C, H, W) uint8 images, not normalised."""
        return self.embed(self.features(images))

    def train(self, mode: bool = True) -> EmbeddingModel:  # noqa: FBT001, FBT002 - the signature is torch's
        """Training mode, with BatchNorm as the recipe names it."""
        super().train(mode)
        if self.batch_norm != "train":
            for layer in self._batch_norms():
                layer.eval()
        return self

    def freeze(self) -> None:
        """Under `frozen`, scale and shift of every BatchNorm stay as they are, too."""
        if self.batch_norm == "frozen":
            for layer in self._batch_norms():
                layer.requires_grad_(requires_grad=False)

    def _batch_norms(self) -> Iterator[_BatchNorm]:
        return (layer for layer in self.modules() if isinstance(layer, _BatchNorm))


def build_model(*, recipe: Recipe, in_channels: int, dims: int, seed: int) -> EmbeddingModel:
    """The model with initial weights that depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = EmbeddingModel(recipe=recipe, in_channels=in_channels, dims=dims)
    model.freeze()
    return model


def spread(embeddings: Tensor) -> float:
    """RMS distance of the L2-normalised embeddings (N, D) from their mean, in [0, 1]; 0 is a full collapse.

    A row of zeros stays one; so all of them are one point.
    """
    rows = embeddings.double()
    alive = float(rows.any(dim=1).double().mean())  # the mean square of normalised rows, without their rounding
    unit = nn.functional.normalize(rows, dim=1, eps=1e-300)
    return math.sqrt(max(0.0, alive - float(unit.mean(dim=0).square().sum())))
