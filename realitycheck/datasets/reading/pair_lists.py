"""Lists of pairs as the field of face verification has them: LFW's `pairs.txt`, and pickled files of JPEG bytes."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realitycheck.datasets.reading.text_lists import ListRow, read_text, require_none
from realitycheck.errors import InputError, Problem

MOST_BYTES = 1 << 30
"""Of a pickled file; the largest of the field has 110 MB."""

BROKEN = (
    *(pickle.UnpicklingError, EOFError, ValueError, TypeError, IndexError, KeyError, AttributeError),
    *(OverflowError, MemoryError, RecursionError),
)
"""What the unpickler raises at damaged files, lengths beyond all memory among them."""


@dataclass(frozen=True, slots=True)
class ListedPairs:
    """The pairs of a list.

    Args:
        first: (P,) one image of each pair, relative to the folder of images without an ending: `Ann_Bo/Ann_Bo_0001`.
        second: (P,) the other one.
        same: (P,) whether both show one person.
        folds: (P,) the set of each pair, from 0; LFW has ten.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    same: tuple[bool, ...]
    folds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PackedPairs:
    """The pairs of a pickled file: (2P,) encoded images, two for each pair, and (P,) whether they show one person."""

    images: tuple[bytes, ...]
    same: tuple[bool, ...]


def read_lfw_pairs(path: Path) -> ListedPairs:
    """Read a list in the format of LFW: `pairs.txt`, or `pairsDevTrain.txt` and `pairsDevTest.txt`.

    The first line has the number of sets, where there is more than one, and the number of pairs of each kind in a set.
    A set has its pairs of one person first, `name number number`, then those of two, `name number name number`.

    Raises:
        InputError: the file is missing or no text, or lines are missing, of another form, or in another place.
    """
    rows = [
        ListRow(line, tuple(text.split()))
        for line, text in enumerate(read_text(path).split("\n"), start=1)
        if text.strip()
    ]
    sets, size = _header(path, rows)
    wanted = 2 * sets * size
    if len(rows) - 1 != wanted:
        says = f"{len(rows) - 1:,} pairs are out of range: the first line states {wanted:,}. Get the file again."
        raise InputError.one(str(path), "pairs-count", says, line=1)
    faults = (_fault(row, words=3 if place // size % 2 == 0 else 4) for place, row in enumerate(rows[1:]))
    require_none(path, [fault for fault in faults if fault is not None])
    pairs = [row.cells for row in rows[1:]]
    return ListedPairs(
        first=tuple(_image(cells[0], cells[1]) for cells in pairs),
        second=tuple(_image(cells[-2] if len(cells) == 4 else cells[0], cells[-1]) for cells in pairs),
        same=tuple(len(cells) == 3 for cells in pairs),
        folds=tuple(place // (2 * size) for place in range(wanted)),
    )


def _header(path: Path, rows: Sequence[ListRow]) -> tuple[int, int]:
    """The number of sets, and of pairs of each kind in a set."""
    cells = rows[0].cells if rows else ()
    if not 1 <= len(cells) <= 2 or not all(cell.isdecimal() and int(cell) > 0 for cell in cells):
        says = "the first line must have the number of sets and of pairs, such as `10 300`. Get the file again."
        raise InputError.one(str(path), "pairs-header", says, line=rows[0].line if rows else 1)
    return (int(cells[0]) if len(cells) == 2 else 1), int(cells[-1])


def _fault(row: ListRow, *, words: int) -> Problem | None:
    form = "`name number number`" if words == 3 else "`name number name number`"
    numbers = row.cells[1:] if words == 3 else row.cells[1::2]
    if len(row.cells) == words and all(cell.isdecimal() for cell in numbers):
        return None
    return Problem(
        row.line, "", f"the line must be {form}, as the first line states. Get the file again.", "pairs-line"
    )


def _image(name: str, number: str) -> str:
    return f"{name}/{name}_{int(number):04d}"


def places_of_pairs(pairs: ListedPairs, names: Sequence[str], *, source: str) -> tuple[list[int], list[int]]:
    """The place of each image of the pairs among image files.

    Args:
        pairs: of a list.
        names: relative paths of the images, with their endings.
        source: of the list, for messages.

    Raises:
        InputError: an image of a pair is not among them.
    """
    known: Mapping[str, int] = {name.rsplit(".", 1)[0]: place for place, name in enumerate(names)}
    lacking = sorted({*pairs.first, *pairs.second} - known.keys())
    if lacking:
        says = f"{len(lacking):,} images of its pairs are missing, such as {lacking[0]}. Extract the archive again."
        raise InputError.one(source, "pairs-image-missing", says)
    return [known[name] for name in pairs.first], [known[name] for name in pairs.second]


def read_packed_pairs(path: Path) -> PackedPairs:
    """Read a pickled file of the face field, such as `lfw.bin`, `cfp_fp.bin`, `agedb_30.bin`, `calfw.bin`, `cplfw.bin`.

    It holds a list of encoded images and one of flags. The file is not trusted: the unpickler knows lists, tuples,
    bytes and flags, and refuses every class and every function.

    Raises:
        InputError: the file is missing, larger than such files are, damaged, or holds anything else.
    """
    if not path.is_file():
        raise InputError.one(str(path), "list-missing", "no such file; extract the archive again.")
    if path.stat().st_size > MOST_BYTES:
        raise InputError.one(str(path), "pairs-file-size", f"larger than {MOST_BYTES:,} bytes. Get the file again.")
    try:
        held = _PlainUnpickler(io.BytesIO(path.read_bytes()), encoding="bytes").load()
    except BROKEN as error:
        says = f"no pickled list of images and flags: {error}. Get the file again."
        raise InputError.one(str(path), "pairs-file-damaged", says) from error
    return _packed(path, held)


class _PlainUnpickler(pickle.Unpickler):
    """Reads built-in containers, bytes, texts, numbers and flags, and nothing that is found by a name."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is not allowed here")

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to an object outside of the file, which is not allowed here")


def _packed(path: Path, held: Any) -> PackedPairs:
    both = held if isinstance(held, list | tuple) and len(held) == 2 else ([], [])
    images, flags = (list(part) if isinstance(part, list | tuple) else [] for part in both)
    plain = all(isinstance(image, bytes) for image in images) and all(flag in (0, 1) for flag in flags)
    if not flags or not plain:
        says = "it must hold a list of encoded images and a list of flags. Get the file again."
        raise InputError.one(str(path), "pairs-file-damaged", says)
    if len(images) != 2 * len(flags):
        says = f"{len(images):,} images are out of range: it has {len(flags):,} flags of pairs. Get the file again."
        raise InputError.one(str(path), "pairs-count", says)
    return PackedPairs(tuple(images), tuple(bool(flag) for flag in flags))
