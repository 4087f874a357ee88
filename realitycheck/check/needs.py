"""What a rule may need of a study: a value by its name, such as `protocol.search.trials` or `loss.space`.

| need | value |
|---|---|
| `study.…`, `protocol.…`, `spaces.…` | a value of that file |
| `protocol@<dataset>.…` | the protocol's value on a dataset, whose key below `on` goes first |
| `loss.address`, `loss.family` | the name or address of a loss, and its family by the menu or by the study |
| `loss.space`, `loss@<dataset>.space` | the ranges of a loss: its own, or those of the spaces' file |
| `dataset.address`, `dataset.root` | the name or address of a dataset, and its root where it takes one |
| `keys(…)` | the keys of a mapping or the positions of a list, whether or not its entries are sound |
| `<loss>`, `<dataset>`, `<other>` | what a placeholder is bound to |
| `file.study`, `file.protocol`, `file.spaces`, `home` | a whole document; the study's home folder |
| `families` | the families of the study's losses |
| `made.…` | what an earlier rule made |

A placeholder in a path is bound to every key there: a rule that needs `protocol.phases.<phase>.cap` runs once a phase.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from realitycheck.check.sections import KINDS, MISSING, Sections
from realitycheck.datasets.menu import MENU as DATASETS
from realitycheck.losses.menu import entry, parts
from realitycheck.protocol.model import Override
from realitycheck.protocol.read import StudyFiles
from realitycheck.protocol.space import Space
from realitycheck.protocol.yaml_lines import Keys

Bound = Mapping[str, str | int]
"""Placeholder → the key that it is bound to."""

_NEED = re.compile(r"(?P<keys>keys\()?(?P<root>[a-z]+|<[a-z]+>)(?P<at>@<dataset>)?(?:\.(?P<path>[^()]+))?\)?")


@dataclass(frozen=True, slots=True)
class NeedPath:
    """One need, taken apart.

    Args:
        root: its first word, such as `protocol` or `loss`.
        path: its other words.
        keys: whether the keys are needed instead of the value.
        by_dataset: whether it is the value on one dataset.
    """

    root: str
    path: tuple[str, ...]
    keys: bool
    by_dataset: bool

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The placeholders in it, in their order."""
        implied = {"loss": "<loss>", "dataset": "<dataset>"}.get(self.root, self.root)
        words = (implied, *(["<dataset>"] if self.by_dataset else []), *self.path)
        return tuple(word for word in words if word.startswith("<"))


@cache
def parse_need(text: str) -> NeedPath:
    """A need as it is written.

    Raises:
        ValueError: it is written in another way.
    """
    match = _NEED.fullmatch(text)
    if match is None:
        raise ValueError(f"unknown form of a need: {text}")
    path = match["path"] or ""
    return NeedPath(match["root"], tuple(path.split(".")) if path else (), bool(match["keys"]), bool(match["at"]))


@dataclass(frozen=True, slots=True)
class Location:
    """Where a need is written.

    Args:
        file: a key of `KINDS`.
        keys: of the value; they are refused where it is wrong.
        shown: where people find it; of a loss or dataset without a name of its own, its label.
    """

    file: str
    keys: Keys
    shown: Keys


