"""Images that a dataset holds twice, in both halves, under two classes or in one class; and those of one colour."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from realitycheck.errors import Problem, first_few
from realitycheck.stores.cache import read_meta
from realitycheck.stores.prepare import HALVES, Stores

BLANK = (
    "Of a transparent image the colours below are read, often black: put such images on a background, leave them out "
    "with `exclude`, or remove them."
)

DIGITS = 12
"""Digits of a digest that are shown."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """One image of a store.

    Args:
        name: path below the dataset's root.
        label: half and name of its class.
        file: SHA-256 of its file.
        pixels: SHA-256 of the pixels that the store keeps.
    """

    name: str
    label: tuple[str, str]
    file: str
    pixels: str


def duplicate_warnings(stores: Stores) -> Iterator[Problem]:
    """Yield a warning for images of one colour and for each kind of duplicate among all others.

    Images with equal files or equal pixels are duplicates.

    The digests are those of the stores, so that no image is read. Datasets without files of their own have none.
    """
    if blank := [name for half in HALVES for name in read_meta(getattr(stores, half)).get("blank", ())]:
        says = f"{_shown(blank, 'image', 'images')} of one colour. {BLANK}"
        yield Problem(0, "", says, "image-blank")
    groups = _groups([*_copies(stores, "trainval"), *_copies(stores, "test")])
    if copies := list(_across(groups)):
        says = f"{_shown(copies, 'image', 'images')} of the test half also in trainval. Keep one of each.{_cut(copies)}"
        yield Problem(0, "", says, "image-in-both-halves")
    if copies := list(_under_two(groups)):
        says = f"{_shown(copies, 'image', 'images')} under two classes of one half. Keep the right one.{_cut(copies)}"
        yield Problem(0, "", says, "image-in-two-classes")
    if copies := list(_within(groups)):
        says = f"{_shown(copies, 'image', 'images')} in one class twice. Keep one of each.{_cut(copies)}"
        yield Problem(0, "", says, "image-duplicate")
    if copies := list(_copied_classes(groups, stores)):
        says = f"{_shown(copies, 'class', 'classes')} copied whole. Remove the copies."
        yield Problem(0, "", says, "class-copied")


def _copies(stores: Stores, half: str) -> list[_Copy]:
    meta = read_meta(getattr(stores, half))
    names = meta.get("names", [])
    labels = [(half, meta["classes"][label]) for label in meta["labels"]] if names else []
    files = meta["files"] if names else []
    pixels = meta.get("pixels", files)  # without them, equal files alone are found
    blank = set(meta.get("blank", ()))
    facts = zip(names, labels, files, pixels, strict=True)
    return [_Copy(*one) for one in facts if one[0] not in blank]


def _groups(copies: Sequence[_Copy]) -> list[list[_Copy]]:
    """Copies of one image, where there are two or more. Equal files have equal pixels."""
    groups: dict[str, list[_Copy]] = defaultdict(list)
    for copy in copies:
        groups[copy.pixels].append(copy)
    return [group for group in groups.values() if len(group) > 1]


def _across(groups: Sequence[Sequence[_Copy]]) -> Iterator[str]:
    """Images of both halves; copies of trainval come first in a group."""
    for group in groups:
        if group[0].label[0] != group[-1].label[0]:
            yield _named(group[-1], group[0])


def _under_two(groups: Sequence[Sequence[_Copy]]) -> Iterator[str]:
    for group in groups:
        first: dict[str, _Copy] = {}
        other = next((copy for copy in group if first.setdefault(copy.label[0], copy).label != copy.label), None)
        if other is not None:
            yield _named(first[other.label[0]], other)


def _within(groups: Sequence[Sequence[_Copy]]) -> Iterator[str]:
    for group in groups:
        first: dict[tuple[str, str], _Copy] = {}
        other = next((copy for copy in group if first.setdefault(copy.label, copy) is not copy), None)
        if other is not None:
            yield _named(first[other.label], other)


def _named(one: _Copy, other: _Copy) -> str:
    digest = f"sha256 {one.file[:DIGITS]}" if one.file == other.file else f"pixels {one.pixels[:DIGITS]}"
    return f"{one.name} = {other.name} ({digest})"


def _cut(copies: Sequence[str]) -> str:
    """What equal pixels of different files mean."""
    if not any("(pixels " in copy for copy in copies):
        return ""
    return " Where pixels are named the files differ, and what the protocol cuts and keeps of them is equal."


def _copied_classes(groups: Sequence[Sequence[_Copy]], stores: Stores) -> Iterator[str]:
    """Classes of two or more images, all of which are in one other class."""
    shared: Counter[tuple[tuple[str, str], tuple[str, str]]] = Counter()
    for group in groups:
        counts = Counter(copy.label for copy in group)
        for one, other in combinations(counts, 2):
            shared[one, other] += counts[one]
            shared[other, one] += counts[other]
    halves = {"trainval": stores.trainval_sizes, "test": stores.test_sizes}
    sizes = {(half, name): count for half, classes in halves.items() for name, count in classes}
    holders: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for (one, other), count in shared.items():
        if count == sizes[one] > 1 and one not in holders[other]:
            holders[one].append(other)
    for one, others in holders.items():
        if others:
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            yield f"{one[1]} ({one[0]}, {sizes[one]} images) in {others[0][1]} ({others[0][0]}){more}"


def _shown(names: Sequence[str], one: str, many: str) -> str:
    return f"{len(names):,} {one if len(names) == 1 else many} ({first_few(names)})"
