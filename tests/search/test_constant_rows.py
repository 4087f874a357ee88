"""An untrained row in which nothing is random is scored once, and reported as one value without an interval."""

from __future__ import annotations

import json

import pytest
from small_study import FROZEN, PROTOCOL, write_study
from stand_in_run import whole

from realitycheck import verbs
from realitycheck.plan.searches import constant_evaluations
from realitycheck.protocol.read import read_study
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Run, Score, of_type
from realitycheck.runs import CLEAN, TRUNK
from realitycheck.stores.cache import stored_weights


def finished(study) -> Ledger:
    return Ledger(whole(study).parent / "small")


def untrained_scores(ledger: Ledger, evaluation: str) -> list[Score]:
    runs = {run.id for run in of_type(ledger.records.values(), Run) if run.spec.loss is None}
    scores = of_type(ledger.records.values(), Score)
    return [score for score in scores if score.spec.evaluation == evaluation and set(score.spec.models) <= runs]


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_trunk_is_scored_once_and_a_random_one_with_every_seed(frozen, tmp_path):
    study = write_study(tmp_path, protocol=FROZEN if frozen else PROTOCOL)
    ledger = finished(study)
    assert len(untrained_scores(ledger, CLEAN)) == 2 * 2  # two seeds; fold models and complete models
    assert len(untrained_scores(ledger, TRUNK)) == (1 if frozen else 2 * 2)
    kept = stored_weights(study.parent / "small" / "cache")
    assert not [run for run in of_type(ledger.records.values(), Run) if run.spec.loss is None and run.id in kept]
    before = ledger.digest
    assert finished(study).digest == before
    verbs.report_study(study)
    (dataset,) = json.loads((tmp_path / "reports" / "small" / "tables.json").read_text())["datasets"]
    embedder, trunk = dataset["untrained"]
    assert dataset["missing"] == []
    assert {len(cell["values"]) for cell in embedder["cells"]} == {2}
    assert {len(cell["values"]) for cell in trunk["cells"]} == {1 if frozen else 2}
    assert all((cell["interval"] is None) == frozen for cell in trunk["cells"])
    assert (embedder["constant"], trunk["constant"]) == (False, frozen)
    columns = {(cell["metric"], cell["values"][0]) for cell in trunk["cells"]}
    assert not frozen or len(columns) == len({metric for metric, _ in columns}), "one value for every category"


def test_learned_weights_are_not_random(tmp_path):
    protocol = read_study(write_study(tmp_path)).study.protocol
    trunk = protocol.recipe.trunk
    assert constant_evaluations(protocol) == frozenset()
    for change in ({"frozen": True}, {"weights": object()}):
        other = protocol.recipe.model_copy(update={"trunk": trunk.model_copy(update=change)})
        assert constant_evaluations(protocol.model_copy(update={"recipe": other})) == {TRUNK}
