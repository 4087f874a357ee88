"""The docstrings of the losses as values, for the command line and for `docs/losses.md`."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from importlib import import_module

from realitycheck.losses.build import BASE, knobs_of
from realitycheck.losses.menu import MENU, LossEntry


@dataclass(frozen=True, slots=True)
class Card:
    """The documentation of one loss of the menu.

    Args:
        name: name on the menu.
        entry: entry of the menu.
        knobs: names of its knobs, without learning rates.
        summary: first sentence.
        formula: formula in LaTeX.
        text: paragraphs of definition, source and differences from it.
        arguments: name → description.
    """

    name: str
    entry: LossEntry
    knobs: tuple[str, ...]
    summary: str
    formula: str
    text: tuple[str, ...]
    arguments: dict[str, str]


def cards() -> list[Card]:
    """Return the cards of all losses, in the order of the menu."""
    return [_card(name, entry) for name, entry in MENU.items()]


def _card(name: str, entry: LossEntry) -> Card:
    module, _, class_name = entry.address.partition(":")
    loss_class = getattr(import_module(module), class_name)
    description, _, arguments = (inspect.getdoc(loss_class) or "").partition("\nArgs:\n")
    summary, formula, text = re.split(r"\$\$", description, maxsplit=2)
    return Card(
        name=name,
        entry=entry,
        knobs=tuple(knob for knob in knobs_of(loss_class) if not (entry.wraps and knob == BASE)),
        summary=_one_line(summary),
        formula=_one_line(formula),
        text=tuple(_one_line(paragraph) for paragraph in text.split("\n\n") if paragraph.strip()),
        arguments=_arguments(arguments.partition("\n\n")[0]),
    )


def _arguments(text: str) -> dict[str, str]:
    lines = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", text, flags=re.MULTILINE)
    return {name: _one_line(meaning) for name, meaning in lines}


def _one_line(text: str) -> str:
    return " ".join(text.split())
