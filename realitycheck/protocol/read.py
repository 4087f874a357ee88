"""A study's file, its protocol and its spaces: opened as plain data, and read as frozen values.

`read_study` holds each file to its schema. What values of one file, or of several, must fit each other is for `check`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from realitycheck.errors import InputError, Problem
from realitycheck.protocol.document import Document, Lines, parse_document, read_document, unread
from realitycheck.protocol.model import Protocol, Study
from realitycheck.protocol.overrides import overridden, override_at
from realitycheck.protocol.paper_settings import DEFAULT
from realitycheck.protocol.places import home_of, is_file, is_folder, name_in, shown, source_of, study_place
from realitycheck.protocol.study_file import Spaces, WrittenStudy, completed
from realitycheck.protocol.validation import nearest, validate
from realitycheck.protocol.yaml_lines import Keys
from realitycheck.shipped import shipped_names

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ReadFile(Generic[T]):
    """The frozen value of a file, and the file as read."""

    value: T
    document: Document


@dataclass(frozen=True, slots=True)
class StudyFiles:
    """The three files of a study as plain data.

    A file that cannot be read is a document without data; its problems, and those of a wrong name, are among the
    problems of the documents.

    Args:
        home: the folder that holds `protocols/`, `studies/` and `reports/`.
        study: the study's file.
        protocol: the protocol's file.
        spaces: the spaces' file.
        shipped: the names of those that the home does not have, so that they were read from the package.
    """

    home: Path
    study: Document
    protocol: Document
    spaces: Document
    shipped: tuple[str, ...] = ()

    def protocol_problem(self, keys: Keys, code: str, says: str) -> Problem:
        """A problem at a value of the protocol, at the line of the study that names the protocol."""
        return self.at_protocol(self.protocol, self.protocol.lines.problem(keys, code, says))

    def at_protocol(self, document: Document, problem: Problem) -> Problem:
        """A problem of another file, at the line of the study that names the protocol, or that overrides the value."""
        if document is self.protocol and (keys := override_at(self.study, problem.where)):
            return self.study.lines.problem(keys, problem.code, problem.says)
        says = f"{document.source} {replace(problem, code='')}"
        return self.study.lines.problem(("protocol",), problem.code, says)

    def error(
        self, study: Sequence[Problem], protocol: Sequence[Problem], spaces: Sequence[Problem]
    ) -> InputError | None:
        """All problems of the three files as one error; those of a single other file under that file's name."""
        overrides = [one for one in protocol if override_at(self.study, one.where)]
        study = [*study, *(self.at_protocol(self.protocol, problem) for problem in overrides)]
        protocol = [problem for problem in protocol if problem not in overrides]
        others = [pair for pair in ((self.protocol, protocol), (self.spaces, spaces)) if pair[1]]
        if len(others) == 1 and not study:
            document, problems = others[0]
            return InputError(document.source, problems)
        own = [*study, *(self.at_protocol(document, problem) for document, problems in others for problem in problems)]
        return InputError(self.study.source, list(dict.fromkeys(own))) if own else None


@dataclass(frozen=True, slots=True)
class ReadStudy:
    """A study, complete, with the lines of its files for problems that turn up later.

    Args:
        study: what is compared.
        files: the three files that it was read from.
        warnings: what `check` found in the data that is allowed but probably not meant.
    """

    study: Study
    files: StudyFiles
    warnings: tuple[Problem, ...] = ()

    @property
    def home(self) -> Path:
        """The folder that holds `protocols/`, `studies/` and `reports/`."""
        return self.files.home

    @property
    def path(self) -> Path:
        """The study's file."""
        return self.files.study.path

    @property
    def source(self) -> str:
        """The study file's name, for messages."""
        return self.files.study.source

    @property
    def lines(self) -> Lines:
        """The line of every value of the study's file."""
        return self.files.study.lines

    def texts(self) -> dict[str, str]:
        """Name → text of the three files, word for word; the names start at home, so they name no machine."""
        documents = (self.files.study, self.files.protocol, self.files.spaces)
        return {name_in(self.home, document.path): document.text for document in documents}

    def setting(self, label: str) -> str:
        """The published setting with which a loss's search begins, where the protocol asks for one."""
        return self.files.study.get(("losses", label, "setting"), str) or DEFAULT

    def protocol_problem(self, keys: Keys, code: str, says: str) -> Problem:
        """A problem at a value of the protocol, at the line of the study that names the protocol."""
        return self.files.protocol_problem(keys, code, says)


def read_protocol(path: Path) -> ReadFile[Protocol]:
    """Read a file of `protocols/`.

    Raises:
        InputError: the file does not fit its schema; it lists every problem.
    """
    return _read(path, Protocol)


def read_spaces(path: Path) -> ReadFile[Spaces]:
    """Read a file of `protocols/spaces/`.

    Raises:
        InputError: the file does not fit its schema; it lists every problem.
    """
    return _read(path, Spaces)


