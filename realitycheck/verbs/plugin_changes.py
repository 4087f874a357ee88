"""What changed in the classes that a study names by address since its runs were made."""

from __future__ import annotations

from collections.abc import Iterator

from realitycheck.errors import Problem
from realitycheck.losses.menu import parts
from realitycheck.protocol.read import ReadStudy
from realitycheck.protocol.yaml_lines import Keys
from realitycheck.records.earlier_sources import SourceChange, source_changes
from realitycheck.records.ledger import Ledger
from realitycheck.verbs.folders import evidence_folder


def changed_sources(read: ReadStudy) -> list[Problem]:
    """Name each address whose source changed after runs were made with it; nothing is imported for that."""
    if not read.study.sources:
        return []
    changes = source_changes(read.study, Ledger(evidence_folder(read)).records)
    return [problem for change in changes for problem in _problems(read, change)]


def _problems(read: ReadStudy, change: SourceChange) -> Iterator[Problem]:
    runs = "1 run was" if change.earlier == 1 else f"{change.earlier} runs were"
    now = "are not used" if change.present else "`run` trains them anew"
    says = f"the source of {change.address} changed: {runs} made with an earlier one. Their records stay, and {now}."
    for keys in list(_places(read, change.address))[:1]:
        yield read.lines.problem(keys, "source-changed", says)


def _places(read: ReadStudy, address: str) -> Iterator[Keys]:
    """Where the study names an address; a trunk is named by its protocol."""
    yield from (("losses", loss.label) for loss in read.study.losses if address in parts(loss.address))
    yield from (("datasets", dataset.name) for dataset in read.study.datasets if address == dataset.address)
    yield ("protocol",)
