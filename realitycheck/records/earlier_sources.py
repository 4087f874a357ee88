"""Runs that were made with another source of a class that the study names by address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from realitycheck.protocol.model import Study
from realitycheck.records.evidence import Records
from realitycheck.records.schema import Run, of_type


@dataclass(frozen=True, slots=True)
class SourceChange:
    """The source of one address, then and now.

    Args:
        address: of a loss, trunk or dataset.
        earlier: runs that were made with another source than the present one.
        present: runs that were made with the present one.
    """

    address: str
    earlier: int
    present: int


def source_changes(study: Study, records: Records) -> Iterator[SourceChange]:
    """List the addresses of which a record has another source than the present one."""
    for address, runs in _recorded(records).items():
        if address in study.sources:
            present = runs[study.sources[address]]
            if earlier := runs.total() - present:
                yield SourceChange(address, earlier, present)


def with_recorded_sources(study: Study, records: Records) -> Study:
    """Return the study as its records show it without training anything.

    The present source of an address counts where a run was made with it. Otherwise, as for a module that is
    missing, the source of most of the runs does.
    """
    recorded = {
        address: study.sources[address] if study.sources.get(address) in runs else _most(runs)
        for address, runs in _recorded(records).items()
    }
    return study.model_copy(update={"sources": {**study.sources, **recorded}})


def _recorded(records: Records) -> dict[str, Counter[str]]:
    """Address → the number of runs of each source."""
    recorded: dict[str, Counter[str]] = {}
    for run in of_type(records.values(), Run):
        for address, source in run.spec.sources.items():
            recorded.setdefault(address, Counter())[source] += 1
    return recorded


def _most(runs: Counter[str]) -> str:
    return min(runs, key=lambda source: (-runs[source], source))
