"""Files become promises: a protocol, its spaces, and a study, or every problem of the file with its line."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from realitycheck.errors import InputError, Problem
from realitycheck.losses.menu import parts
from realitycheck.protocol.checks import fit_checks, protocol_checks, spaces_checks, study_checks
from realitycheck.protocol.document import Document, Lines, ReadFile, empty_document, read_document
from realitycheck.protocol.knobs import SHARED
from realitycheck.protocol.model import Protocol, Study
from realitycheck.protocol.paper_settings import DEFAULT
from realitycheck.protocol.rest import parts_to_fit, rest_of_study
from realitycheck.protocol.salvage import passing_gaps, sound_part, untold, without
from realitycheck.protocol.schema import nearest, validate
from realitycheck.protocol.written import Spaces, WrittenStudy, completed
from realitycheck.protocol.yaml_lines import Keys

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReadStudy:
    """A study, complete, with the lines of its files for problems that are found later.

    Only `inspect_study` gives one with problems, for `check`; what they concern is not in it.

    Args:
        study: what is compared.
        home: the folder that holds `protocols/`, `studies/` and `reports/`.
        document: the study's file: its path, name, text, and where each value stands.
        protocol: the protocol's file.
        spaces: the spaces' file.
        problems: all that is wrong with the study's file, also beside the other two.
    """

    study: Study
    home: Path
    document: Document
    protocol: ReadFile[Protocol]
    spaces: ReadFile[Spaces]
    problems: tuple[Problem, ...]

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

    def error(self, found: Sequence[Problem]) -> InputError | None:
        """All that is wrong, with what a later look found; the problems of one other file alone under its name."""
        own = [*self.problems, *found]
        files: list[ReadFile[Any]] = [each for each in (self.protocol, self.spaces) if each.problems]
        if len(files) == 1 and not own:
            return InputError(files[0].document.source, files[0].problems)
        told = [(each.document.source, problem) for each in files for problem in each.problems]
        own += [self.lines.problem(("protocol",), f"{source} {problem}") for source, problem in told]
        return InputError(self.source, list(dict.fromkeys(own))) if own else None

    def refused_knobs(self, label: str) -> set[str]:
        """Knobs whose ranges were refused: files name them, and no space of the loss has them."""
        choice, own = self.study.loss(label), ("losses", label, "space")
        found = _lost(self.document, own, vars(choice).get("space", ()))
        if self.document.get(own, object) is None:
            names = {*(self.spaces.document.get((), dict) or {})}
            for name in (each for each in names if each.partition("@")[0] in parts(choice.address)):
                found |= _lost(self.spaces.document, (name,), self.spaces.value.get(name, ()))
        shared = vars(self.study.protocol).get("search")
        kept = vars(shared).get("shared", ()) if shared else ()
        return found | (_lost(self.protocol.document, ("search", "shared"), kept) & {*SHARED})

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
    return _right(_read(path, Protocol, protocol_checks))


def read_spaces(path: Path) -> ReadFile[Spaces]:
    """Read a file of `protocols/spaces/`.

    Raises:
        InputError: the file is wrong; it lists every problem.
    """
    return _right(_read(path, Spaces, spaces_checks))


def read_study(path: Path) -> ReadStudy:
    """Read a file of `studies/`, and the protocol and the spaces that it names.

    Raises:
        InputError: one of the three is wrong. Problems of the other two are told beside the study's own, or
            by themselves where the study file is right.
    """
    read = inspect_study(path)
    if error := read.error(()):
        raise error
    return read


def inspect_study(path: Path) -> ReadStudy:
    """`read_study` as far as the files are right: what is wrong is among the problems, and not in the study.

    Raises:
        InputError: the study's file is no YAML at all.
    """
    document, home = read_document(path, source=shown(path)), _home(path)
    written, problems = validate(WrittenStudy, document)
    checked = untold(study_checks(document), problems)
    sound = without(document, checked)
    protocol, unnamed = _protocol(document, path, home)
    spaces, unranged = _spaces(protocol)
    protocol = replace(protocol, problems=(*protocol.problems, *unranged))
    problems += [*document.problems, *checked, *unnamed]
    right = not (problems or protocol.problems or spaces.problems)
    problems += _unfit([document] if right else parts_to_fit(sound, spaces), protocol, spaces)
    if right and not problems and written is not None:
        study = completed(written, protocol.value, spaces.value, folder=path.parent)
    else:
        study = rest_of_study(sound, protocol.value, spaces.value, folder=path.parent)
    return ReadStudy(study, home, document, protocol, spaces, tuple(problems))


def _unfit(parts: Iterable[Document], protocol: ReadFile[Protocol], spaces: ReadFile[Spaces]) -> list[Problem]:
    found: list[Problem] = []
    for part in parts:
        with passing_gaps():
            found += fit_checks(part, protocol.value, spaces.value, spaces.document.source)
    return found


def _lost(document: Document, keys: Keys, kept: Collection[str]) -> set[str]:
    """What a mapping of the file names, and its value has not."""
    return {*(document.get(keys, dict) or {})} - {*kept}


def shown(path: Path) -> str:
    """A path as messages show it: relative to the current folder where it lies inside."""
    here = Path.cwd()
    whole = here / path
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(whole)


def _name(path: Path, home: Path) -> str:
    whole = Path(os.path.normpath(path.absolute()))
    return whole.relative_to(home).as_posix() if whole.is_relative_to(home) else whole.name


def _read(path: Path, kind: type[T], checks: Callable[[Document], list[Problem]]) -> ReadFile[T]:
    try:
        document = read_document(path, source=shown(path))
    except InputError as error:
        return ReadFile(sound_part(kind, {}), empty_document(path, source=error.source), error.problems)
    value, problems = validate(kind, document)
    checked = untold(checks(document), problems)
    problems += [*document.problems, *checked]
    if problems or value is None:
        sound = without(document, checked).data
        value = sound_part(kind, sound if isinstance(sound, dict) else {})
    return ReadFile(value, document, tuple(problems))


def _right(file: ReadFile[T]) -> ReadFile[T]:
    if file.problems:
        raise InputError(file.document.source, file.problems)
    return file


def _home(path: Path) -> Path:
    folder = path.absolute().parent
    return folder.parent if folder.name == "studies" else folder


def _protocol(document: Document, path: Path, home: Path) -> tuple[ReadFile[Protocol], list[Problem]]:
    """The protocol that a study names, or nothing and what is wrong with the name."""
    name = document.get(("protocol",), str)
    file = home / "protocols" / f"{name}.yaml"
    if name is not None and ("/" in name or name.endswith(".yaml")):
        file = path.parent / name
    if name is not None and file.is_file():
        return _read(file, Protocol, protocol_checks), []
    known = sorted(each.stem for each in (home / "protocols").glob("*.yaml"))
    hint = nearest(str(name), known) if known else "Create it, or copy one."
    says = f"must be a protocol; got '{name}', and there is no {shown(file)}. {hint}"
    nothing = ReadFile(sound_part(Protocol, {}), empty_document(file, source=shown(file)), ())
    return nothing, [] if name is None else [document.lines.problem(("protocol",), says)]


def _spaces(protocol: ReadFile[Protocol]) -> tuple[ReadFile[Spaces], list[Problem]]:
    """The spaces that a protocol names, or nothing and what is wrong with the name."""
    version, folder = protocol.document.get(("search", "space"), str), protocol.document.path.parent / "spaces"
    file = folder / f"{version}.yaml"
    if version is not None and file.is_file():
        return _read(file, Spaces, spaces_checks), []
    known = sorted(each.stem for each in folder.glob("*.yaml"))
    says = f"must name a file of {shown(folder)}; got '{version}'. {nearest(str(version), known)}"
    nothing: ReadFile[Spaces] = ReadFile({}, empty_document(file, source=shown(file)), ())
    return nothing, [] if version is None else [protocol.document.lines.problem(("search", "space"), says)]