class StudyValues:
    """The values of a study's three files, by the needs of rules."""

    def __init__(self, files: StudyFiles) -> None:
        self.files = files
        self.sections = {name: Sections(name, getattr(files, name)) for name in KINDS}
        self.made: dict[tuple[str | int, ...], Any] = {}

    def bindings(self, needs: Sequence[NeedPath]) -> Iterator[Bound]:
        """Every way to bind the placeholders of these needs."""
        bound: list[dict[str, str | int]] = [{}]
        for need in needs:
            for placeholder in need.placeholders:
                bound = [
                    {**known, placeholder: key}
                    for known in bound
                    for key in (
                        [known[placeholder]] if placeholder in known else self._keys_of(placeholder, need, known)
                    )
                ]
        yield from bound

    def value(self, need: NeedPath, bound: Bound) -> Any:
        """What is needed, or MISSING."""
        if need.root.startswith("<"):
            return bound[need.root]
        if need.root in ("file", "home"):
            return getattr(self.files, need.path[0] if need.path else "home")
        if need.root == "families":
            return self._families()
        if need.root == "made":
            return self.made.get(filled(need.path, bound), MISSING)
        if need.root == "loss":
            return self._of_loss(need, str(bound["<loss>"]), self._dataset(need, bound))
        if need.root == "dataset":
            return self._of_dataset(need.path[0], str(bound["<dataset>"]))
        place = self.place(need, bound)
        sections = self.sections[place.file]
        return sections.names(place.keys) if need.keys else sections.value(place.keys)

    def place(self, need: NeedPath, bound: Bound) -> Location:
        """Where what is needed is written, or would be."""
        if need.root in ("loss", "dataset"):
            return self._entry_place(need, bound)
        keys = filled(need.path, bound)
        if need.by_dataset:
            keys = self._keys_on(str(bound["<dataset>"]), keys)
        return Location(need.root, keys, keys)

    def identity(self, need: NeedPath, bound: Bound) -> object:
        """What distinguishes the value of a need from that under another binding."""
        if need.root in ("made", "file", "home", "families") or need.root.startswith("<"):
            return bound.get(need.root, filled(need.path, bound))
        spaces: object = None
        if need.root == "loss" and need.by_dataset:
            address = self._address("losses", "loss", str(bound["<loss>"]))
            spaces = None if address is MISSING else tuple(self._space_names(address, self._dataset(need, bound)))
        return need.root, need.keys, self.place(need, bound).keys, spaces

    def origin(self, need: NeedPath, bound: Bound, keys: Keys) -> str:
        """The spaces' file and line where a need is a loss's range from there, for messages; empty elsewhere."""
        label = bound.get("<loss>")
        if need.root != "loss" or need.path != ("space",) or self._own_space(str(label)):
            return ""
        address = str(self._address("losses", "loss", str(label)))
        lines = self.files.spaces.lines
        ways: list[Keys] = [(name, *keys) for name in self._space_names(address, self._dataset(need, bound))]
        line = next((lines.at[way] for way in ways if way in lines.at), lines.of(ways[0]))
        return f"{self.files.spaces.source} line {line}: "

    def _keys_of(self, placeholder: str, need: NeedPath, bound: Bound) -> Sequence[str | int]:
        if placeholder in ("<loss>", "<dataset>"):
            keys = self.sections["study"].names(("losses" if placeholder == "<loss>" else "datasets",))
            if placeholder == "<dataset>":  # without datasets, a rule sees the protocol and the spaces as they are
                return [""] if keys is MISSING or not keys else keys
        else:
            before = need.path[: need.path.index(placeholder)]
            keys = self.sections[need.root].names(filled(before, bound))
        return () if keys is MISSING else keys

    def _address(self, section: str, key: str, label: str) -> Any:
        address = self.sections["study"].value((section, label, key))
        return label if address is None else address

    def _entry_place(self, need: NeedPath, bound: Bound) -> Location:
        section, key = ("losses", "loss") if need.root == "loss" else ("datasets", "dataset")
        label = bound[f"<{need.root}>"]
        if need.path[0] != "address":
            return Location("study", (section, label, *need.path), (section, label, *need.path))
        keys = (section, label, key)
        return Location("study", keys, keys if self.files.study.get(keys, object) is not None else keys[:-1])

    def _of_dataset(self, key: str, name: str) -> Any:
        address = self._address("datasets", "dataset", name)
        known = DATASETS.get(address)
        if key == "address" or address is MISSING:
            return address
        return None if known and not known.needs_root else self.sections["study"].value(("datasets", name, "root"))

    def _of_loss(self, need: NeedPath, label: str, dataset: str) -> Any:
        address = self._address("losses", "loss", label)
        if need.path[0] == "address" or address is MISSING:
            return address
        if need.path[0] == "family":
            return self._family(label, address)
        return self._knob_names(label, address, dataset) if need.keys else self._space(label, address, dataset)

    def _family(self, label: str, address: str) -> Any:
        face = entry(address)
        family = face.family if face else self.sections["study"].value(("losses", label, "family"))
        return MISSING if family is None else family

    def _families(self) -> frozenset[str]:
        labels = self.sections["study"].names(("losses",))
        known = [(label, self._address("losses", "loss", label)) for label in (() if labels is MISSING else labels)]
        families = {self._family(label, address) for label, address in known if address is not MISSING}
        return frozenset(families - {MISSING})

    def _space(self, label: str, address: str, dataset: str) -> Any:
        own = self.sections["study"].value(("losses", label, "space"))
        if own is not None:
            return own
        ranges: Space = {}
        for name in self._space_names(address, dataset):
            part = self.sections["spaces"].value((name,))
            if part is MISSING:
                return MISSING
            ranges = {**part, **ranges}
        return ranges

    def _own_space(self, label: str) -> bool:
        """Whether the study gives a loss a space, be it wrong."""
        keys = ("losses", label, "space")
        return self.files.study.get(keys, object) is not None or self.files.study.is_spoiled(keys)

    def _knob_names(self, label: str, address: str, dataset: str) -> Any:
        if self._own_space(label):
            return self.sections["study"].names(("losses", label, "space"))
        names = [self.sections["spaces"].names((name,)) for name in self._space_names(address, dataset)]
        return MISSING if MISSING in names else tuple(dict.fromkeys(knob for knobs in names for knob in knobs))

    def _space_names(self, address: str, dataset: str) -> list[str]:
        """The spaces of a loss and of what it wraps: `loss@dataset` where there is one, else `loss`."""
        written = self.files.spaces.get((), dict) or {}
        return [on if (on := f"{part}@{dataset}") in written else part for part in parts(address)]

    def _dataset(self, need: NeedPath, bound: Bound) -> str:
        """The address of the dataset that a need is bound to; empty where it is bound to none, or to a wrong one."""
        address = self._address("datasets", "dataset", str(bound["<dataset>"])) if need.by_dataset else MISSING
        return "" if address is MISSING else str(address)

    def _keys_on(self, name: str, keys: Keys) -> Keys:
        """Where the protocol gives a value for a dataset: below `on`, or for all datasets."""
        own = keys[1:] if keys[0] == "recipe" else keys
        other: Keys = ("on", self._address("datasets", "dataset", name), *own) if own else ()
        given = own and own[0] in Override.model_fields and other[1] is not MISSING
        return other if given and self.files.protocol.get(other[:3], object) is not None else keys


def filled(path: Sequence[str], bound: Bound) -> Keys:
    """A path with what its placeholders are bound to."""
    return tuple(bound.get(word, word) for word in path)
