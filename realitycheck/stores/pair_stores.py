"""Make the pixel store of a published list of pairs."""

from __future__ import annotations

from pathlib import Path

from realitycheck.canonical import digest
from realitycheck.datasets.pair_images import PairImages
from realitycheck.stores.decode_parts import DecodeProgress, KeptImages
from realitycheck.stores.integrity import set_store_aside, visible_damage
from realitycheck.stores.prepare import write_store


def prepare_pairs(images: PairImages, home: Path, *, named: str, kept: KeptImages, watch: DecodeProgress) -> Path:
    """Make the pixel store of the images of a list, two for each pair; return its path without an ending.

    A finished store is reused while list, images and sizes are the same; a damaged one is made again.

    Args:
        images: of the list.
        home: folder of the stores of the dataset whose models are measured.
        named: name and digest of the list, as an evaluation has them.
        kept: what is kept of an image.
        watch: called with the number of decoded images.

    Raises:
        InputError: images cannot be read; it lists all of them.
    """
    path = home / digest([images.fingerprint, named, *kept.identity])[:16] / "pairs"
    if harm := visible_damage(path):
        set_store_aside(harm)
    if not path.with_suffix(".json").exists():
        classes = range(len(images.classes))
        write_store(images, classes, path, kept=kept, facts={"pairs": named}, watch=watch)
    return path
