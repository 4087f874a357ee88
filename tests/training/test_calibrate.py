"""The calibration behind `plan`: a sample is timed and extrapolated."""

from __future__ import annotations

import weakref
from dataclasses import asdict, fields

import numpy as np
import pytest
import torch
from loss_trainers import recipe_with, trainer_of
from small_study import write_study

from realitycheck import verbs
from realitycheck.executors.base import unheard
from realitycheck.plan.cost import Calibration
from realitycheck.plan.specs import DatasetPlan
from realitycheck.runs import TrainingPlace
from realitycheck.training import calibrate as module
from realitycheck.training.calibrate import calibrate
from realitycheck.training.loop import Trainer

ASKED = {"recall_at": [1, 2], "nmi": True}


@pytest.fixture(scope="module")
def payload(tmp_path_factory):
    read = verbs.load_study(write_study(tmp_path_factory.mktemp("calibrate")))
    (stores,) = verbs.prepare_data(read).values()
    plan = DatasetPlan(study=read.study, dataset="pictures", data=stores.trainval_digest, test=None)
    spec = plan.losses[0].searches[0].trial_runs(slot=0, knobs={"pos_margin": 0.0, "neg_margin": 1.0})[0]
    place = TrainingPlace(str(stores.trainval), str(stores.trainval.parent), "cpu", None)
    return {"spec": spec.to_json(), "place": asdict(place), "scores": ASKED}


@pytest.fixture
def ranked(monkeypatch):
    """(items, dims, what was asked for, distance) of every ranking; only rankings take time, a second each."""
    seen, clock = [], [0.0]

    def measure(embeddings, labels, *, extra, distance):
        assert len(embeddings) == len(labels)
        assert labels.device.type == "cpu"  # as those of a score
        seen.append((*embeddings.shape, extra, distance))
        clock[0] += 1.0

    monkeypatch.setattr(module, "measure", measure)
    monkeypatch.setattr(module.time, "perf_counter", lambda: clock[0])
    return seen


def test_everything_is_measured_and_takes_time(payload):
    actual = calibrate(payload, tell=unheard)
    assert actual.keys() == {field.name for field in fields(Calibration)}
    assert actual.pop("device_bytes") == 0  # a CPU has the memory of its machine
    assert all(value > 0 for value in actual.values())


def test_a_score_is_timed_with_what_the_protocol_asks_for(payload, ranked):
    """Two folds of 8 dims; the store has 32 images, of which the first fold validates 16."""
    calibrate(payload, tell=unheard)
    both = ("cosine", "euclidean")
    assert ranked == [
        (32, 8, ASKED, "cosine"),  # untimed
        *((32, 8, ASKED, distance) for distance in both),
        *((32, 16, ASKED, distance) for distance in both),
        (16, 8, {}, "cosine"),
    ]


def test_time_grows_with_the_square_of_what_is_ranked(payload, ranked, monkeypatch):
    """A ranking of 8 items takes a second: of 32 it takes 16, and a score has two rankings."""
    monkeypatch.setattr(module, "RANKED", 8)
    actual = calibrate(payload, tell=unheard)
    assert {items for items, *_ in ranked} == {8}
    assert actual["evaluation"] == 4
    assert actual["fold_score"] == 2 * 32 + 32
    assert actual["complete_score"] == 32


def test_embeddings_are_ranked_on_the_device_of_the_run(monkeypatch):
    """On `meta`, which stands for a GPU."""
    seen, waits = [], []
    monkeypatch.setattr(module, "measure", lambda embeddings, labels, **named: seen.append(embeddings.device.type))
    monkeypatch.setattr(module, "wait_for", lambda device: waits.append((device.type, len(seen))))
    labels = np.repeat(np.arange(4), 2)
    module._ranking(labels, 8, {}, ("cosine", "euclidean"), device=torch.device("meta"))
    assert seen == ["meta", "meta"]
    assert waits == [("meta", 0), ("meta", 2)]


def test_a_run_is_gone_before_the_next_is_assembled(payload, monkeypatch):
    """So the peak of the device's memory is that of one job."""
    assemble, earlier = module.assemble, []

    def assembled(spec, place):
        assert [model() for model in earlier] == [None] * len(earlier)
        trainer, train, val = assemble(spec, place)
        earlier.append(weakref.ref(trainer.model))
        return trainer, train, val

    monkeypatch.setattr(module, "assemble", assembled)
    calibrate(payload, tell=unheard)
    assert len(earlier) == 2


class Steps:
    """A trainer of which a step takes a while, and an interval ends with waiting for the device."""

    def __init__(self, clock, *, step, wait):
        self.clock, self.step, self.wait, self.intervals = clock, step, wait, []

    def advance(self, iterations):
        self.intervals.append(iterations)
        self.clock[0] += iterations * self.step + self.wait


def test_steps_are_timed_as_an_interval_of_a_run(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: clock[0])
    quick, slow = Steps(clock, step=0.01, wait=0.03), Steps(clock, step=2.0, wait=0.0)
    assert module._seconds_per_step(quick) == pytest.approx(0.011)
    assert quick.intervals == [1] * 10 + [30]
    assert module._seconds_per_step(slow) == pytest.approx(2.0)
    assert slow.intervals == [1] * 3 + [2]


def test_embeddings_at_the_end_of_an_interval_are_no_part_of_a_step(monkeypatch):
    """A step is timed over fewer iterations than an interval has."""
    trainer = trainer_of("proxy_anchor", recipe=recipe_with(unaugmented_distance=True))
    monkeypatch.setattr(Trainer, "_unaugmented_distance", None)
    assert module._embeds_all(trainer)
    assert not module._embeds_all(trainer_of("contrastive", recipe=recipe_with(unaugmented_distance=True)))
    assert not module._embeds_all(trainer_of("proxy_anchor"))
    indices = np.arange(16)
    monkeypatch.setattr(module, "assemble", lambda spec, place: (trainer, indices, indices[:8]))
    timed = module._timed(None, None)
    assert timed.interval == 16 * timed.image > 0


def test_slow_work_is_not_repeated_for_long(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: clock[0])

    def work():
        clock[0] += 4.0

    assert module._mean_seconds(work, times=30) == 4.0
    assert clock[0] == 8.0


def test_scores_are_timed_on_classes_from_the_whole_list():
    """Ten classes of 400 images before four hundred of ten: the first 4,000 labels would be those of the large ones."""
    labels = np.repeat(np.arange(410), [400] * 10 + [10] * 400)
    drawn = module.spread_labels(labels, most=4000)
    counts = np.bincount(drawn, minlength=410)
    assert len(drawn) <= 4000
    assert set(counts) - {0} == {10, 400}  # whole classes
    assert (counts[10:] > 0).sum() > 50
    assert np.array_equal(module.spread_labels(labels[:50], most=4000), labels[:50])
