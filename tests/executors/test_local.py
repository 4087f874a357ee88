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
    executor.submit(Job("run", "a", "g", "a", {{}}), address="standins:hang")
    print(executor._children[0].process.pid, flush=True)
    time.sleep(60)
"""


def test_children_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(tests=Path(__file__).parent.parent))
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        time.sleep(1.0)
        parent.kill()
    assert ends(child)


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
