"""Where a frozen trunk's features lie, in parts and whole; readable without torch."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from realitycheck.canonical import digest
from realitycheck.protocol.recipe import Recipe
from realitycheck.runs import RESULTS_VERSION
from realitycheck.stores.cache import publish, publish_json, read_meta

AT_ONCE = 100
"""Images at a time. Part of the numbers, since kernels differ by batch size."""

EACH = 500
"""Images of a part, which one child computes: some seconds, beside which its start does not count."""


def features_path(pixels: Path, recipe: Recipe) -> Path:
    """Where the features of a pixel store lie: beside it, under a digest of all that can change them."""
    trunk = recipe.trunk.model_dump(mode="json", exclude={"weights"})
    weights = recipe.trunk.weights.sha256 if recipe.trunk.weights else None
    told = recipe.model_dump(mode="json", include={"image_size", "pooling", "precision", "threads"})
    key = digest([RESULTS_VERSION, AT_ONCE, trunk, weights, told, views(recipe)])[:16]
    return pixels.with_name(f"{pixels.name}-{key}")


def missing(pixels: Path, recipe: Recipe) -> list[int]:
    """Where the parts begin that are still to be computed; none where the store is whole."""
    path = features_path(pixels, recipe)
    if path.with_suffix(".json").exists():
        return []
    starts = range(0, len(read_meta(pixels)["labels"]), EACH)
    return [start for start in starts if not part_path(path, start).exists()]


def join_parts(pixels: Path, recipe: Recipe) -> Path:
    """One store of all parts; its path. As with pixels, the JSON file comes last: a store without it is unfinished."""
    path, meta = features_path(pixels, recipe), read_meta(pixels)
    if path.with_suffix(".json").exists():
        return path
    parts = [part_path(path, start) for start in range(0, len(meta["labels"]), EACH)]
    shape = (len(meta["labels"]), *np.load(parts[0], mmap_mode="r").shape[1:])
    draft = path.with_name(f"{path.name}.{os.getpid()}.part.npy")
    whole = np.lib.format.open_memmap(draft, mode="w+", dtype=np.float32, shape=shape)
    for number, part in enumerate(parts):
        whole[number * EACH : (number + 1) * EACH] = np.load(part)
    whole.flush()
    publish(draft, path.with_suffix(".npy"))
    facts = {name: meta[name] for name in ("digest", "labels", "classes")}
    publish_json(path.with_suffix(".json"), {**facts, "features": True})
    for part in parts:
        part.unlink()
    parts[0].parent.rmdir()
    return path


def part_path(path: Path, start: int) -> Path:
    """Where the part lies that begins with this image."""
    return path.with_suffix(".parts") / f"{start:08d}.npy"


def views(recipe: Recipe) -> int:
    """How often a frozen trunk sees each image: as it is and, where the recipe flips, its mirror image."""
    return 2 if recipe.augment.flip > 0 else 1
