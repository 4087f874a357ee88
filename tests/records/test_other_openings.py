"""Openings of the same test half by the studies beside one."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

from realitycheck import verbs
from realitycheck.records.ledger import Ledger
from realitycheck.records.other_openings import other_openings
from realitycheck.records.schema import Opening, of_type


def opened(folder: Path, bodies: list[dict], *, packed: bool) -> None:
    lines = [json.dumps({"body": body, "sha256": "x"}, separators=(",", ":")) for body in bodies]
    if packed:
        folder.mkdir(parents=True)
        (folder / "ledger.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
        return
    (folder / "ledger" / "opening").mkdir(parents=True)
    for number, line in enumerate(lines):
        (folder / "ledger" / "opening" / f"{number}.json").write_text(line)


def test_status_lists_the_openings_of_neighbours_and_the_page_does_not_depend_on_them(finished, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(finished.parents[1], home, ignore=shutil.ignore_patterns("cache"))
    study = home / "studies" / finished.name
    ledger = Ledger(study.with_suffix(""))
    (own,) = of_type(ledger.records.values(), Opening)
    before = {path.name: path.read_bytes() for path in verbs.report_study(study)}
    assert verbs.study_status(study).others == ()
    body, others = own.to_json(), study.parent
    opened(others / "packed", [{**body, "plan": "another"}, {**body, "plan": "a third"}], packed=True)
    opened(others / "loose", [body, {**body, "plan": "a fourth"}], packed=False)
    opened(others / "of another half", [{**body, "plan": "a fifth", "test": "other"}], packed=True)
    (others / "damaged").mkdir()
    (others / "damaged" / "ledger.jsonl.gz").write_bytes(b"no gzip")
    found = verbs.study_status(study).others
    assert [(one.dataset, one.study, one.count) for one in found] == [
        (own.dataset, "loose", 1),
        (own.dataset, "packed", 2),
    ]
    assert str(found[0]) == f"{own.dataset}: loose opened the same test half once, which this ledger does not hold."
    after = {path.name: path.read_bytes() for path in verbs.report_study(study)}
    assert {name for name in before if before[name] != after[name]} == set()


def test_a_study_without_a_test_half_has_no_neighbours(tmp_path):
    assert other_openings(Ledger(tmp_path / "study"), tests={}) == []
