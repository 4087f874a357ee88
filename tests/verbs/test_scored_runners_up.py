"""Runners-up of a study that is really trained: stopped, with lost weights, and with other test images."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_study import FINISHED, FINISHED_PROTOCOL, write_study
from trained_here import carry_out

from realitycheck import verbs
from realitycheck.executors.base import Job
from realitycheck.executors.inline import InlineExecutor
from realitycheck.records.evidence import SearchEvidence
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Proposal, Run, Score
from realitycheck.runs import Category, Stage
from realitycheck.verbs.report import study_evidence

PROTOCOL = (
    FINISHED_PROTOCOL.replace("trials: 2,", "trials: 4,")
    .replace("seeds: 2,", "seeds: 3,")
    .replace("level: 0.95", "level: 0.95, runners_up: 3")
)


class Stopping(InlineExecutor):
    """Raises KeyboardInterrupt in place of a job for which `stop` is true."""

    def __init__(self, stop: Callable[[Job], bool] = lambda job: False) -> None:
        super().__init__(device=None)
        self.stop, self.asked = stop, []

    def submit(self, job: Job, *, address: str) -> None:
        if self.stop(job):
            raise KeyboardInterrupt
        self.asked.append(job)
        super().submit(job, address=address)


def ledger(study: Path) -> Ledger:
    return Ledger(study.with_suffix(""))


def searches(study: Path) -> list[SearchEvidence]:
    (dataset,) = study_evidence(verbs.load_study(study), ledger(study))
    return [search for loss in dataset.losses for search in loss.searches]


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    study = write_study(tmp_path_factory.mktemp("whole"), protocol=PROTOCOL, study=FINISHED)
    result = carry_out(study, Stopping())
    assert not result.left and not result.alarms
    return study


def test_every_near_best_setting_has_its_scores(whole):
    found = searches(whole)
    assert sum(len(search.near_best) for search in found) > len(found)
    for near in (near for search in found for near in search.near_best):
        for category in Category:
            assert near.models.score(category=category, metric="map_at_r", distance="cosine") is not None
    assert not list((whole.with_suffix("") / "cache" / "weights").glob("*"))


def test_the_models_of_a_trial_are_scored_and_not_trained_again(whole):
    """The aggregate of a runner-up is the mean of the records' single scores, by the models of its trial."""
    near = next(search for search in searches(whole) if len(search.near_best) > 1).near_best[1]
    record = near.models.scores["clean"].folds
    assert record.spec.models == tuple(run.id for run in near.trial.runs)
    mean = np.mean([model["cosine"].scores["map_at_r"] for model in record.models])
    score = near.models.score(category=Category.AGGREGATE, metric="map_at_r", distance="cosine")
    assert score == pytest.approx(mean, abs=1e-15)


def test_stopped_and_without_weights_it_ends_in_the_same_records(whole, tmp_path):
    study = write_study(tmp_path, protocol=PROTOCOL, study=FINISHED)
    with pytest.raises(KeyboardInterrupt):
        carry_out(study, Stopping(lambda job: "runner-up" in job.title and job.kind == "score"))
    kept = {path.stem for path in (study.with_suffix("") / "cache" / "weights").glob("*")}
    tried = {
        key for key, run in ledger(study).records.items() if isinstance(run, Run) and run.spec.stage is Stage.SEARCH
    }
    assert kept & tried
    shutil.rmtree(study.with_suffix("") / "cache" / "weights")
    executor = Stopping()
    result = carry_out(study, executor)
    assert not result.left and not result.alarms
    again = [job for job in executor.asked if job.kind == "run" and job.id in tried]
    assert again and all("lost weights" in job.title for job in again)
    assert ledger(study).digest == ledger(whole).digest


def test_other_test_images_change_neither_a_search_nor_its_runners_up(whole, tmp_path):
    study = write_study(tmp_path, protocol=PROTOCOL, study=FINISHED)
    names = sorted(path for path in (tmp_path / "pictures").iterdir())
    noise = np.random.default_rng(1)
    for path in (image for folder in names[len(names) // 2 :] for image in folder.glob("*.png")):
        Image.fromarray(noise.integers(0, 256, (28, 28, 3), dtype=np.uint8)).save(path)
    carry_out(study, Stopping())
    mine, other = ledger(whole).records, ledger(study).records
    for kind in (Proposal, Run):
        assert {key: one for key, one in mine.items() if isinstance(one, kind)} == {
            key: one for key, one in other.items() if isinstance(one, kind)
        }
    assert not {key for key, one in mine.items() if isinstance(one, Score)} & other.keys()
    assert [[near.trial for near in search.near_best] for search in searches(whole)] == [
        [near.trial for near in search.near_best] for search in searches(study)
    ]
