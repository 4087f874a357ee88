"""Make the two pixel stores of a dataset: the trainval classes and the test classes."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from realitycheck.atomic import draft_of, publish
from realitycheck.canonical import digest
from realitycheck.datasets.base import Dataset
from realitycheck.datasets.interface import require_files, require_interface
from realitycheck.errors import InputError, Problem, RunError
from realitycheck.evaluations.menu import corruption_in, is_foundation, pair_list_in
from realitycheck.plan.splits import split_classes
from realitycheck.plugin_source import source_of
from realitycheck.protocol.split_keys import SplitRule
from realitycheck.stores.borrow import borrow
from realitycheck.stores.cache import publish_json, read_meta
from realitycheck.stores.decode_parts import DecodeProgress, Decoding, KeptImages
from realitycheck.stores.integrity import file_facts, set_store_aside, visible_damage

HALVES = ("trainval", "test")


@dataclass(frozen=True, slots=True)
class Stores:
    """Paths, digests and class sizes (name, number of images) of the two stores of a dataset.

    `notices` says which damaged stores were set aside and made again, and which are shared with another study.
    `corrupted` has the features of a frozen trunk of corrupted test images, by kind and severity. `pairs` has the
    stores of lists of pairs, by the name of a list, and `foundations` the test halves of foundation models, by the name
    of their evaluation: pixels before a run, and then features.
    """

    trainval: Path
    test: Path
    trainval_digest: str
    test_digest: str
    trainval_sizes: tuple[tuple[str, int], ...]
    test_sizes: tuple[tuple[str, int], ...]
    notices: tuple[Problem, ...] = ()
    corrupted: Mapping[str, Path] = field(default_factory=dict)
    pairs: Mapping[str, Path] = field(default_factory=dict)
    foundations: Mapping[str, Path] = field(default_factory=dict)

    def test_of(self, evaluation: str) -> Path:
        """The store that an evaluation reads: of the test half, or of a list of pairs."""
        if listed := pair_list_in(evaluation):
            return self.pairs[listed[0]]
        if is_foundation(evaluation):
            return self.foundations[evaluation]
        return self.corrupted.get(corruption_in(evaluation) or "", self.test)

    @property
    def scored(self) -> tuple[Path, ...]:
        """Every store that scores read."""
        return (self.trainval, self.test, *self.corrupted.values(), *self.pairs.values(), *self.foundations.values())


def prepare(
    dataset: Dataset,
    home: Path,
    *,
    split: SplitRule,
    kept: KeptImages,
    watch: DecodeProgress,
    others: Sequence[Path] = (),
) -> Stores:
    """Make the two pixel stores of a dataset; images that an interrupted attempt decoded are not decoded again.

    A finished store is reused while the dataset's fingerprint and source, the image sizes and the split are the same.
    It holds the names and digests of the image files, if there are any; these are part of the store's digest. The
    digests of single images' pixels beside them are not: they serve to find duplicates. A store of which a file is
    missing, cut or damaged is set aside and made again, as far as that shows without reading all images;
    `integrity.damage` finds the rest.

    Args:
        dataset: source of the images.
        home: folder of the dataset's stores.
        split: which classes are in which half.
        kept: what is kept of an image.
        watch: called with the number of decoded images of a half.
        others: folders of stores of other studies, whose finished stores of the same images are linked.

    Raises:
        InputError: if images cannot be read or the dataset cannot be split; it lists every problem.
    """
    require_interface(dataset)
    own = source_of(f"{type(dataset).__module__}:{type(dataset).__qualname__}")
    sources = [] if own is None else [own]
    folder = home / digest([dataset.fingerprint, *kept.identity, split.model_dump(mode="json"), *sources])[:16]
    halves = split_classes(len(dataset.classes), order=split.order, seed=split.seed, official=dataset.official)
    paths = [folder / half for half in HALVES]
    linked = borrow(folder, [other / folder.name for other in others])
    damaged = [harm for harm in map(visible_damage, paths) if harm]
    notices = [notice for notice in map(set_store_aside, damaged) if notice]
    if linked:
        shared = ", ".join(sorted(path.name for path in linked))
        says = f"shared with another study of this home, so that nothing is made again: {shared}."
        notices.append(Problem(0, folder.parent.name, says, "stores-shared"))
    unread: list[Problem] = []
    for path, classes in zip(paths, (halves.trainval, halves.test), strict=True):
        if not path.with_suffix(".json").exists():
            try:
                write_store(dataset, classes, path, kept=kept, facts={}, watch=watch)
            except InputError as error:  # those of the other half come beside them
                unread += error.problems
    if unread:
        raise InputError(type(dataset).__name__, unread)
    (trainval, sizes_of), (test, test_sizes) = map(_facts, paths)
    return Stores(paths[0], paths[1], trainval, test, sizes_of, test_sizes, tuple(notices))


def _facts(path: Path) -> tuple[str, tuple[tuple[str, int], ...]]:
    meta = read_meta(path)
    counts = np.bincount(meta["labels"], minlength=len(meta["classes"]))
    return meta["digest"], tuple(zip(meta["classes"], counts.tolist(), strict=True))


def write_store(
    dataset: Dataset,
    classes: Sequence[int],
    path: Path,
    *,
    kept: KeptImages,
    facts: Mapping[str, Any],
    watch: DecodeProgress,
) -> None:
    """Write the images of some classes, sorted by class.

    Args:
        dataset: source of the images.
        classes: its classes, which are numbered from 0 in this order.
        path: of the store, without an ending.
        kept: what is kept of an image.
        facts: what its JSON file holds beside the usual.
        watch: called with the number of decoded images.

    Raises:
        InputError: images cannot be read; it lists all of them.
    """
    members = [np.flatnonzero(dataset.labels == class_index) for class_index in classes]
    indices = [int(index) for group in members for index in group]
    decoding = Decoding(dataset, indices, kept, path.with_suffix(".parts"))
    try:
        decoding.decode(watch=watch)
        meta: dict[str, Any] = {
            "labels": [label for label, group in enumerate(members) for _ in group],
            "classes": [dataset.classes[class_index] for class_index in classes],
            "files": dataset.digests(indices),
            **facts,
        }
        if meta["files"] != []:
            names = dataset.names_of(indices)
            require_files(meta["files"], names, count=len(indices), dataset=dataset)
            blank = [name for name, is_blank in zip(names, decoding.blank(), strict=True) if is_blank]
            meta |= {"names": names, "pixels": decoding.digests()} | ({"blank": blank} if blank else {})
        _join(decoding, meta, path, shape=(dataset.channels, kept.size, kept.size) if kept.square else None)
    except FileNotFoundError:
        if not path.with_suffix(".json").exists():
            raise
        decoding.forget()  # another process has finished this very store meanwhile, and has deleted its parts


def _join(decoding: Decoding, meta: dict[str, Any], path: Path, *, shape: tuple[int, int, int] | None) -> None:
    """Write all pixels to one file, then the JSON file, which is published last: a store without it is unfinished."""
    sizes = decoding.sizes()
    count = len(meta["labels"])
    if len(sizes) != count:
        raise RunError(f"{path}: expected {count} images, but the dataset returned {len(sizes)}.")
    if shape is None:
        meta |= {"sizes": sizes.tolist(), "channels": decoding.dataset.channels}
    whole = (count, *shape) if shape else (int(sizes.prod(axis=1).sum()) * decoding.dataset.channels,)
    contents = [meta["files"], sizes.tolist()] if shape is None else [meta["files"]] if meta["files"] else []
    sha = hashlib.sha256(json.dumps([list(whole), meta["labels"], *contents]).encode())
    # Written instead of memory-mapped: mapped pages of 24 GB would count as memory in use.
    pixels, header = path.with_suffix(".npy"), {"descr": "|u1", "fortran_order": False, "shape": whole}
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, header)
    whole_file = hashlib.sha256(head.getvalue())
    with draft_of(pixels) as draft:
        with draft.open("wb") as file:
            file.write(head.getvalue())
            for part in decoding.pixels():
                file.write(part.data)
                sha.update(part.data)
                whole_file.update(part.data)
            size = file.tell()
        publish(draft, pixels)
    written = file_facts(size, whole_file.hexdigest())
    publish_json(path.with_suffix(".json"), {"digest": sha.hexdigest(), **meta, **written})
    decoding.forget()
