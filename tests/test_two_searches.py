"""A study with two searches of each loss, from `check` to its report, with stand-ins for training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_study import PROTOCOL, write_study
from test_resume import finish

from realitycheck import verbs
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Opening, Proposal, Run, of_type

SEVERAL = PROTOCOL.replace("trials: 3,", "searches: 2, trials: 3,").replace("seeds: 2,", "seeds: 4,")
SHUFFLED = SEVERAL.replace("kind: blocks", "kind: shuffled")


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Path:
    study = write_study(tmp_path_factory.mktemp("searches"), protocol=SHUFFLED)
    verbs.check_study(study)
    finish(study, 2)
    return study


def test_every_search_is_played_to_its_end(done):
    records = Ledger(done.parent / "small").records.values()
    assert len(of_type(records, Proposal)) == 3 * 2 * 3
    (opening,) = of_type(records, Opening)
    assert {len(ids) for ids in opening.searches.values()} == {2}
    seeds = {(run.spec.search, run.spec.folds["seed"]) for run in of_type(records, Run)}
    assert len(seeds) == 2, "each search has one partition of its own, shared by all losses"


def test_status_shows_each_search(done):
    standings = verbs.study_standings(done)
    assert [standing.name for standing in standings[:2]] == ["pictures/contrastive/1", "pictures/contrastive/2"]
    assert all(standing.done == standing.planned for standing in standings)


def test_the_report_shows_each_search_and_all_replicates(done):
    verbs.report_study(done)
    folder = done.parent.parent / "reports" / "small"
    assert len((folder / "tables.csv").read_text().splitlines()) == 1 + 3 + 2
    found = json.loads((folder / "tables.json").read_text())
    (dataset,) = found["datasets"]
    assert all(len(cell["values"]) == 4 for row in dataset["rows"] for cell in row["cells"])


def test_two_workers_are_one(done, tmp_path):
    alone = write_study(tmp_path, protocol=SHUFFLED)
    finish(alone, 1)
    assert Ledger(alone.parent / "small").digest == Ledger(done.parent / "small").digest
