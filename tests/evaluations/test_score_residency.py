"""On a GPU both halves are copied there once for all models of a score; no bit of the score depends on it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from untrained_models import untrained_models

from realitycheck.evaluations import score as scoring
from realitycheck.evaluations.score import build_evaluation, score
from realitycheck.executors.base import unheard
from realitycheck.stores import resident as residency
from realitycheck.stores.base import Facts
from realitycheck.stores.pixels import SquareStore
from realitycheck.training import evaluation_images

CPU = torch.device("cpu")


def store(digest):
    return SquareStore(Facts(np.arange(2), ("a", "b"), digest), np.zeros((2, 1, 4, 4), dtype=np.uint8))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return untrained_models(tmp_path_factory.mktemp("home"))


@pytest.fixture
def copies(monkeypatch):
    """The stores that a score copies, as on a GPU with much free memory."""
    copied, copy = [], residency._of_squares

    def noted(store, device):
        copied.append(store.digest)
        return copy(store, device)

    monkeypatch.setattr(residency, "_of_squares", noted)
    monkeypatch.setattr(
        scoring, "resident_where_it_fits", lambda store, device: residency.resident(store, device, free=10**12)
    )
    return copied


def test_each_half_is_copied_once(models, copies, monkeypatch):
    payload = models.payload(models.score())
    with monkeypatch.context() as before:
        before.setattr(scoring, "resident_where_it_fits", lambda store, device: store)
        expected = score(payload, tell=unheard)
    monkeypatch.setattr(SquareStore, "plain", None)  # no image is read from the memory-mapped store
    assert score(payload, tell=unheard) == expected
    assert len(models.bodies) == 2
    assert sorted(copies) == sorted([models.plan.data, models.plan.test])


def test_corrupted_images_are_made_from_the_memory_mapped_half(models, copies):
    score(models.payload(models.score("corrupted:dropout-3")), tell=unheard)
    assert copies == [models.plan.data]


def test_the_trainval_half_stays_where_it_is_not_read(copies):
    halves = scoring._Halves(store("trainval"), store("test"))
    halves.move(CPU, evaluation=build_evaluation("foundation:dino-0123456789abcdef"))
    assert copies == ["test"]
    assert (halves.trainval.resident, halves.test.resident) == (False, True)


def test_a_score_has_the_same_bits_where_threads_draw(models, monkeypatch):
    payload = models.payload(models.score())
    expected = score(payload, tell=unheard)
    monkeypatch.setattr(evaluation_images, "threads_draw", lambda store, device: True)
    assert score(payload, tell=unheard) == expected


def test_nothing_moves_on_a_cpu():
    one = store("test")
    assert residency.resident_where_it_fits(one, CPU) is one
