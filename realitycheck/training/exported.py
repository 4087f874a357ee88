"""A finished model as one file that is complete in itself: from images to embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from realitycheck.atomic import draft_of, publish
from realitycheck.canonical import canonical_json
from realitycheck.catalog import build_trunk
from realitycheck.errors import InputError
from realitycheck.protocol.recipe import Recipe
from realitycheck.runs import RunSpec
from realitycheck.training.assemble import recipe_of
from realitycheck.training.embedding_model import EmbeddingModel
from realitycheck.training.embedding_model import build_trunk as initial_trunk


def export_model(
    spec: RunSpec, tensors: Mapping[str, Tensor], target: Path, *, channels: int, trunk_weights: str | None
) -> None:
    """Write a model; a frozen trunk, whose runs train on features, is added to it.

    Args:
        spec: of the run that trained it.
        tensors: its weights by name.
        target: the file to write.
        channels: of an image.
        trunk_weights: the file of the trunk's weights, or None where it has none.
    """
    recipe, whole = recipe_of(spec), dict(tensors)
    if recipe.trunk.frozen:
        trunk = initial_trunk(recipe=recipe, in_channels=channels, weights=trunk_weights, seed=0)
        whole |= {f"trunk.{name}": value for name, value in trunk.state_dict().items()}
    facts = {"recipe": canonical_json(spec.recipe), "channels": str(channels), "dims": str(spec.dims), "run": spec.id}
    with draft_of(target) as draft:
        content = save({name: value.contiguous() for name, value in whole.items()}, metadata=facts)
        draft.write_bytes(content)  # `save_file` would leave a file that only its owner can read
        publish(draft, target)


class ExportedModel(EmbeddingModel):
    """A finished model that accepts images of the protocol alone.

    Args:
        recipe: of its protocol.
        channels: of an image.
        dims: D, the embedding dimensions.
    """

    def __init__(self, *, recipe: Recipe, channels: int, dims: int) -> None:
        trunk = build_trunk(recipe.trunk, in_channels=channels)
        super().__init__(recipe=recipe, trunk=trunk, width=trunk.output_dim, dims=dims)
        self.image = (channels, recipe.image_size, recipe.image_size)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, D) embeddings of (B, C, H, W) uint8 images, not normalised.

        Raises:
            InputError: the images are not bytes, or have another shape; the model would embed most of them, wrongly.
        """
        if images.dtype != torch.uint8 or images.ndim != 4 or tuple(images.shape[1:]) != self.image:
            got = f"{str(images.dtype).removeprefix('torch.')} {tuple(images.shape)}"
            wanted = ", ".join(map(str, self.image))
            says = f"{got} is not allowed here: the model takes uint8 images of shape (B, {wanted}), from 0 to 255."
            raise InputError.one("the model", "image-shape", says)
        return super().forward(images)

    @torch.inference_mode()
    def embed_arrays(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (B, D) embeddings of (B, C, H, W) images, without gradients."""
        embeddings: NDArray[np.float32] = self(torch.from_numpy(images)).numpy()
        return embeddings


def load_model(path: Path | str) -> ExportedModel:
    """Load an exported model: (B, C, H, W) uint8 images to (B, D) embeddings, which are not normalised.

    Images have the protocol's `image_size`, and channels from 0 to 255; the model refuses others.

    Raises:
        OSError: if the file cannot be read.
    """
    with safe_open(path, framework="pt") as file:
        facts = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    recipe = Recipe.model_validate_json(facts["recipe"])
    model = ExportedModel(recipe=recipe, channels=int(facts["channels"]), dims=int(facts["dims"]))
    model.load_state_dict(tensors)
    return model.eval()
