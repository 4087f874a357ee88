"""Children that answer, fail, die and hang; and what is left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from realitycheck.executors.base import Job
from realitycheck.executors.local import LocalExecutor


def job(name: str, **payload) -> Job:
    return Job(kind="run", id=name, group="g", title=name, payload=payload)


@pytest.fixture
def executor():
    built = LocalExecutor(devices=[None] * 2, memory=None, deadline=30.0, preload=(), pins={})
    yield built
    built.close()


def finish(executor, count):
    found = {}
    while len(found) < count:
        for each in executor.wait(seconds=5.0):
            found[each.job.id] = each
    return found


def test_an_answer_comes_back_from_another_process(executor):
    executor.submit(job("a", x=[1, 2.5, None]), address="standins:echo")
    found = finish(executor, 1)["a"]
    assert found.failure is None
    assert found.body["said"] == {"x": [1, 2.5, None]}
    assert found.body["pid"] != os.getpid()


def test_an_exception_and_a_killed_child_are_told_and_touch_nothing_else(executor):
    executor.submit(job("a"), address="standins:fail")
    executor.submit(job("b"), address="standins:die")
    found = finish(executor, 2)
    assert "OSError: the disk is on fire" in found["a"].failure
    assert "exit code -9" in found["b"].failure
    executor.submit(job("c"), address="standins:echo")
    assert finish(executor, 1)["c"].failure is None


def test_a_hanging_child_is_ended_at_its_deadline():
    executor = LocalExecutor(devices=[None], memory=None, deadline=1.5, preload=(), pins={})
    executor.submit(job("a"), address="standins:hang")
    assert "`--deadline`" in finish(executor, 1)["a"].failure
    executor.close()


def test_what_a_plug_in_writes_into_the_pipe_is_no_answer(executor):
    executor.submit(job("a"), address="standins:garble")
    found = finish(executor, 1)["a"]
    assert found.body is None and "something else" in found.failure


class Occupied:
    """Jobs that stay on the devices of an executor until they are let go."""

    def __init__(self, folder, devices):
        self.folder = folder
        self.executor = LocalExecutor(devices=devices, memory=None, deadline=60.0, preload=(), pins={})

    def submit(self, name, *, alone=False):
        payload = {"folder": str(self.folder), "name": name, "device": "none"}
        self.executor.submit(Job("run", name, "g", name, payload, alone), address="standins:occupy")

    def let_go(self, name):
        (self.folder / name).touch()
        assert list(finish(self.executor, 1)) == [name]

    def log(self, *, lines):
        """What has happened, when it is this much."""
        while (
            len(found := (self.folder / "log").read_text().splitlines() if (self.folder / "log").exists() else [])
            < lines
        ):
            self.executor.wait(seconds=0.05)
        return found


@pytest.fixture
def occupied(tmp_path):
    made = []

    def make(*devices):
        made.append(Occupied(tmp_path, devices))
        return made[-1]

    yield make
    for each in made:
        each.executor.close()


def test_a_job_that_lacked_memory_has_its_device_to_itself(occupied):
    jobs = occupied("a", "b", "a")
    for name in ("one", "two"):
        jobs.submit(name)
    jobs.submit("large", alone=True)
    assert jobs.executor.free == 0  # `a` gets no other job, so that it becomes empty
    assert sorted(jobs.log(lines=2)) == ["begin one a", "begin two b"]
    jobs.let_go("two")
    assert jobs.executor.free == 1  # on `b`
    jobs.let_go("one")
    assert jobs.log(lines=5)[2:] == ["end two b", "end one a", "begin large a"]
    assert jobs.executor.free == 1
    jobs.submit("three")
    assert jobs.executor.free == 0
    assert jobs.log(lines=6)[5] == "begin three b"
    jobs.let_go("large")
    assert jobs.executor.free == 2  # both of `a`
    jobs.let_go("three")
    assert jobs.executor.free == 3


def test_it_begins_at_once_on_a_device_without_jobs(occupied):
    jobs = occupied("a", "b", "a", "b")
    jobs.submit("one")
    jobs.submit("large", alone=True)
    assert sorted(jobs.log(lines=2)) == ["begin large b", "begin one a"]
    assert jobs.executor.free == 1
    jobs.let_go("one")
    assert jobs.executor.free == 2


def test_two_of_them_come_one_after_the_other(occupied):
    jobs = occupied("a", "a")
    jobs.submit("one", alone=True)
    assert jobs.executor.free == 0
    jobs.let_go("one")
    jobs.submit("two", alone=True)
    jobs.let_go("two")
    assert jobs.log(lines=4) == ["begin one a", "end one a", "begin two a", "end two a"]


def test_close_forgets_one_that_waits(occupied):
    jobs = occupied("a", "a")
    jobs.submit("one")
    jobs.submit("large", alone=True)
    jobs.log(lines=1)
    jobs.executor.close()
    assert jobs.executor.free == 2
    assert jobs.log(lines=1) == ["begin one a"]


def test_close_ends_what_still_runs():
    executor = LocalExecutor(devices=[None], memory=None, deadline=30.0, preload=(), pins={})
    executor.submit(job("a"), address="standins:hang")
    (child,) = executor._children
    pid = child.process.pid
    time.sleep(0.5)
    executor.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


PARENT = """
import sys, time
sys.path.insert(0, "{tests}")
from realitycheck.executors.local import LocalExecutor
from realitycheck.executors.base import Job
if __name__ == "__main__":
    executor = LocalExecutor(devices=[None], memory=None, deadline=60.0, preload=(), pins={{}})
    executor.submit(Job("run", "a", "g", "a", {payload}), address="{address}")
    print(executor._children[0].process.pid, flush=True)
    time.sleep(60)
