"""The published lists of pairs of a study: each is read, holds what its evaluation names, and has a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from realitycheck.check.data import data_faults
from realitycheck.check.rules.base import Found, Made, rule
from realitycheck.datasets.base import Dataset
from realitycheck.datasets.pair_images import PairImages
from realitycheck.errors import InputError
from realitycheck.evaluations.menu import LISTED_PAIRS, pair_list_in
from realitycheck.protocol.document import Document, Fault
from realitycheck.protocol.pair_list_keys import PairFiles
from realitycheck.protocol.recipe import Fit
from realitycheck.stores.decode_parts import kept_images
from realitycheck.stores.pair_stores import prepare_pairs


@rule(
    "study.pair_lists",
    name="<dataset>",
    dataset="made.<dataset>.images",
    evaluations="protocol.evaluations",
    image_size="protocol@<dataset>.recipe.image_size",
    resize="protocol@<dataset>.recipe.resize",
    fit="protocol@<dataset>.recipe.fit",
    study="file.study",
    folder="made.stores",
    watch="made.watch",
    makes="made.<dataset>.pairs",
)
def pairs_can_be_read(
    lists: Mapping[str, PairFiles] | None,
    *,
    name: str,
    dataset: Dataset,
    evaluations: Sequence[str],
    image_size: int,
    resize: int | None,
    fit: Fit,
    study: Document,
    folder: Callable[[str], Path],
    watch: Callable[[str, int, int], None],
) -> Found:
    """Every list holds what its evaluation names; the stores of its images are made on the way."""
    stores = {}
    for listed, content in filter(None, map(pair_list_in, evaluations)):
        if not lists or listed not in lists:
            continue
        files = lists[listed].placed(study.path.parent)
        progress = partial(watch, f"pairs of {listed}")
        try:
            images = _opened(files, channels=dataset.channels)
            if images.content != content:
                yield from _other_content(listed, images.content)
                continue
            named = f"{listed}-{content}"
            kept = kept_images(image_size=image_size, resize=resize, fit=fit)
            stores[listed] = prepare_pairs(images, folder(name), named=named, kept=kept, watch=progress)
        except InputError as error:
            yield from (
                Fault(one.code, one.says, (listed, "file")) for one in data_faults(error.source, error.problems)
            )
    yield Made(stores)


def _opened(files: PairFiles, *, channels: int) -> PairImages:
    """The images of a list.

    Raises:
        InputError: they cannot be read.
    """
    folder = None if files.images is None else Path(files.images)
    return PairImages(file=Path(files.file), images=folder, channels=channels)


def _other_content(listed: str, content: str) -> Iterator[Fault]:
    says = (
        "the list or its images differ from what the evaluation names. Get the files again, or write "
        f"`{LISTED_PAIRS}:{listed}-{content}` for these."
    )
    yield Fault("pairs-digest", says, (listed, "file"))
