"""Openings of a test half by the other studies beside one, of which its own ledger knows nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realitycheck.errors import LedgerError
from realitycheck.records.ledger import Ledger
from realitycheck.records.packing import unpacked
from realitycheck.records.schema import Opening, of_type

MARK = f'"kind":"{Opening.kind}"'.encode()
"""What a line with an opening holds. Other lines are not parsed: they are nearly all of a ledger."""


@dataclass(frozen=True, slots=True)
class OtherOpenings:
    """The openings of one test half by one other study.

    Args:
        dataset: what this study calls the dataset.
        study: name of the other study's folder.
        count: its openings of this half that this study's ledger does not hold.
    """

    dataset: str
    study: str
    count: int

    def __str__(self) -> str:
        times = "once" if self.count == 1 else f"{self.count} times"
        return f"{self.dataset}: {self.study} opened the same test half {times}, which this ledger does not hold."


def other_openings(ledger: Ledger, *, tests: dict[str, str]) -> list[OtherOpenings]:
    """Look for openings in the ledgers beside this one, by the digests of test halves; damaged ledgers are left out.

    Args:
        ledger: the study's own.
        tests: dataset → digest of its test half.
    """
    own = {opening.plan for opening in of_type(ledger.records.values(), Opening)}
    beside = sorted(path for path in ledger.folder.parent.glob("*/") if path.name != ledger.folder.name)
    listed = []
    for folder in beside:
        opened = {(body["test"], body["plan"]) for body in _openings(folder)}
        for dataset, test in tests.items():
            plans = {plan for half, plan in opened if half == test} - own
            listed += [OtherOpenings(dataset, folder.name, len(plans))] if plans else []
    return listed


def _openings(folder: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = [line for line in unpacked(folder / "ledger.jsonl.gz") if MARK in line]
        lines += [path.read_bytes() for path in sorted(folder.glob(f"ledger/{Opening.kind}/*.json"))]
    except (LedgerError, OSError):
        return
    for line in lines:
        body = _body(line, {"test", "plan"})
        if body is not None:
            yield body


def _body(text: bytes, keys: Collection[str]) -> dict[str, Any] | None:
    try:
        body = json.loads(text)["body"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return body if isinstance(body, dict) and body.keys() >= set(keys) else None
