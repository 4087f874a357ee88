"""A finished model as one file that is complete in itself: from images to embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from realitycheck.atomic import draft_of, publish
from realitycheck.canonical import canonical_json
from realitycheck.catalog import build_trunk
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


def load_model(path: Path | str) -> EmbeddingModel:
    """Load an exported model: (B, C, H, W) uint8 images to (B, D) embeddings, which are not normalised.

    Images have the protocol's `image_size`, and channels from 0 to 255.

    Raises:
        OSError: if the file cannot be read.
    """
    with safe_open(path, framework="pt") as file:
        facts = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    recipe = Recipe.model_validate_json(facts["recipe"])
    trunk = build_trunk(recipe.trunk, in_channels=int(facts["channels"]))
    model = EmbeddingModel(recipe=recipe, trunk=trunk, width=trunk.output_dim, dims=int(facts["dims"]))
    model.load_state_dict(tensors)
    return model.eval()
