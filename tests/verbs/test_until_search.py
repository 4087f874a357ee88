"""`run --until search` leaves the test half closed, reports settings without verdicts, and a later `run` continues."""

from __future__ import annotations

import json

import pytest
import torch
from small_study import FINISHED, FINISHED_PROTOCOL, write_study

from realitycheck import verbs
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Opening, Proposal, Run, Score, of_type
from realitycheck.runs import Stage


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    path = write_study(tmp_path_factory.mktemp("searched"), protocol=FINISHED_PROTOCOL, study=FINISHED)
    threads = torch.get_num_threads()
    result = verbs.run_study(verbs.load_study(path), executor="inline", device="cpu", until="search")
    torch.set_num_threads(threads)
    assert not result.left and not result.alarms
    return path, result


def records(path):
    return Ledger(path.parent / path.stem).records.values()


def test_the_searches_are_done_and_nothing_else_is(searched):
    path, result = searched
    kinds = {kind: len(list(of_type(records(path), kind))) for kind in (Proposal, Run, Opening, Score)}
    assert kinds == {Proposal: 4, Run: 8, Opening: 0, Score: 0}  # two losses, two trials of two folds
    assert {run.spec.stage for run in of_type(records(path), Run)} == {Stage.SEARCH}
    assert [standing.search_runs for standing in result.standings] == [(4, 4), (4, 4)]


def test_the_report_has_settings_and_no_verdict(searched):
    path, _ = searched
    (tables,) = [file for file in verbs.report_study(path) if file.name == "tables.json"]
    (dataset,) = json.loads(tables.read_text())["datasets"]
    searches = dataset["searches"]
    assert all(search["value"] is not None and search["knobs"] for search in searches)
    text = tables.with_name("tables.md").read_text()
    assert "Chosen settings and search ranges" in text
    assert [line for line in text.splitlines() if line.startswith("> - ")] == [
        "> - pictures, the searches are done, and the test half is closed: there is no test score yet."
    ]
    assert not [word for word in ("better", "worse", "equivalent:") if f"| {word}" in text]


def test_a_later_run_continues_and_makes_the_records_of_an_unbroken_one(searched, finished, tmp_path):
    path, _ = searched
    threads = torch.get_num_threads()
    result = verbs.run_study(verbs.load_study(path), executor="inline", device="cpu")
    torch.set_num_threads(threads)
    assert not result.left
    assert Ledger(path.parent / "small").digest == Ledger(finished.parent / "small").digest
