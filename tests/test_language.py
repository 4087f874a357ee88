"""The house style of language (design, section 12): plain technical English, held by a list of words.

`FORBIDDEN` names words and phrases that are not used in docstrings, comments, messages and pages, each with what to
write instead. `ROOMS` and `PAGES` are what is held to it. `EXCEPTIONS` are the few places where such a word is correct.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import realitycheck

PACKAGE = Path(realitycheck.__file__).parent
HOME = PACKAGE.parent

ROOMS = (".",)
"""Rooms and modules of the package that are held to the style; `.` is the whole package."""

PAGES = ("README.md", "CHANGELOG.md", "docs/**/*.md", "protocols/**/*.yaml", "studies/*.yaml")
"""Files outside the package that are held to the style, as globs."""


@dataclass(frozen=True)
class Forbidden:
    """A word or phrase that is not used.

    Args:
        pattern: regular expression, matched without regard to case.
        instead: what to write.
        example: a sentence that the pattern finds.
    """

    pattern: str
    instead: str
    example: str


FORBIDDEN = (
    Forbidden(r"\bmend(s|ed|ing)?\b", "correct, fix or repair", "Mend the list."),
    Forbidden(r"\btold\b|\btells\b", "reported, named, distinguished, states", "Both are told apart."),
    Forbidden(r"\bstands?\b|\bstood\b", "is", "The sum stands in the denominator."),
    Forbidden(r"\bthe house\b|\bhouse's\b", "the package, the training", "The house fills these in."),
    Forbidden(r"\bhardly\b", "little, rarely", "A zero is hardly meant."),
    Forbidden(r"\blies?\b|\blay\b(?! out)|\blying\b", "is, is located in", "The file lies in the cache."),
    Forbidden(r"\bdeaf\b", "ignores, rejects", "It is deaf to unknown keys."),
    Forbidden(
        r"\b(a|an|the|one|no|every|its|first|second|later|fresh|any) looks?\b",
        "check, pass",
        "One look at it.",
    ),
    Forbidden(r"\bis right\b", "is valid", "The study is right."),
    Forbidden(r"\bgot it\b", "duplicate, or not allowed here", "must be left out; got it."),
    Forbidden(r"\bgot nothing\b", "missing", "must be given; got nothing."),
    Forbidden(r"\bmust\b[^.;]{0,100}; got\b", "one of the four forms of a message", "must be a number; got text."),
    Forbidden(r"\bpromis(e|es|ed|ing)\b", "specifies, the protocol", "The promise as a value."),
    Forbidden(r"\bstrangers?\b", "of a plug-in, third-party", "A stranger's loss."),
    Forbidden(r"\bcurrency\b", "types shared by the rooms", "The currency of the rooms."),
    Forbidden(r"\bbarren\b", "all trials diverged", "A barren search."),
    Forbidden(r"\blonely\b", "a single loss", "A lonely loss."),
    Forbidden(r"\bflatter(s|ed|ing)?\b", "optimism", "How far it was flattered."),
    Forbidden(r"\bgoes on\b|\bgo on\b|\bwent on\b", "continues, resumes", "It goes on where it stopped."),
    Forbidden(r"\bto be had\b|\bat hand\b", "available", "The weights are not to be had."),
    Forbidden(r"\bwithout a word\b", "silently", "It fails without a word."),
    Forbidden(r"\bis other\b|\bare other\b", "differs", "What is other on a dataset."),
    Forbidden(r"\bso many\b", "the number", "It ends after so many steps."),
    Forbidden(r"\bleft alone\b", "does not contribute, is not changed", "Positives are left alone."),
    Forbidden(r"\bleft the numbers\b", "is not finite", "A training left the numbers."),
    Forbidden(r"\bcomplains?\b", "raises an error, warns", "It complains of the key."),
    Forbidden(r"\b(Raise|Lower) it\.", "the bound in the message is enough", "-1 is out of range. Raise it."),
    Forbidden(r"\bor the like\b", "name the choices", "Add `family: pairs` or the like."),
    Forbidden(r"\bnumbers an image\b", "dimensions", "Embeddings of 128 numbers an image."),
    Forbidden(r"\bdo not believe\b", "is not reliable", "Do not believe that ranking."),
    Forbidden(r"\bin question\b", "this", "The loss in question."),
)

NAMES = {"each", "found", "told", "asked", "saw"}
"""Names that variables, arguments and functions do not have: a name is that of the thing."""


@dataclass(frozen=True)
class Excused:
    """A place where a forbidden word is correct.

    Args:
        path: file, relative to the repository.
        text: the words around it, as they are in the file.
        reason: why they are correct.
    """

    path: str
    text: str
    reason: str


EXCEPTIONS: tuple[Excused, ...] = (
    Excused("realitycheck/report/sections/measured.py", "promise", "a key of tables.json, layout version 1"),
    *(
        Excused(
            f"studies/warped2024_{dataset}.yaml",
            "Where does Warped-Softmax stand among the losses",
            "the question of a study is part of its record; to stand among others is plain English",
        )
        for dataset in ("cars196", "cub200", "sop")
    ),
)


@dataclass(frozen=True)
class Text:
    """A piece of text in a file, and the line on which it begins."""

    path: str
    line: int
    content: str


def modules() -> list[Path]:
    """The modules that are held to the style."""
    paths = {path for room in ROOMS for path in (PACKAGE / room).rglob("*.py")}
    paths |= {PACKAGE / room for room in ROOMS if room.endswith(".py")}
    return sorted(paths)


def texts_of_module(path: Path) -> Iterator[Text]:
    """Docstrings, other strings and comments; the code within f-strings is no text."""
    source, name = path.read_text(encoding="utf-8"), path.relative_to(HOME).as_posix()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield Text(name, node.lineno, node.value)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield Text(name, token.start[0], token.string)


def texts_of_page(path: Path) -> Iterator[Text]:
    name = path.relative_to(HOME).as_posix()
    for line, content in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        yield Text(name, line, content)


def all_texts() -> Iterator[Text]:
    for path in modules():
        yield from texts_of_module(path)
    for pattern in PAGES:
        for path in sorted(HOME.glob(pattern)):
            yield from texts_of_page(path)


TEXTS = list(all_texts())


def excused(text: Text, match: re.Match[str]) -> bool:
    """Whether the match is within the words of an exception for this file."""
    for exception in EXCEPTIONS:
        start = text.content.find(exception.text) if exception.path == text.path else -1
        if start >= 0 and start <= match.start() and match.end() <= start + len(exception.text):
            return True
    return False


def places(texts: list[Text], forbidden: Forbidden) -> list[str]:
    """`path:line: …words around…` of every use that no exception allows."""
    return [
        f"{text.path}:{text.line + text.content.count(chr(10), 0, match.start())}: "
        f"…{text.content[max(0, match.start() - 40) : match.end() + 40]!r}…"
        for text in texts
        for match in re.finditer(forbidden.pattern, text.content, re.IGNORECASE)
        if not excused(text, match)
    ]


@pytest.mark.parametrize("forbidden", FORBIDDEN, ids=[forbidden.pattern for forbidden in FORBIDDEN])
def test_forbidden_words_are_not_used(forbidden):
    uses = places(TEXTS, forbidden)
    assert not uses, f"write '{forbidden.instead}' instead:\n" + "\n".join(uses)


@pytest.mark.parametrize("forbidden", FORBIDDEN, ids=[forbidden.pattern for forbidden in FORBIDDEN])
def test_every_pattern_finds_its_example(forbidden):
    assert places([Text("example", 1, forbidden.example)], forbidden)


def names_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of every variable, argument and function that a module defines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.FunctionDef):
            yield node.lineno, node.name


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_names_are_those_of_things(path):
    bad = [f"line {line}: {name}" for line, name in names_of(path) if name in NAMES]
    assert not bad, f"name these after the thing that they are: {bad}"


@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda exception: exception.text)
def test_exceptions_are_used_and_justified(exception):
    assert exception.reason
    assert exception.text in (HOME / exception.path).read_text(encoding="utf-8")


def test_every_room_and_page_exists():
    assert all((PACKAGE / room).exists() for room in ROOMS)
    assert all(list(HOME.glob(pattern)) for pattern in PAGES)
