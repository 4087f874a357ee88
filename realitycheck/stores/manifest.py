"""What the images, labels and split of a dataset are, by name and digest, so that a change can be named."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from realitycheck.atomic import draft_of, publish
from realitycheck.canonical import canonical_json
from realitycheck.errors import first_few
from realitycheck.records.nearest_images import ShownImage
from realitycheck.stores.cache import read_meta
from realitycheck.stores.prepare import HALVES, Stores

DIGITS = 16
"""Hex digits of a file's SHA-256 that are kept: enough to tell two versions of a file apart."""


@dataclass(frozen=True, slots=True)
class Half:
    """One half of a dataset.

    Args:
        digest: the digest of the half, which is part of every id.
        classes: the class names by label.
        labels: the class of every image.
        names: the names of the images; empty where the dataset has no files.
        files: the first digits of their SHA-256; empty where the dataset has no files.
    """

    digest: str
    classes: tuple[str, ...]
    labels: tuple[int, ...]
    names: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def images(self) -> dict[str, tuple[str, str]]:
        """Name → class and digits."""
        entries = zip(self.names, self.labels, self.files, strict=True)
        return {name: (self.classes[label], file) for name, label, file in entries}

    def shown(self, image: int) -> ShownImage:
        """One image by its number; without a name where the dataset has no files."""
        name, file = (self.names[image], self.files[image]) if self.names else ("", "")
        return ShownImage(image, name, file, self.classes[self.labels[image]])

    @property
    def sizes(self) -> dict[str, int]:
        """Class → number of images."""
        return {name: self.labels.count(label) for label, name in enumerate(self.classes)}


@dataclass(frozen=True, slots=True)
class Manifest:
    """Both halves of a dataset."""

    trainval: Half
    test: Half

    @property
    def digests(self) -> tuple[str, str]:
        """The digests of both halves."""
        return self.trainval.digest, self.test.digest

    @property
    def images(self) -> dict[str, tuple[str, str]]:
        """Name → class and digits, over both halves."""
        return self.trainval.images | self.test.images


def manifest_of(stores: Stores) -> Manifest:
    """The manifest of two finished pixel stores."""
    return Manifest(*(half_of_store(getattr(stores, half)) for half in HALVES))


def half_of_store(path: Path) -> Half:
    """What a finished store holds of one half."""
    meta = read_meta(path)
    files = tuple(sha[:DIGITS] for sha in meta.get("files", ()))
    names = tuple(meta.get("names", ()))
    return Half(meta["digest"], tuple(meta["classes"]), tuple(meta["labels"]), names, files)


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest, compressed; equal manifests are equal bytes."""
    with draft_of(path) as draft:
        with draft.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as file:
            file.write(canonical_json(asdict(manifest)).encode())
        publish(draft, path)


def read_manifest(path: Path) -> Manifest | None:
    """Read a manifest; None where there is none.

    Raises:
        ValueError: it is damaged.
    """
    try:
        body = json.loads(gzip.decompress(path.read_bytes()))
        return Manifest(*(_half_of(body[half]) for half in HALVES))
    except FileNotFoundError:
        return None
    except (OSError, EOFError, zlib.error, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path}: the manifest is damaged") from error


def _half_of(body: dict[str, Any]) -> Half:
    lists = {name: tuple(body[name]) for name in ("classes", "labels", "names", "files")}
    return Half(digest=body["digest"], **lists)


def differences(old: Manifest, new: Manifest) -> Iterator[str]:
    """What changed between two manifests, as parts of a sentence; nothing where no id depends on it."""
    if old.digests == new.digests:
        return
    named = list(_named_differences(old, new))
    yield from named or ["images or labels, without a name by which they could be listed"]


def changed_halves(old: Manifest, new: Manifest) -> tuple[str, ...]:
    """The halves of which the digest changed."""
    return tuple(half for half, was, now in zip(HALVES, old.digests, new.digests, strict=True) if was != now)


def _named_differences(old: Manifest, new: Manifest) -> Iterator[str]:
    moved = _moved_classes(old, new)
    if moved:
        yield _counted(moved, "class moved", "classes moved", "to the other half")
    before, after = old.images, new.images
    gone, added = before.keys() - after.keys(), after.keys() - before.keys()
    known = {before[name][1] for name in gone}
    renamed = {name for name in added if after[name][1] in known}
    kept = {after[name][1] for name in renamed}
    both = before.keys() & after.keys()
    if not before or not after:
        yield from _class_differences(old, new)
    yield from _listed(both, lambda name: before[name][1] != after[name][1], "changed")
    yield from _listed(both, lambda name: before[name][0] != after[name][0], "labelled with another class")
    yield from _listed(renamed, lambda name: True, "under another name or class")
    yield from _listed(gone, lambda name: before[name][1] not in kept, "removed")
    yield from _listed(added, lambda name: name not in renamed, "added")
    if before == after and not moved and before:
        yield "the order of images or classes"


def _class_differences(old: Manifest, new: Manifest) -> Iterator[str]:
    """Of datasets without files: classes by name and size."""
    before, after = old.trainval.sizes | old.test.sizes, new.trainval.sizes | new.test.sizes
    if gone := sorted(before.keys() - after.keys()):
        yield _counted(gone, "class", "classes", "removed")
    if added := sorted(after.keys() - before.keys()):
        yield _counted(added, "class", "classes", "added")
    if resized := sorted(name for name in before.keys() & after.keys() if before[name] != after[name]):
        yield _counted(resized, "class", "classes", "of another size")


def _moved_classes(old: Manifest, new: Manifest) -> list[str]:
    was: Mapping[str, str] = {name: half for half in HALVES for name in getattr(old, half).classes}
    now: Mapping[str, str] = {name: half for half in HALVES for name in getattr(new, half).classes}
    return sorted(name for name in was.keys() & now.keys() if was[name] != now[name])


def _listed(names: set[str], holds: Callable[[str], bool], what: str) -> Iterator[str]:
    if listed := sorted(name for name in names if holds(name)):
        yield _counted(listed, "image", "images", what)


def _counted(names: list[str], one: str, many: str, what: str) -> str:
    return f"{len(names)} {one if len(names) == 1 else many} {what} ({first_few(names)})"
