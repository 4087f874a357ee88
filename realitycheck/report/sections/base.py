"""What a section of the report provides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from realitycheck.report.blocks import Block, LatexTable
from realitycheck.report.findings import DatasetFindings, Findings

Subject = TypeVar("Subject", Findings, DatasetFindings)
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Section(Generic[Subject, Found]):
    """One section: it finds its facts and turns them into blocks that every writer can print.

    Args:
        name: its key in `tables.json` where `keys` is None.
        subject: `Findings` for a section of the whole study, `DatasetFindings` for one that every dataset has.
        find: the facts, or None where there is nothing to say; the section is then left out.
        blocks: the facts as blocks.
        keys: the facts as keys and values of `tables.json`; None for one key, the section's name.
        latex: tables for `tables.tex`; None for none.
        file_text: whether it prints whole files, which `tables.md` leaves out.
    """

    name: str
    subject: type[Subject]
    find: Callable[[Subject], Found | None]
    blocks: Callable[[Subject, Found], Iterable[Block]]
    keys: Callable[[Found], Mapping[str, Any]] | None = None
    latex: Callable[[Subject, Found], Iterable[LatexTable]] | None = None
    file_text: bool = False
