"""Files of a frozen trunk's features, in parts and joined, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realitycheck.atomic import draft_of, publish, sha256_of
from realitycheck.canonical import digest
from realitycheck.errors import RunError
from realitycheck.plugin_source import sources_of
from realitycheck.protocol.recipe import Recipe
from realitycheck.runs import RESULTS_VERSION
from realitycheck.stores.cache import publish_json, read_meta
from realitycheck.stores.decode_parts import UNREADABLE_PART
from realitycheck.stores.integrity import file_facts

FEATURE_BATCH = 100
"""Images per forward pass. Part of the path's digest, because kernels and hence results differ by batch size."""

IMAGES_PER_PART = 500
"""Images that one child process computes: some seconds of work, so that its start-up is negligible."""


def features_path(pixels: Path, recipe: Recipe, *, corruption: str = "") -> Path:
    """Return the path of a pixel store's features: beside it, with a digest of everything that can change them.

    Args:
        pixels: the store.
        recipe: the protocol's recipe.
        corruption: kind and severity of a corruption of the images before the trunk; empty for none.
    """
    trunk = recipe.trunk.model_dump(mode="json", exclude={"weights"})
    weights = recipe.trunk.weights.sha256 if recipe.trunk.weights else None
    settings = recipe.model_dump(mode="json", include={"image_size", "pooling", "arithmetic", "threads"})
    sources = sources_of(recipe.trunk.name)
    key = digest([RESULTS_VERSION, FEATURE_BATCH, trunk, weights, settings, views(recipe), sources])[:16]
    return pixels.with_name(f"{pixels.name}-{key}" + (f"-{corruption}" if corruption else ""))


def missing(pixels: Path, recipe: Recipe, *, corruption: str = "") -> list[int]:
    """Return the start indices of the parts that are not computed yet; empty if the store is finished."""
    path = features_path(pixels, recipe, corruption=corruption)
    if path.with_suffix(".json").exists():
        return []
    starts = range(0, len(read_meta(pixels)["labels"]), IMAGES_PER_PART)
    return [start for start in starts if not _is_sound(part_path(path, start))]


def join_parts(pixels: Path, recipe: Recipe, *, corruption: str = "") -> Path:
    """Join all parts to one store and return its path.

    The JSON file is written last, as for pixels: a store without it is unfinished.
    """
    path, meta = features_path(pixels, recipe, corruption=corruption), read_meta(pixels)
    if path.with_suffix(".json").exists():
        _name_images(path, meta)
        return path
    parts = [part_path(path, start) for start in range(0, len(meta["labels"]), IMAGES_PER_PART)]
    shape = (len(meta["labels"]), *_part(parts[0]).shape[1:])
    numbers = path.with_suffix(".npy")
    with draft_of(numbers) as draft:
        _write_joined(draft, shape, parts)
        written = file_facts(draft.stat().st_size, sha256_of(draft))
        publish(draft, numbers)
    facts = {name: meta[name] for name in ("digest", "labels", "classes")}
    own = {"corruption": corruption} if corruption else {}
    own |= {"pairs": meta["pairs"]} if "pairs" in meta else {}
    publish_json(path.with_suffix(".json"), {**facts, **_names(meta), **own, "features": True, **written})
    for part in parts:
        part.unlink(missing_ok=True)
    with suppress(OSError):  # another process has removed it, or writes a part into it
        parts[0].parent.rmdir()
    return path


def _write_joined(draft: Path, shape: tuple[int, ...], parts: Sequence[Path]) -> None:
    """Write the array of all parts. A memory map would end the process by SIGBUS where the disk is full."""
    with draft.open("wb") as file:
        header = {"descr": np.dtype(np.float32).str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.ascontiguousarray(_part(part), dtype=np.float32).data)


def _name_images(path: Path, pixels: dict[str, Any]) -> None:
    """Add the names of the images to a store that was made without them."""
    meta = read_meta(path)
    if not _names(pixels).keys() <= meta.keys():
        publish_json(path.with_suffix(".json"), {**meta, **_names(pixels)})


def _names(pixels: dict[str, Any]) -> dict[str, Any]:
    """Names and digests of the image files, where the dataset has files."""
    return {name: pixels[name] for name in ("names", "files") if name in pixels}


def part_path(path: Path, start: int) -> Path:
    """Return the path of the part that begins with image `start`."""
    return path.with_suffix(".parts") / f"{start:08d}.npz"  # a zip file has a checksum of its content


def _is_sound(path: Path) -> bool:
    """Whether a part exists and its checksum matches; a damaged one is removed."""
    if not path.exists():
        return False
    try:
        _part(path)
    except RunError:
        return False
    return True


def write_part(path: Path, features: NDArray[np.float32]) -> None:
    """Write a part."""
    with draft_of(path) as draft:
        with draft.open("wb") as file:
            np.savez(file, features=features)
        publish(draft, path)


def _part(path: Path) -> NDArray[np.float32]:
    """Read a part; a damaged one is removed.

    Raises:
        RunError: it is damaged or missing.
    """
    try:
        with np.load(path) as part:
            features: NDArray[np.float32] = part["features"]
    except UNREADABLE_PART as error:
        path.unlink(missing_ok=True)
        raise RunError(f"{path}: the part is damaged. `run` again: it is made again.") from error
    return features


def views(recipe: Recipe) -> int:
    """Return the number of feature vectors per image: 2 (itself and mirrored) if the recipe flips images, else 1."""
    return 2 if recipe.augment.flip > 0 else 1
