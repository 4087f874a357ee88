"""Files become promises: a protocol, its spaces, and a study, or every problem of the file with its line."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from realitycheck.errors import InputError, Problem
from realitycheck.protocol.checks import fit_checks, protocol_checks, spaces_checks, study_checks
from realitycheck.protocol.document import Document, Lines, read_document
from realitycheck.protocol.model import Protocol, Study
from realitycheck.protocol.published import DEFAULT
from realitycheck.protocol.schema import nearest, validate
from realitycheck.protocol.written import Spaces, WrittenStudy, completed
from realitycheck.protocol.yaml_lines import Keys

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReadFile(Generic[T]):
    """What a file says, and where.

    Args:
        value: the frozen value.
        document: the file: its path, name, text, and where each value stands.
    """

    value: T
    document: Document


@dataclass(frozen=True, slots=True)
class ReadStudy:
    """A study, complete, with the lines of its files for problems that are found later.

    Args:
        study: what is compared.
        home: the folder that holds `protocols/`, `studies/` and `reports/`.
        document: the study's file: its path, name, text, and where each value stands.
        protocol: the protocol's file.
        spaces: the spaces' file.
    """

    study: Study
    home: Path
    document: Document
    protocol: ReadFile[Protocol]
    spaces: ReadFile[Spaces]

    @property
    def path(self) -> Path:
        """The study's file."""
        return self.document.path

    @property
    def source(self) -> str:
        """The study file's name, for messages."""
        return self.document.source

    @property
    def lines(self) -> Lines:
        """Where each value of the study's file stands."""
        return self.document.lines

    def texts(self) -> dict[str, str]:
        """Name → text of the three files, word for word; the names start at home, so they name no machine."""
        documents = (self.document, self.protocol.document, self.spaces.document)
        return {_name(each.path, self.home): each.text for each in documents}

    def setting(self, label: str) -> str:
        """The published setting with which a loss's search begins, where the protocol asks for one."""
        return self.document.get(("losses", label, "setting"), str) or DEFAULT

    def protocol_problem(self, keys: Keys, says: str) -> Problem:
        """A problem at a value of the protocol, told at the study's line that names the protocol."""
        file = self.protocol.document
        return self.lines.problem(("protocol",), f"{file.source} {file.lines.problem(keys, says)}")

    def knob_problem(self, label: str, knob: str, says: str) -> Problem:
        """A problem at a knob of a loss, wherever its space is written."""
        here: Keys = ("losses", label, "space", knob)
        if here[:3] in self.lines.at:
            return self.lines.problem(here, says)
        file = self.spaces.document
        line = file.lines.of((self.study.loss(label).address, knob))
        return self.lines.problem(here, f"{file.source} line {line}: {says}")


def read_protocol(path: Path) -> ReadFile[Protocol]:
    """Read a file of `protocols/`.

    Raises:
        InputError: the file is wrong; it lists every problem.
    """
    return _read(path, Protocol, protocol_checks)


def read_spaces(path: Path) -> ReadFile[Spaces]:
    """Read a file of `protocols/spaces/`.

    Raises:
        InputError: the file is wrong; it lists every problem.
    """
    return _read(path, Spaces, spaces_checks)


def read_study(path: Path) -> ReadStudy:
    """Read a file of `studies/`, and the protocol and the spaces that it names.

    Raises:
        InputError: one of the three is wrong. Problems of the other two are told beside the study's own, or
            by themselves where the study file is right.
    """
    document = read_document(path, source=shown(path))
    written, problems = validate(WrittenStudy, document)
    problems += [*document.problems, *study_checks(document)]
    home = _home(path)
    try:
        protocol, spaces = _promised(document, path, home)
        problems += fit_checks(document, protocol.value, spaces.value, spaces.document.source)
    except InputError as error:
        raise (_told_together(document, problems, error) if problems else error) from None
    if problems or written is None:
        raise InputError(document.source, problems)
    study = completed(written, protocol.value, spaces.value, folder=path.parent)
    return ReadStudy(study, home, document, protocol, spaces)


def shown(path: Path) -> str:
    """A path as messages show it: relative to the current folder where it lies inside."""
    here = Path.cwd()
    whole = here / path
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(whole)


def _name(path: Path, home: Path) -> str:
    whole = Path(os.path.normpath(path.absolute()))
    return whole.relative_to(home).as_posix() if whole.is_relative_to(home) else whole.name


def _read(path: Path, kind: type[T], checks: Callable[[Document], list[Problem]]) -> ReadFile[T]:
    document = read_document(path, source=shown(path))
    value, problems = validate(kind, document)
    problems += [*document.problems, *checks(document)]
    if problems or value is None:
        raise InputError(document.source, problems)
    return ReadFile(value, document)


def _home(path: Path) -> Path:
    folder = path.absolute().parent
    return folder.parent if folder.name == "studies" else folder


def _promised(document: Document, path: Path, home: Path) -> tuple[ReadFile[Protocol], ReadFile[Spaces]]:
    name = document.get(("protocol",), str)
    if name is None:
        raise InputError(document.source, [])
    file = path.parent / name if "/" in name or name.endswith(".yaml") else home / "protocols" / f"{name}.yaml"
    if not file.is_file():
        known = sorted(each.stem for each in (home / "protocols").glob("*.yaml"))
        hint = nearest(name, known) if known else "Create it, or copy one."
        says = f"must be a protocol; got '{name}', and there is no {shown(file)}. {hint}"
        raise InputError(document.source, [document.lines.problem(("protocol",), says)])
    protocol = read_protocol(file)
    version = protocol.value.search.space
    ranges = file.parent / "spaces" / f"{version}.yaml"
    if not ranges.is_file():
        known = sorted(each.stem for each in ranges.parent.glob("*.yaml"))
        says = f"must name a file of {shown(ranges.parent)}; got '{version}'. {nearest(version, known)}"
        raise InputError(protocol.document.source, [protocol.document.lines.problem(("search", "space"), says)])
    return protocol, read_spaces(ranges)


def _told_together(document: Document, problems: list[Problem], error: InputError) -> InputError:
    """The study's problems and another file's in one list."""
    if error.source == document.source:
        return InputError(document.source, [*problems, *error.problems])
    theirs = [document.lines.problem(("protocol",), f"{error.source} {each}") for each in error.problems]
    return InputError(document.source, [*problems, *theirs])
