"""What the docstring of each loss says, as values: one source for the command line and for `docs/losses.md`."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from importlib import import_module

from realitycheck.losses.build import BASE, knobs_of
from realitycheck.losses.menu import MENU, Entry


@dataclass(frozen=True, slots=True)
class Card:
    """One loss of the menu.

    Args:
        name: on the menu.
        entry: what the menu says of it.
        knobs: its own, without rates.
        summary: its first sentence.
        formula: in LaTeX.
        text: paragraphs of what it is, where it comes from and where it departs.
        arguments: name → meaning.
    """

    name: str
    entry: Entry
    knobs: tuple[str, ...]
    summary: str
    formula: str
    text: tuple[str, ...]
    arguments: dict[str, str]


def cards() -> list[Card]:
    """The menu, in its order."""
    return [_card(name, entry) for name, entry in MENU.items()]


def _card(name: str, entry: Entry) -> Card:
    module, _, class_name = entry.address.partition(":")
    found = getattr(import_module(module), class_name)
    told, _, arguments = (inspect.getdoc(found) or "").partition("\nArgs:\n")
    summary, formula, text = re.split(r"\$\$", told, maxsplit=2)
    return Card(
        name=name,
        entry=entry,
        knobs=tuple(each for each in knobs_of(found) if not (entry.wraps and each == BASE)),
        summary=_one_line(summary),
        formula=_one_line(formula),
        text=tuple(_one_line(each) for each in text.split("\n\n") if each.strip()),
        arguments=_arguments(arguments),
    )


def _arguments(text: str) -> dict[str, str]:
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", text, flags=re.MULTILINE)
    return {name: _one_line(meaning) for name, meaning in found}


def _one_line(text: str) -> str:
    return " ".join(text.split())
