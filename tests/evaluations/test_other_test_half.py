"""A score whose test half is another one than that of its spec."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from small_study import write_study

from realitycheck import verbs
from realitycheck.errors import RunError
from realitycheck.evaluations.score import score
from realitycheck.executors.base import unheard
from realitycheck.plan.specs import DatasetPlan
from realitycheck.records.from_json import read_record
from realitycheck.records.schema import Run
from realitycheck.runs import CLEAN, ScoringPlace, TrainingPlace
from realitycheck.training import single_run


def untrained(folder: Path) -> tuple[Run, dict[str, object], dict[str, object]]:
    """The record of an untrained model, the spec of its score as JSON, and the place of both halves."""
    read = verbs.load_study(write_study(folder))
    (stores,) = verbs.prepare_data(read).values()
    plan = DatasetPlan(study=read.study, dataset="pictures", data=stores.trainval_digest, test=stores.test_digest)
    place = TrainingPlace(str(stores.trainval), str(folder), "cpu", None)
    run = read_record(
        single_run.run({"spec": plan.constant_run.to_json(), "place": asdict(place), "keep": True}, tell=unheard).body
    )
    assert isinstance(run, Run)
    spec = plan.score([run.id], evaluation=CLEAN)
    assert spec is not None
    return run, spec.to_json(), asdict(ScoringPlace(str(stores.trainval), str(stores.test), str(folder), "cpu"))


def test_another_half_is_refused_and_its_own_is_scored(tmp_path):
    run, spec, place = untrained(tmp_path)
    weights = {run.id: run.weights}
    assert score({"spec": spec, "place": place, "weights": weights}, tell=unheard)["queries"] > 0
    for other in ({"spec": {**spec, "test": "0" * 64}}, {"place": {**place, "test": place["trainval"]}}):
        with pytest.raises(RunError, match="other images"):
            score({"spec": spec, "place": place, "weights": weights} | other, tell=unheard)
