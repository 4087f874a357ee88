"""Records of other studies that a study may copy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from realitycheck.records.ledger import Ledger
from realitycheck.records.registration import Registration
from realitycheck.records.schema import Opening, Record, of_type


def reusable(reuse: Sequence[Path]) -> dict[str, Record]:
    """Records that may be copied."""
    records = [record for folder in reuse for record in Ledger(folder).records.values()]
    return {record.id: record for record in records if not _own(record)}


def _own(record: Record) -> bool:
    """Whether a record belongs to its study alone."""
    return isinstance(record, Registration | Opening)


def openings_before(reuse: Sequence[Path], *, tests: Collection[str | None]) -> list[Opening]:
    """Openings of the same test halves by the studies whose records are reused: their scores have been looked at."""
    records = [record for folder in reuse for record in Ledger(folder).records.values()]
    return [opening for opening in of_type(records, Opening) if opening.test in tests]
