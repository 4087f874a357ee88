"""A score reports at every batch and between its measures; what it reports never falls, and changes no bit."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from untrained_models import untrained_models

from realitycheck.evaluations.nearest_lists import list_neighbors
from realitycheck.evaluations.score import score
from realitycheck.executors.base import unheard
from realitycheck.records.nearest_images import neighbors_spec
from realitycheck.stores.open import open_store
from realitycheck.training import embed

BATCH = 10


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Two untrained models under the seeds of the folds: their payloads, and how many images each embeds."""
    models = untrained_models(tmp_path_factory.mktemp("home"))
    asked = {"nmi": True, "recall_at": [1, 2]}
    ids = [body["id"] for body in models.bodies]
    listed = neighbors_spec(models.plan.test, ids, "cosine", models.plan.queries).to_json()
    test = len(open_store(Path(models.place.test)).labels)
    images = [test, *(body["images"]["train"] for body in models.bodies)]
    return models.payload(models.score() | {"scores": asked}), models.payload(listed), images


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
