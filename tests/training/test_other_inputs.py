"""A training whose images or classes are others than those of its spec."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from small_study import write_study

from realitycheck import verbs
from realitycheck.errors import RunError
from realitycheck.executors.base import unheard
from realitycheck.plan.specs import DatasetPlan
from realitycheck.runs import TrainingPlace
from realitycheck.training import single_run


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"data": "0" * 64}, "the images differ from those of the spec"),
        ({"sources": {"fractions:Fraction": "edited"}}, "source of fractions:Fraction changed"),
    ],
    ids=["other images", "an edited class"],
)
def test_it_is_refused_before_anything_is_trained(tmp_path, changes, says):
    read = verbs.load_study(write_study(tmp_path))
    (stores,) = verbs.prepare_data(read).values()
    plan = DatasetPlan(study=read.study, dataset="pictures", data=stores.trainval_digest, test=None)
    spec = plan.losses[0].searches[0].trial_runs(slot=0, knobs={"margin": 0.2})[0]
    place = asdict(TrainingPlace(str(stores.trainval), str(tmp_path), "cpu", None))
    with pytest.raises(RunError, match=says):
        single_run.run({"spec": replace(spec, **changes).to_json(), "place": place, "keep": False}, tell=unheard)