def read_study(path: Path) -> ReadStudy:
    """Read a file of `studies/`, and the protocol and the spaces that it names.

    Raises:
        InputError: one of the three does not fit its schema; it lists every problem. Those of the protocol or of the
            spaces come beside the study's, or by themselves where the study has none.
    """
    files = open_files(path)
    study, problems = validate(WrittenStudy, files.study)
    protocol, of_protocol = validate(Protocol, files.protocol)
    spaces, of_spaces = validate(Spaces, files.spaces)
    problems_found = (
        [*problems, *files.study.problems],
        [*of_protocol, *files.protocol.problems],
        [*of_spaces, *files.spaces.problems],
    )
    if error := files.error(*problems_found):
        raise error
    assert study is not None and protocol is not None and spaces is not None
    return ReadStudy(completed(study, protocol, spaces, path=path), files)


def open_files(path: Path) -> StudyFiles:
    """The study's file, and the protocol and the spaces that it names, as plain data.

    A file that the home does not have is read from the package, where that has one of its name; its path stays that in
    the home, since evidence, images and names in records begin there.

    Raises:
        InputError: the study's file is not YAML.
    """
    home = home_of(path)
    study = _read_from(source_of(path, study_place(path)), path)
    study, protocol = overridden(*_protocol(study, home))
    protocol, spaces = _spaces(protocol)
    documents = (study, protocol, spaces)
    shipped = tuple(name_in(home, one.path) for one in documents if one.text and not is_file(one.path))
    return StudyFiles(home, study, protocol, spaces, shipped)


def parse_files(path: Path, texts: Mapping[str, str]) -> StudyFiles:
    """The three files of a study from their texts, as `ReadStudy.texts` returns them; no file is opened.

    Args:
        path: where the study's file is, or was.
        texts: name → text of the study's file, the protocol's and the spaces', in this order.

    Raises:
        InputError: a text is not YAML.
    """
    home = home_of(path)
    study, protocol, spaces = (
        parse_document(text, path if number == 0 else home / name, source=name)
        for number, (name, text) in enumerate(texts.items())
    )
    return StudyFiles(home, *overridden(study, protocol), spaces)


def changed_files(path: Path, texts: Mapping[str, str]) -> tuple[str, ...]:
    """The names of those of the three files that are present and have another text, or cannot be read."""
    places = {name: path if number == 0 else home_of(path) / name for number, name in enumerate(texts)}
    return tuple(name for name, file in places.items() if is_file(file) and _document_text(file) != texts[name])


def _read(path: Path, kind: type[T]) -> ReadFile[T]:
    document = read_document(path, source=shown(path))
    value, problems = validate(kind, document)
    if problems or document.problems or value is None:
        raise InputError(document.source, [*problems, *document.problems])
    return ReadFile(value, document)


def _protocol(study: Document, home: Path) -> tuple[Document, Document]:
    """The study with what is wrong with the name of its protocol, and that protocol."""
    name, folder = study.get(("protocol",), str), home / "protocols"
    file = folder / f"{name}.yaml"
    if name is not None and ("/" in name or name.endswith(".yaml")):
        file = study.path.parent / name
    return _named(study, ("protocol",), name, "protocol", file)


def _spaces(protocol: Document) -> tuple[Document, Document]:
    """The protocol with what is wrong with the name of its spaces, and these spaces."""
    name, folder = protocol.get(("search", "space"), str), protocol.path.parent / "spaces"
    name = None if name is None or "/" in name else name  # a path is refused as a name
    return _named(protocol, ("search", "space"), name, "space", folder / f"{name}.yaml")


def _named(document: Document, keys: Keys, name: str | None, kind: str, file: Path) -> tuple[Document, Document]:
    """A document and the file that it names; the name is spoiled where there is no such file."""
    by_path = kind == "protocol" and name is not None and ("/" in name or name.endswith(".yaml"))
    folder = {"protocol": "protocols", "space": "protocols/spaces"}[kind]
    source = source_of(file, None if by_path else f"{folder}/{file.name}")
    if name is not None and is_file(source):
        return document, _document(source, file)
    missing = unread(file, source=shown(file))
    if name is None:
        return document, missing
    here = [path.stem for path in file.parent.glob("*.yaml")] if is_folder(file.parent) else []
    known = sorted({*here, *(() if by_path else shipped_names(folder))})
    fix = nearest(name, known) if known else "Create it, or copy one."
    says = f"unknown {kind} '{name}': there is no {shown(file)}. {fix}"
    problem = document.lines.problem(keys, f"{kind}-unknown", says)
    wrong = replace(document, problems=(*document.problems, problem), spoiled=document.spoiled | {keys})
    return wrong, missing


def _read_from(source: Path, file: Path) -> Document:
    """The document of a file, read from the file itself or from the shipped one."""
    name = shown(file) if source == file else f"{shown(file)} (shipped)"
    return replace(read_document(source, source=name), path=file)


def _document(source: Path, file: Path) -> Document:
    try:
        return _read_from(source, file)
    except InputError as error:
        return unread(file, source=error.source, problems=error.problems)


def _document_text(file: Path) -> str | None:
    try:
        return file.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError:
        return None