"""


def test_children_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(tests=Path(__file__).parent.parent, address="standins:hang", payload={}))
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        time.sleep(1.0)
        parent.kill()
    assert ends(child)


def test_a_daemon_ends_when_the_parent_is_killed(tmp_path):
    script, mark = tmp_path / "parent.py", tmp_path / "mark"
    payload = {"mark": str(mark), "then": "hang"}
    script.write_text(PARENT.format(tests=Path(__file__).parent, address="poisons:daemon", payload=payload))
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        while not mark.exists():
            time.sleep(0.05)
        parent.kill()
    assert ends(child)
    assert ends(int(mark.read_text()))


def ends(pid: int) -> bool:
    """Whether a process is gone, or is so within ten seconds."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_after_a_study_was_broken_off_the_next_one_finds_a_server():
    for _ in range(2):
        executor = LocalExecutor(devices=[None] * 2, memory=None, deadline=30.0, preload=(), pins={})
        executor.submit(job("a"), address="standins:echo")
        assert finish(executor, 1)["a"].failure is None
        executor.submit(job("b"), address="standins:hang")
        executor.close()


SLOW = """
import os, pathlib, time
draft = pathlib.Path("{here}/draft")
draft.write_text(str(os.getpid()))
draft.rename("{here}/loading")
time.sleep(60)
"""

STOPPED = """
import signal, sys, time
sys.path.insert(0, "{tests}")
from realitycheck.executors.local import LocalExecutor
from realitycheck.executors.base import Job
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    executor = LocalExecutor(devices=[None], memory=None, deadline=60.0, preload=["slow"], pins={{}})
    try:
        {begin}
    except KeyboardInterrupt:
        executor.close()
        sys.exit("Stopped.")
"""


SUBMITS = 'executor.submit(Job("run", "a", "g", "a", {}), address="standins:echo")'
WARMS_UP = "executor.warm_up(); time.sleep(60)"


@pytest.mark.parametrize("begin", [SUBMITS, WARMS_UP], ids=["a job waits for it", "images are decoded meanwhile"])
@pytest.mark.parametrize("send", [os.killpg, os.kill], ids=["to all, as a terminal does", "to the parent alone"])
def test_ctrl_c_while_the_fork_server_loads_is_one_line_and_leaves_nothing(tmp_path, send, begin):
    (tmp_path / "slow.py").write_text(SLOW.format(here=tmp_path))
    script = tmp_path / "parent.py"
    script.write_text(STOPPED.format(tests=Path(__file__).parent.parent, begin=begin))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    told = {"stderr": subprocess.PIPE, "text": True, "start_new_session": True, "env": environment}
    with subprocess.Popen([sys.executable, script], **told) as parent:
        while not (tmp_path / "loading").exists():
            assert parent.poll() is None, "the parent ended before the server loaded"
            time.sleep(0.05)
        send(parent.pid, signal.SIGINT)
        assert parent.communicate(timeout=30)[1] == "Stopped.\n"
    assert ends(int((tmp_path / "loading").read_text()))
