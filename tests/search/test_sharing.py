"""Several workers on one study: each job once, one ledger, and nothing that one holds back is lost to the others."""

from __future__ import annotations

import contextlib
import importlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import standins
from small_study import write_study
from stand_in_run import STAND_INS
from test_campaign import Watched, carry_out, notes, records
from test_first_trials import raise_here, raising

from realitycheck import verbs
from realitycheck.executors.base import Finished, Job
from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.read import read_study
from realitycheck.records.leases import Leases
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Run, of_type
from realitycheck.runs import Stage
from realitycheck.search.agenda import Agenda
from realitycheck.search.campaign import Campaign
from realitycheck.search.first_trials import Raised, SetAside
from realitycheck.verbs import run as run_verb


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(run_verb, "POLL_SECONDS", 0.0)


class Worker(Watched):
    """One that meets the others before each of its first jobs, so that none does all."""

    def __init__(self, meet: Callable[[], None], *, broken: str = "") -> None:
        super().__init__(broken=broken, before=lambda job: meet())
        self.result: verbs.StudyResult | None = None
        self.waited: set[verbs.Activity] = set()
        self.errors: list[BaseException] = []

    def work(self, study: Path) -> None:
        try:
            self.result = verbs.carry_out(
                read_study(study),
                executor=self,
                device="cpu",
                reuse=(),
                watch=lambda standings, running: self.waited.update(running),
                verbs=STAND_INS,
            )
        except BaseException as error:
            self.errors.append(error)
            raise


