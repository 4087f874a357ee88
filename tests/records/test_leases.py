"""Leases: one worker a job, renewed by the file system's stamp, stale by the reader's own clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from realitycheck.errors import StorageError
from realitycheck.processes import has_ended, this_process
from realitycheck.records import leases as module
from realitycheck.records.leases import Leases

JOB = "a" * 64
ELSEWHERE = {"worker": "w", "title": "a run", "host": "elsewhere", "system": "s", "process": 1, "started": "2"}


class Clock:
    """The monotonic clock of whoever reads."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def pass_by(self, seconds: float, *readers: Leases) -> None:
        """Let time pass for workers that look every ten seconds."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 10)
            for reader in readers:
                reader.look()


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def worker(tmp_path):
    made = []

    def make(**knobs) -> Leases:
        made.append(Leases(tmp_path, **knobs))
        return made[-1]

    yield make
    for one in made:
        one.close()


def elsewhere(folder: Path, **facts: object) -> Path:
    """A lease of a worker on another machine, which does nothing by itself."""
    path = folder / "leases" / f"{JOB}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**ELSEWHERE, "seconds": 60, **facts}))
    return path


def test_one_worker_has_a_job_until_it_gives_it_back(worker, tmp_path):
    first, second = worker(), worker()
    assert first.take(JOB, title="a run")
    assert first.take(JOB, title="a run"), "it has it already"
    assert not second.take(JOB, title="a run")
    assert list(second.others) == [JOB] and "a run" in second.others[JOB]
    first.release(JOB)
    second.look()
    assert second.others == {}
    assert second.take(JOB, title="a run")
    assert not first.take(JOB, title="a run")


def test_at_the_end_nothing_is_left(worker, tmp_path):
    first, second = worker(), worker()
    first.take(JOB, title="")
    second.take("b" * 64, title="")
    first.close()
    assert [path.name for path in (tmp_path / "leases").iterdir()] == [f"{'b' * 64}.json"]
    second.close()
    assert list((tmp_path / "leases").iterdir()) == []


def test_eight_workers_that_ask_at_once_get_each_job_once(worker):
    workers, jobs = [worker() for _ in range(8)], [f"{number:064x}" for number in range(25)]
    together, taken = threading.Barrier(8), []

    def ask(one: Leases) -> None:
        for job in jobs:
            together.wait()
            if one.take(job, title=""):
                taken.append(job)

    threads = [threading.Thread(target=ask, args=(one,)) for one in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == jobs


def test_a_lease_that_does_not_change_for_its_period_is_taken_over(worker, tmp_path, clock):
    elsewhere(tmp_path)
    one = worker()
    for _ in range(5):
        assert not one.take(JOB, title="")
        clock.now += 12
    assert not one.take(JOB, title=""), "60 seconds are not over yet"
    clock.now += 1
    assert one.take(JOB, title="")


@pytest.mark.parametrize("stamp", [0, 4e9], ids=["a clock far behind", "a clock far ahead"])
def test_a_renewed_lease_is_not_stale_whatever_the_clocks_say(worker, tmp_path, clock, stamp):
    path, one = elsewhere(tmp_path), worker()
    for number in range(20):
        os.utime(path, (stamp + number, stamp + number))
        assert not one.take(JOB, title="")
        clock.pass_by(40, one)
    clock.pass_by(31, one)
    assert one.take(JOB, title=""), "61 seconds after the last renewal was seen, ten after it"


def test_a_reader_that_was_stopped_for_long_reads_again_before_it_takes_over(worker, tmp_path, clock):
    path, one = elsewhere(tmp_path), worker()
    assert not one.take(JOB, title="")
    clock.now += 10_000
    os.utime(path, (5, 5))
    assert not one.take(JOB, title="")


def test_workers_that_were_all_stopped_for_long_take_nothing_from_each_other(worker, tmp_path, clock):
    """The stamp is as old as the stop: its worker was stopped as well, and renews it once it goes on."""
    path, one = elsewhere(tmp_path), worker()
    clock.pass_by(30, one)
    clock.now += 10_000
    assert not one.take(JOB, title="")
    clock.pass_by(9, one)
    os.utime(path, (5, 5))
    clock.pass_by(51, one)
    assert not one.take(JOB, title="")
    clock.pass_by(20, one)
    assert one.take(JOB, title=""), "more than 60 seconds after it was renewed, in which we looked"


def test_on_one_machine_a_lease_ends_with_its_process(worker, tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        facts = {**this_process(), "process": process.pid, "started": stat[19]}
        elsewhere(tmp_path, **facts)
        assert not worker().take(JOB, title="")
        process.communicate(b"\n")
    assert worker().take(JOB, title="")


def test_a_killed_worker_that_nobody_waits_for_has_ended(worker, tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        stat = Path(f"/proc/{process.pid}/stat")
        elsewhere(
            tmp_path,
            **{**this_process(), "process": process.pid, "started": stat.read_text().rpartition(")")[2].split()[19]},
        )
        assert not worker().take(JOB, title="")
        process.kill()
        while stat.read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.01)
        assert worker().take(JOB, title="")


def test_a_process_number_that_came_again_is_another_process():
    assert not has_ended(this_process())
    assert has_ended({**this_process(), "started": "1"})
    assert not has_ended({**this_process(), "started": "1", "host": "elsewhere"})
    assert not has_ended({})


@pytest.mark.parametrize("number", [2**31, 2**63, 10**100])
def test_a_process_number_that_no_system_has_is_of_no_process(number):
    assert has_ended({**this_process(), "process": number})


def test_a_lease_is_renewed_while_its_worker_works(worker, tmp_path):
    one = worker(seconds=0.06)
    one.take(JOB, title="")
    path = tmp_path / "leases" / f"{JOB}.json"
    text = path.read_text()
    os.utime(path, (5, 5))
    end = time.monotonic() + 20
    while path.stat().st_mtime == 5 and time.monotonic() < end:
        time.sleep(0.01)
    assert path.stat().st_mtime > 5
    assert path.read_text() == text


def test_who_lost_a_lease_does_not_touch_that_of_the_next(worker, tmp_path):
    one = worker(seconds=0.06)
    one.take(JOB, title="")
    path = tmp_path / "leases" / f"{JOB}.json"
    path.unlink()
    elsewhere(tmp_path)
    os.utime(path, (5, 5))
    one.release(JOB)
    assert path.exists()
    assert path.stat().st_mtime == 5


def test_of_two_that_take_over_one_gets_it_and_keeps_it(worker, tmp_path, clock):
    """The slower one has seen the stale lease, and meets the new one in its place."""
    elsewhere(tmp_path)
    faster, slower = worker(), worker()
    faster.look()
    slower.look()
    clock.pass_by(61, faster, slower)
    assert faster.take(JOB, title="")
    assert not slower.take(JOB, title="")
    assert json.loads((tmp_path / "leases" / f"{JOB}.json").read_text())["worker"] == faster.worker


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"seconds": "x"}', b"\xff", b"[" * 100_000, b'{"seconds": NaN}', b'{"seconds": 1e300}'],
    ids=lambda content: str(content[:16]),
)
def test_a_damaged_lease_is_one_of_the_usual_period(worker, tmp_path, clock, content):
    elsewhere(tmp_path).write_bytes(content)
    one = worker()
    one.look()
    assert not one.take(JOB, title="")
    clock.pass_by(module.PERIOD + 1, one)
    assert one.take(JOB, title="")


def kept(one: Leases) -> list[tuple[str, str]]:
    one.look()
    return [(job, answer["reason"]) for job, answer in one.kept()]


def test_an_answer_that_is_held_back_is_seen_by_the_others(worker):
    one, other = worker(), worker()
    one.take(JOB, title="")
    one.keep(JOB, {"kind": "left", "reason": "no disk"})
    assert kept(other) == [(JOB, "no disk")]
    assert kept(one) == [], "it is its own"
    later = worker()
    assert kept(later) == [(JOB, "no disk")], "whoever joins while its worker is there"
    one.release(JOB)
    assert kept(other) == kept(later) == []


def test_it_is_seen_after_its_worker_left_by_those_that_were_there_and_by_no_later_one(worker, tmp_path):
    one, other = worker(), worker()
    other.look()
    one.take(JOB, title="")
    one.keep(JOB, {"kind": "left", "reason": "no disk"})
    path = tmp_path / "leases" / f"{JOB}.kept.json"
    one.close()
    assert kept(other) == [(JOB, "no disk")]
    os.utime(path, ns=(0, path.stat().st_mtime_ns - 10**9))  # as if the later one came a second later
    later = worker()
    assert kept(later) == []
    assert not path.exists()
    assert later.take(JOB, title="")


def test_an_answer_of_a_killed_worker_ends_with_its_lease(worker, tmp_path, clock):
    path = elsewhere(tmp_path).with_name(f"{JOB}.kept.json")
    path.write_text(json.dumps({"worker": "w", "kind": "left", "reason": "x"}))
    os.utime(path, (5, 5))
    one = worker()
    assert kept(one) == [(JOB, "x")]
    clock.pass_by(61, one)
    assert kept(one) == []
    assert one.take(JOB, title="")


def test_a_folder_in_the_place_of_a_lease_is_no_lease_that_ends(worker, tmp_path):
    (tmp_path / "leases" / f"{JOB}.json").mkdir(parents=True)
    with pytest.raises(StorageError, match=JOB):
        worker().take(JOB, title="a run")
