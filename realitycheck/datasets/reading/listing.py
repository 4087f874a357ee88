"""What a dataset's own lists say, before the images are looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from realitycheck.datasets.base import Official
from realitycheck.datasets.reading.wording import some
from realitycheck.errors import Problem

STRANGE = frozenset({"", ".", ".."})
"""Parts of paths that are absolute, lead up, or name one file in two ways."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a dataset must hold, as published.

    Args:
        classes: how many.
        images: how many.
        official: classes of the trainval and the test side of its split; None where it has none.
    """

    classes: int
    images: int
    official: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Listing:
    """The images that a dataset lists.

    Args:
        paths: of the images, below the root, with forward slashes.
        labels: class index of each image.
        classes: names in label order.
        in_test: for each image whether it is on the test side; None where no split is listed.
        complete: folders below the root in which every image must be listed; `.` is the root.
    """

    paths: tuple[str, ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    in_test: tuple[bool, ...] | None
    complete: tuple[str, ...]


def listing_problems(listing: Listing, counts: Counts | None) -> Iterator[Problem]:
    """Everything that is wrong with a listing by itself."""
    if strange := [path for path in listing.paths if not is_inside(path)]:
        yield Problem(0, some(strange), "must be a path below the root, plain and without `..`. Mend the list.")
    if twice := [path for path, count in Counter(listing.paths).items() if count > 1]:
        yield Problem(0, some(twice), "must be listed once; it is listed again. Remove the second line.")
    if named := [name for name, count in Counter(listing.classes).items() if count > 1]:
        yield Problem(0, some(named), "must name one class; it names several. Rename them.")
    used = set(listing.labels)
    if empty := [name for index, name in enumerate(listing.classes) if index not in used]:
        yield Problem(0, some(empty), "must hold at least one image; it holds none. Fill it or remove it.")
    if both := [listing.classes[label] for label in sorted(_overlap(listing))]:
        says = "must be on one side of the split; it has images in trainval and in test. Move them to one side."
        yield Problem(0, some(both), says)
    if listing.in_test and len(set(listing.in_test)) == 1:
        side = "test" if listing.in_test[0] else "trainval"
        yield Problem(0, "split", f"must have classes on both sides; all are on the side {side}. Mend the list.")
    if counts:
        yield from _count_problems(listing, counts)


def _count_problems(listing: Listing, counts: Counts) -> Iterator[Problem]:
    found = Counts(len(listing.classes), len(listing.paths), _sizes(official_split(listing)))
    for name, want, got in (
        ("classes", counts.classes, found.classes),
        ("images", counts.images, found.images),
        ("official split", counts.official, found.official),
    ):
        if want != got and not (name == "official split" and _overlap(listing)):
            yield Problem(0, name, f"must be {_told(want)}; got {_told(got)}. Extract the official archive again.")


def _told(count: int | tuple[int, int] | None) -> str:
    if isinstance(count, tuple):
        return f"{count[0]:,} trainval and {count[1]:,} test classes"
    return "none" if count is None else f"{count:,}"


def _sizes(official: Official | None) -> tuple[int, int] | None:
    return None if official is None else (len(official[0]), len(official[1]))


def _sides(listing: Listing) -> tuple[set[int], set[int]]:
    pairs = set(zip(listing.labels, listing.in_test or (), strict=False))
    return {label for label, test in pairs if not test}, {label for label, test in pairs if test}


def _overlap(listing: Listing) -> set[int]:
    trainval, test = _sides(listing)
    return trainval & test


def official_split(listing: Listing) -> Official | None:
    """The classes of either side in label order, or None where no split is listed."""
    if listing.in_test is None:
        return None
    trainval, test = _sides(listing)
    return tuple(sorted(trainval)), tuple(sorted(test))


def is_inside(path: str) -> bool:
    """Whether a listed path can only lead below the root, on any system."""
    usual = "\\" not in path and ":" not in path and "\0" not in path
    return usual and STRANGE.isdisjoint(path.split("/"))


def repeated(sizes: list[int]) -> tuple[int, ...]:
    """Labels of classes that lie one after another: `sizes[0]` times 0, `sizes[1]` times 1, …"""
    return tuple(np.repeat(np.arange(len(sizes)), sizes).tolist())
