"""Several workers of one study, step by step in an order drawn by chance: each sees the others' records late."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import standins
from small_study import PROTOCOL, write_study
from stand_in_run import STAND_INS
from test_near_best_jobs import MORE
from test_schedule import SEVERAL, plan_of

from realitycheck.executors.base import Finished, Job
from realitycheck.records.leases import Leases
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import NeighborLists, Score, of_type
from realitycheck.search.agenda import Agenda
from realitycheck.search.campaign import Campaign
from realitycheck.search.sharing import Sharing
from realitycheck.stores.cache import forget_weights, stored_weights

pytestmark = pytest.mark.usefixtures("no_pause")


class Slots:
    """Two jobs at a time, which end in an order drawn by chance; one in three takes twelve times as long as others."""

    def __init__(self, cache: Path, order: random.Random) -> None:
        self.cache, self.order = cache, order
        self.running: dict[str, float] = {}
        self.asked: list[Job] = []

    @property
    def free(self) -> int:
        return 2 - len(self.running)

    def submit(self, job: Job, *, address: str) -> None:
        self.running[job.id] = self.order.choice((0.6, 0.6, 0.05))
        self.asked.append(job)

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        ended = [job for job in self.asked if self.order.random() < self.running.get(job.id, 0.0)]
        for job in ended:
            del self.running[job.id]
        return [Finished(job, standins.answer(job, self.cache), None, 0.0) for job in ended]


def worker(study: Path, plan, order: random.Random) -> Campaign:
    folder = study.parent / "small"
    cache, ledger = folder / "cache", Ledger(folder)
    return Campaign(
        agenda=Agenda([plan], ledger.records.values(), stored_weights(cache)),
        ledger=ledger,
        sharing=Sharing(ledger, Leases(folder), {}, seconds=1e9),
        executor=Slots(cache, order),
        verbs=STAND_INS,
        place=lambda job: {"cache": str(cache)},
        stored=lambda: stored_weights(cache),
        forget=lambda run_id: forget_weights(cache, run_id),
        may_start=lambda job: True,
        known={},
        machine="here",
    )


def interleaved(study: Path, count: int, order: random.Random) -> list[Campaign]:
    """Carry a study out by several workers, one step of one of them at a time."""
    workers = [worker(study, plan_of(study), order) for _ in range(count)]
    steps = {number: one.steps(seconds=0.0) for number, one in enumerate(workers)}
    while steps:
        number = order.choice(list(steps))
        if order.random() < 0.3:
            workers[number].sharing._next = 0.0
        if next(steps[number], None) is None:
            del steps[number]
    for one in workers:
        one.sharing.leases.close()
    return workers


@pytest.fixture
def more_diverge(monkeypatch):
    """One run in four, where stand-ins have one in twenty: then lists are of other replicates than the first."""
    chance = standins.chance
    monkeypatch.setattr(standins, "chance", lambda *names: chance(*names) * (0.2 if names[0] == "diverged" else 1.0))


@pytest.mark.usefixtures("more_diverge")
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("protocol", [PROTOCOL, SEVERAL, MORE], ids=["plain", "two searches", "runners-up"])
def test_no_order_of_three_workers_repeats_a_job_or_takes_weights_away(tmp_path, protocol, seed):
    """A score or a list of neighbours without its weights would raise here."""
    study = write_study(tmp_path / "home", protocol=protocol)
    workers = interleaved(study, 3, random.Random(seed))
    asked = Counter(job.id for one in workers for job in one.executor.asked)
    assert set(asked.values()) == {1}
    assert all(one.left == {} and one.alarms == [] for one in workers)
    records = Ledger(study.parent / "small").records
    scored = {model for score in of_type(records.values(), Score) for model in score.spec.models}
    assert stored_weights(study.parent / "small" / "cache").isdisjoint(scored)
    alone = write_study(tmp_path / "alone", protocol=protocol)
    interleaved(alone, 1, random.Random(seed))
    assert Ledger(alone.parent / "small").records == records
    assert of_type(records.values(), NeighborLists)