def at_once(study: Path, count: int, *, broken: str = "") -> list[Worker]:
    """Workers in threads of this process."""
    importlib.import_module("realitycheck.training.device")  # torch cannot be imported by several threads at once
    together, met = threading.Barrier(count), Counter()

    def meet() -> None:
        name = threading.get_ident()
        met[name] += 1
        if met[name] <= 3:
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(timeout=2)

    workers = [Worker(meet, broken=broken) for _ in range(count)]
    threads = [threading.Thread(target=worker.work, args=(study,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert [worker.errors for worker in workers] == [[]] * count
    return workers


def asked(workers: Sequence[Worker]) -> Counter[str]:
    return Counter(job.id for worker in workers for job in worker.asked)


def test_three_workers_do_each_job_once_and_leave_the_ledger_of_one(study_path, tmp_path):
    workers = at_once(study_path, 3)
    assert set(asked(workers).values()) == {1}
    assert all(len(worker.asked) >= 3 for worker in workers)
    assert all(worker.result.left == worker.result.alarms == () for worker in workers)
    assert all(each.done == each.planned for worker in workers for each in worker.result.standings)
    assert not notes(study_path, "failed"), "weights of one vanished under another"
    other = write_study(tmp_path / "alone")
    carry_out(other)
    assert Ledger(other.parent / "small").digest == Ledger(study_path.parent / "small").digest
    assert list((study_path.parent / "small" / "leases").iterdir()) == []


def test_two_workers_on_every_lease_cost_repeated_runs_and_nothing_else(study_path, tmp_path, monkeypatch):
    """As where clocks or a network file system are torn."""
    monkeypatch.setattr(Leases, "take", lambda self, job_id, *, title: self._mine.add(job_id) or True)
    monkeypatch.setattr(Leases, "look", lambda self: None)
    workers = at_once(study_path, 2)
    assert max(asked(workers).values()) == 2
    assert all(worker.result.left == worker.result.alarms == () for worker in workers)
    other = write_study(tmp_path / "alone")
    carry_out(other)
    assert records(other) == records(study_path)


def leased_elsewhere(study: Path, job: Job, *, seconds: float) -> None:
    folder = study.parent / "small" / "leases"
    folder.mkdir(parents=True)
    lease = {"worker": "w", "title": job.title, "host": "node7", "process": 9, "seconds": seconds}
    (folder / f"{job.id}.json").write_text(json.dumps(lease))


def test_a_worker_waits_for_a_job_of_another_says_so_and_takes_it_over_when_it_is_stale(study_path, tmp_path):
    other = write_study(tmp_path / "alone")
    _, executor = carry_out(other)
    first = next(job for job in executor.asked if job.kind == "run")
    leased_elsewhere(study_path, first, seconds=2.5)
    (worker,) = at_once(study_path, 1)
    assert first.id in asked([worker])
    assert worker.asked[-1].kind in ("score", "neighbors"), "the opening waited for it"
    assert any(activity.elsewhere and "node7" in activity.title for activity in worker.waited)
    assert records(study_path) == records(other)


def test_a_job_fails_three_times_for_all_workers_together(study_path):
    workers = at_once(study_path, 2, broken="triplet: trial 2/3, fold 1/2")
    failing = [job for worker in workers for job in worker.asked if "triplet: trial 2/3, fold 1/2" in job.title]
    assert len(failing) == 3
    for worker in workers:
        (left,) = worker.result.left
        assert "the disk is on fire" in left
        assert [aside.jobs for aside in worker.result.set_aside] == [1]


def test_a_loss_is_set_aside_by_the_first_trials_of_all_workers_together(study_path, monkeypatch):
    monkeypatch.setattr(standins, "run", raising(lambda spec: raise_here))
    workers = at_once(study_path, 2)
    trials = [job.id for worker in workers for job in worker.asked if "triplet: trial" in job.title]
    assert sorted(trials) == sorted(set(trials)) and len(trials) == 6
    for worker in workers:
        assert [aside.group for aside in worker.result.set_aside] == ["pictures/triplet"]
    runs = of_type(records(study_path).values(), Run)
    assert [run for run in runs if run.spec.loss and run.spec.loss["label"] == "triplet"] == []


def test_one_outcome_that_differs_at_another_worker_and_all_are_recorded(study_path, monkeypatch):
    when = raising(
        lambda spec: None if spec.stage is Stage.SEARCH and (spec.index, spec.fold) == (1, 0) else raise_here
    )
    monkeypatch.setattr(standins, "run", when)
    workers = at_once(study_path, 2)
    assert all(worker.result.set_aside == () for worker in workers)
    runs = [run for run in of_type(records(study_path).values(), Run) if run.spec.loss]
    trials = [run for run in runs if run.spec.loss["label"] == "triplet" and run.spec.stage is Stage.SEARCH]
    assert len(trials) == 6


def test_a_worker_that_joins_later_does_what_is_left(study_path, tmp_path):
    """The first one leaves in the middle, by an exception as a signal raises it."""

    class Leaves(Worker):
        def wait(self, *, seconds: float) -> Sequence[Finished]:
            if len(self.asked) == 20:
                raise KeyboardInterrupt
            return super().wait(seconds=seconds)

    first = Leaves(lambda: None)
    with pytest.raises(KeyboardInterrupt):
        first.work(study_path)
    assert list((study_path.parent / "small" / "leases").iterdir()) == []
    (second,) = at_once(study_path, 1)
    done = {job.id for job in first.asked[:-1]}
    assert done.isdisjoint(job.id for job in second.asked)
    other = write_study(tmp_path / "alone")
    carry_out(other)
    assert records(other) == records(study_path)


def test_an_answer_for_a_search_that_was_set_aside_gives_its_lease_back(study_path, tmp_path):
    """Two workers with such leases would wait for each other before the opening."""
    plan = DatasetPlan(study=read_study(study_path).study, dataset="pictures", data="d" * 64, test="t" * 64)
    agenda = Agenda([plan], [], [])
    job = next(job for job in agenda.ready() if job.kind == "proposal")
    leases = Leases(tmp_path)
    assert leases.take(job.id, title=job.title)
    campaign = object.__new__(Campaign)  # of its parts, those alone that an answer meets here
    campaign.running, campaign.machine = {job.id: job}, "here"
    campaign.set_aside = {job.group: SetAside(job.group, Raised("it raised", "its traceback"))}
    campaign.sharing = SimpleNamespace(leases=leases)
    campaign._take(Finished(job, standins.answer(job, tmp_path), None, 1.0))
    assert not leases.is_taken(job.id)
    leases.close()


def test_a_run_is_not_made_again_whose_weights_another_worker_has_just_finished_with(study_path):
    """It writes the last record that they were for and removes them while this worker asks whether they are stored."""
    plan = DatasetPlan(study=read_study(study_path).study, dataset="pictures", data="d" * 64, test="t" * 64)
    job = next(job for job in Agenda([plan], [], []).ready() if job.kind == "proposal")
    last, ready = [], [job]

    def finish_elsewhere() -> set[str]:
        last.append("the score of the run")
        return set()

    campaign = object.__new__(Campaign)  # of its parts, those alone that the question meets
    campaign.agenda = SimpleNamespace(records={job.id: object()}, ready=lambda: list(ready))
    campaign.stored = finish_elsewhere
    campaign.sharing = SimpleNamespace(take_in=lambda agenda, **calls: ready.clear() if last else None)
    assert campaign._is_done(job)
