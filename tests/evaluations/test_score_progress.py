"""A score reports at every batch and between its measures; what it reports never falls, and changes no bit."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path

import pytest
from small_study import write_study

from realitycheck import verbs
from realitycheck.evaluations.nearest_lists import list_neighbors
from realitycheck.evaluations.score import score
from realitycheck.executors.base import unheard
from realitycheck.records.nearest_images import neighbors_spec
from realitycheck.runs import CLEAN, ScoringPlace, TrainingPlace
from realitycheck.stores.open import open_store
from realitycheck.training import embed, single_run
from realitycheck.verbs.study import plans_of

BATCH = 10


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Two untrained models under the seeds of the folds: their payloads, and how many images each embeds."""
    home = tmp_path_factory.mktemp("home")
    read = verbs.load_study(write_study(home))
    stores = verbs.prepare_data(read)
    (plan,), (pair,) = plans_of(read, stores), stores.values()
    place = asdict(TrainingPlace(str(pair.trainval), str(home), "cpu", None))
    specs = plan.untrained.searches[0].replicate_runs(index=0, knobs={})
    bodies = [single_run.run({"spec": s.to_json(), "place": place, "keep": True}, tell=unheard).body for s in specs]
    ids = [body["id"] for body in bodies]
    common = {
        "place": asdict(ScoringPlace(str(pair.trainval), str(pair.test), str(home), "cpu")),
        "weights": {body["id"]: body["weights"] for body in bodies},
    }
    asked = {"nmi": True, "recall_at": [1, 2]}
    spec = plan.score(ids, evaluation=CLEAN).to_json() | {"scores": asked}
    listed = neighbors_spec(plan.test, ids, "cosine", plan.queries).to_json()
    test = len(open_store(Path(pair.test)).labels)
    images = [test, *(body["images"]["train"] for body in bodies)]
    return common | {"spec": spec}, common | {"spec": listed}, images


def batches(images: list[int]) -> int:
    """Batches of two models: each embeds the test half, and its own training images."""
    test, *trained = images
    return sum(math.ceil(test / BATCH) + math.ceil(count / BATCH) for count in trained)


@pytest.mark.parametrize(("verb", "which", "steps"), [(score, 0, 2 + 2 * 3), (list_neighbors, 1, 2 + 1)])
def test_it_reports_at_every_batch_and_between_measures(scored, monkeypatch, verb, which, steps):
    monkeypatch.setattr(embed, "EVALUATION_BATCH", BATCH)
    heard = []
    body = verb(scored[which], tell=lambda *advance: heard.append(advance))
    assert body == verb(scored[which], tell=unheard)
    done = [advance[0] for advance in heard]
    assert done == sorted(done) and set(done) == set(range(steps + 1))
    assert {total for _, total in heard} == {steps}
    assert len([one for one in done if one < 2]) >= batches(scored[2])


def test_each_further_score_is_reported(scored):
    """Six measures: two models and both together, under two distances; each has blocks and two further scores."""
    heard = []
    score(scored[0], tell=lambda *advance: heard.append(advance))
    for done in range(2, 7):
        assert len([one for one in heard if one[0] == done]) >= 1 + 1 + 2
