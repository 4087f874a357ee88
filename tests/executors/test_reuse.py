"""A process does another job only after one that left nothing behind, and its jobs are as apart as those of two."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import wait
from pathlib import Path

import pytest
import reusing

from realitycheck.executors import children, local
from realitycheck.executors.base import Job
from realitycheck.executors.local import LocalExecutor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the state of a process is read from /proc")

HERE = Path(__file__).parent
PRELOAD = ("realitycheck.executors.preload", "reusing")


@pytest.fixture
def opened():
    made = []

    def make(*, deadline=60.0, memory=None, jobs=1, show=lambda chunk: None):
        made.append(
            LocalExecutor(devices=[None] * jobs, memory=memory, deadline=deadline, preload=PRELOAD, pins={}, show=show)
        )
        return made[-1]

    yield make
    for executor in made:
        executor.close()


def of(executor, verb, *, name="a", **payload):
    executor.submit(Job("run", name, "g", name, payload), address=f"reusing:{verb}")
    while not (found := executor.wait(seconds=5.0)):
        pass
    return found[0]


def pid_of(executor, verb, **payload):
    found = of(executor, verb, **payload)
    assert found.body is not None, found
    return found.body["pid"]


def gone(pid):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_a_process_does_another_job(opened):
    executor = opened()
    assert len({pid_of(executor, "answer") for _ in range(4)}) == 1


def test_a_process_ends_after_a_job_that_does_not_offer_it(opened):
    executor = opened()
    first = pid_of(executor, "not_offered")
    assert gone(first)
    assert pid_of(executor, "answer") != first


@pytest.mark.parametrize("what", reusing.LEFT)
def test_what_a_job_leaves_behind_ends_its_process(opened, what):
    executor = opened()
    first = pid_of(executor, "answer")
    assert pid_of(executor, "leave", what=what) == first
    assert gone(first)
    assert pid_of(executor, "answer") != first


def test_draws_of_a_job_are_those_of_a_fresh_process(opened):
    executor = opened()
    bodies = [of(executor, "draw").body for _ in range(3)]
    assert len({body["pid"] for body in bodies}) == 1
    assert bodies[0]["drawn"] == bodies[1]["drawn"] == bodies[2]["drawn"]


def test_a_process_ends_after_an_exception_that_is_an_outcome(opened):
    executor = opened()
    first = pid_of(executor, "answer")
    assert pid_of(executor, "diverge") == first
    assert pid_of(executor, "answer") != first


def test_a_job_that_failed_in_a_used_process_is_tried_in_a_fresh_one(opened, tmp_path):
    executor, mark = opened(jobs=2), tmp_path / "mark"
    first = pid_of(executor, "answer")
    mark.write_text(str(first))
    assert "the disk is full" in of(executor, "fail_once", name="b", mark=str(mark)).failure
    again = pid_of(executor, "answer")  # waits for a job when the next attempt comes
    mark.write_text(str(again))
    assert pid_of(executor, "fail_once", name="b", mark=str(mark)) not in (first, again)


def test_a_process_does_a_stated_number_of_jobs(opened, monkeypatch):
    monkeypatch.setattr(children, "JOBS", 3)
    executor = opened()
    pids = [pid_of(executor, "answer") for _ in range(6)]
    assert pids[:3] == pids[:1] * 3 and pids[3:] == pids[3:4] * 3 and pids[0] != pids[3]


def test_each_job_has_an_output_of_its_own(opened):
    """The bound of 8 KB holds for each, and so does the note of what a job printed before its end."""
    shown = []
    executor = opened(show=shown.append)
    pids = [pid_of(executor, "speak", text=letter * 20_000) for letter in "xy"]
    assert pids[0] == pids[1]
    text = b"".join(shown)
    assert text.count(b"x") == text.count(b"y") == 8 * 1024
    found = of(executor, "die")
    assert "SIGKILL" in found.failure and found.traceback == "second words"


def test_silence_in_a_used_process_is_a_hang_whose_place_is_known(opened):
    executor = opened(deadline=1.0)
    first = pid_of(executor, "answer")
    found = of(executor, "fall_silent")
    assert "`--deadline`" in found.failure and "in fall_silent" in found.traceback
    assert gone(first)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_died_while_it_waited_costs_nothing(opened, number):
    executor = opened()
    first = pid_of(executor, "answer")
    os.kill(first, number)
    assert wait([executor._waiting[0].process.sentinel], timeout=10)
    assert pid_of(executor, "answer") != first


def test_a_job_sent_to_a_dying_process_is_no_attempt(opened):
    """Until its memory is freed, a killed process accepts what nobody will read."""
    executor = opened()
    for _ in range(5):
        first = pid_of(executor, "answer")
        os.kill(first, signal.SIGKILL)
        assert pid_of(executor, "answer") != first


def test_the_number_of_a_process_that_ended_while_it_waited_is_not_signalled(opened, monkeypatch):
    """By then the system may have given it to a process of somebody else."""
    signalled = []
    monkeypatch.setattr(children, "kill_group", signalled.append)
    for module in (children, local):
        monkeypatch.setattr(module, "send", lambda process, number: signalled.append(process), raising=False)
    dead, alive = opened(), opened()
    first, second = pid_of(dead, "answer"), pid_of(alive, "answer")
    os.kill(first, signal.SIGKILL)
    assert wait([dead._waiting[0].process.sentinel], timeout=10)
    dead.close()
    monkeypatch.setattr(children, "GRACE", 0.1)
    alive.close()
    assert first not in signalled and second in signalled


def test_a_job_too_long_for_a_waiting_process_gets_a_fresh_one(opened):
    executor = opened()
    first = pid_of(executor, "answer")
    assert pid_of(executor, "answer", long="x" * children.ORDER_BYTES) != first


def test_waiting_processes_end_with_the_executor(opened):
    executor = opened()
    first = pid_of(executor, "answer")
    executor.close()
    assert gone(first)


PARENT = """
import sys, time
sys.path[:0] = ["{tests}", "{here}"]
from realitycheck.executors.local import LocalExecutor
from realitycheck.executors.base import Job
if __name__ == "__main__":
    executor = LocalExecutor(devices=[None], memory=None, deadline=60.0, preload={preload}, pins={{}})
    executor.submit(Job("run", "a", "g", "a", {{}}), address="reusing:answer")
    while not (found := executor.wait(seconds=1.0)):
        pass
    print(found[0].body["pid"], len(executor._waiting), flush=True)
    time.sleep(60)
"""


def test_a_waiting_process_ends_with_a_killed_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(tests=HERE.parent, here=HERE, preload=PRELOAD))
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        child, waiting = map(int, parent.stdout.readline().split())
        parent.kill()
    assert waiting == 1 and gone(child)
