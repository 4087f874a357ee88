"""Make the pixel store of a published list of pairs."""

from __future__ import annotations

from pathlib import Path

from realitycheck.canonical import digest
from realitycheck.datasets.pair_images import PairImages
from realitycheck.stores.decode_parts import DecodeProgress
from realitycheck.stores.integrity import set_store_aside, visible_damage
from realitycheck.stores.prepare import write_store


def prepare_pairs(
    images: PairImages, home: Path, *, named: str, image_size: int, resize: int | None, watch: DecodeProgress
) -> Path:
    """Make the pixel store of the images of a list, two for each pair; return its path without an ending.

    A finished store is reused while list, images and sizes are the same; a damaged one is made again.

    Args:
        images: of the list.
        home: folder of the stores of the dataset whose models are measured.
        named: name and digest of the list, as an evaluation has them.
        image_size: side of the middle squares that are kept, in pixels.
        resize: shorter side at which whole images are kept instead; None to keep squares.
        watch: called with the number of decoded images.

    Raises:
        InputError: images cannot be read; it lists all of them.
    """
    sizes = [image_size] if resize is None else [resize, "whole"]
    path = home / digest([images.fingerprint, named, *sizes])[:16] / "pairs"
    if harm := visible_damage(path):
        set_store_aside(harm)
    if not path.with_suffix(".json").exists():
        classes = range(len(images.classes))
        size, square = resize or image_size, resize is None
        write_store(images, classes, path, size=size, square=square, facts={"pairs": named}, watch=watch)
    return path
