"""Every ledger of this repository holds, with its report where there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from realitycheck import verbs

HOME = Path(__file__).parents[2]
LEDGERS = sorted(
    path.parent.relative_to(HOME).as_posix()
    for folder in ("studies", "docs")
    for path in (HOME / folder).rglob("ledger.jsonl.gz")
)


@pytest.mark.parametrize("folder", LEDGERS)
def test_a_committed_ledger_holds(folder):
    checks = verbs.verify_study(HOME / folder)
    assert checks.problems == []
    assert checks.counted["digests"] > 100
