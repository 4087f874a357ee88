"""The numbers of docs/scaling.md are those of the committed JSON, and these are what the code predicts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
from worker_curve import LOSSES, SECONDS, TABLES, between, curve

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
MEASURED = json.loads((ROOT / "docs" / "measured" / "workers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_that_of_the_json(name):
    assert between(PAGE, name, "\n".join(TABLES[name](MEASURED[name]))) == PAGE


def test_one_worker_needs_the_sum_of_all_jobs():
    """By hand, for one search a loss, in seconds.

    Of each loss: 50 proposals of 1 s, 200 + 40 trainings of 100 s, the scores of ten seeds, of the chosen trial and of
    four runners-up, and a list of neighbours, 10 s each. Of the untrained models: 40 of 1 s, ten scores and a list of
    10 s, and one score of one model, 2.5 s.
    """
    loss = 50 * 1.0 + 240 * 100.0 + 16 * 10.0
    (row,) = (row for row in MEASURED["curve"] if (row["searches"], row["round"]) == (1, 1))
    assert row["hours"]["1"] == round((LOSSES * loss + 40 + 11 * 10.0 + 2.5) / 3600, 2)


def test_the_longest_chain_by_hand():
    """50 proposals and trials in turn, a fold run and a score; in rounds of two 50 proposals and 25 trials."""
    for size, trials in ((1, 50), (2, 25)):
        (row,) = (row for row in MEASURED["curve"] if (row["searches"], row["round"]) == (1, size))
        chain = 50 * SECONDS.proposal + (trials + 1) * SECONDS.fold + SECONDS.fold_score
        assert row["least"] == pytest.approx(chain / 3600, abs=0.02)


def test_the_curve_is_what_the_code_predicts():
    assert curve(1, 8) in MEASURED["curve"]
