"""The model of a recipe: trunk → pooling → optional LayerNorm → linear embedder, or none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from realitycheck import catalog
from realitycheck.errors import InputError
from realitycheck.protocol.recipe import Recipe
from realitycheck.trunks.base import Trunk
from realitycheck.trunks.weights import load


class EmbeddingModel(nn.Module):
    """A model from images to embeddings.

    Args:
        recipe: pooling, LayerNorm, BatchNorm mode and initialisation.
        trunk: module from images to feature maps, or None if the inputs are features.
        width: F, the channels of the feature maps.
        dims: D, the embedding dimensions.

    Raises:
        InputError: there is no embedder, and D differs from F.
    """

    def __init__(self, *, recipe: Recipe, trunk: nn.Module | None, width: int, dims: int) -> None:
        super().__init__()
        self.pooling = recipe.pooling
        self.batch_norm = recipe.batch_norm
        self.trunk = trunk
        self.norm: nn.Module = nn.Identity()
        if recipe.layer_norm != "none":
            self.norm = nn.LayerNorm(width, elementwise_affine=recipe.layer_norm == "affine")
        self.dims = dims
        self.embedder = _embedder(recipe.embedder_init, width=width, dims=dims)

    def features(self, images: Tensor) -> Tensor:
        """Return (B, F) pooled trunk features of (B, C, H, W) uint8 images; without a trunk, the input itself."""
        if self.trunk is None:
            return images
        return pooled(self.trunk(images.float().div(255)), self.pooling)

    def embed(self, features: Tensor) -> Tensor:
        """Return (B, D) embeddings of (B, F) features, not normalised."""
        embedded: Tensor = self.embedder(self.norm(features))
        return embedded

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, D) embeddings of (B, C, H, W) uint8 images, not normalised."""
        return self.embed(self.features(images))

    def train(self, mode: bool = True) -> EmbeddingModel:  # noqa: FBT001, FBT002 - the signature is torch's
        """Set the training mode; BatchNorm layers follow the recipe's `batch_norm`."""
        super().train(mode)
        if self.batch_norm != "train":
            for layer in self._batch_norms():
                layer.eval()
        return self

    def freeze(self) -> None:
        """Fix scale and shift of every BatchNorm layer if `batch_norm` is `frozen`."""
        if self.batch_norm == "frozen":
            for layer in self._batch_norms():
                layer.requires_grad_(requires_grad=False)

    def _batch_norms(self) -> Iterator[_BatchNorm]:
        return (layer for layer in self.modules() if isinstance(layer, _BatchNorm))


def _embedder(init: str, *, width: int, dims: int) -> nn.Module:
    if init == "no_embedder":
        if width != dims:
            says = f"{dims} is out of range: without an embedder it must be the trunk's {width} features."
            raise InputError.one("the protocol", "embedding-dim-trunk", says, where="embedding_dim")
        return nn.Identity()
    embedder = nn.Linear(width, dims)
    if init == "kaiming_fan_out":
        nn.init.kaiming_normal_(embedder.weight, mode="fan_out")
        nn.init.zeros_(embedder.bias)
    return embedder


def pooled(maps: Tensor, pooling: str) -> Tensor:
    """Pool (B, F, h, w) maps to (B, F) features by `avg`, `max`, or the sum of both, `max+avg`."""
    average = maps.mean(dim=(2, 3))
    if pooling == "avg":
        return average
    largest = maps.amax(dim=(2, 3))
    return largest if pooling == "max" else largest + average


def build_trunk(*, recipe: Recipe, in_channels: int, weights: str | None, seed: int) -> Trunk:
    """Build the recipe's trunk with the weights of a file, or with random ones that depend only on the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trunk = catalog.build_trunk(recipe.trunk, in_channels=in_channels)
    if weights is not None:
        load(trunk, Path(weights))
    return trunk


def build_model(*, recipe: Recipe, in_channels: int, dims: int, seed: int, weights: str | None) -> EmbeddingModel:
    """Build the model; its initial weights depend only on the seed, or for the trunk come from a file.

    With a frozen trunk the model takes features as input, and `in_channels` is their number.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trunk = None if recipe.trunk.frozen else catalog.build_trunk(recipe.trunk, in_channels=in_channels)
        width = in_channels if trunk is None else trunk.output_dim
        model = EmbeddingModel(recipe=recipe, trunk=trunk, width=width, dims=dims)
    if trunk is not None and weights is not None:
        load(trunk, Path(weights))
    model.freeze()
    return model


def spread(embeddings: Tensor) -> float:
    """Return the RMS distance of L2-normalised embeddings (N, D) from their mean, in [0, 1]; 0 is a full collapse.

    A row of zeros is normalised to zeros.
    """
    rows = embeddings.double()
    nonzero = float(rows.any(dim=1).double().mean())  # the mean square of normalised rows, without their rounding
    unit = nn.functional.normalize(rows, dim=1, eps=1e-300)
    return math.sqrt(max(0.0, nonzero - float(unit.mean(dim=0).square().sum())))
