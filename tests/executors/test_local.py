"""Children that answer, fail, die and hang; and what is left of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from realitycheck.executors.local import LocalExecutor
from realitycheck.jobs import Job


def job(name: str, **payload) -> Job:
    return Job(kind="run", id=name, group="g", title=name, payload=payload)


@pytest.fixture
def executor():
    built = LocalExecutor(workers=2, deadline=30.0, preload=())
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


def test_only_so_many_at_a_time(executor):
    assert executor.free == 2
    executor.submit(job("a"), address="standins:echo")
    executor.submit(job("b"), address="standins:echo")
    assert executor.free == 0
    finish(executor, 2)
    assert executor.free == 2


def test_an_exception_and_a_killed_child_are_told_and_touch_nothing_else(executor):
    executor.submit(job("a"), address="standins:fail")
    executor.submit(job("b"), address="standins:die")
    found = finish(executor, 2)
    assert "OSError: the disk is on fire" in found["a"].failure
    assert "exit code -9" in found["b"].failure
    executor.submit(job("c"), address="standins:echo")
    assert finish(executor, 1)["c"].failure is None


def test_a_hanging_child_is_ended_at_its_deadline():
    executor = LocalExecutor(workers=1, deadline=1.5, preload=())
    executor.submit(job("a"), address="standins:hang")
    assert "no answer within" in finish(executor, 1)["a"].failure
    executor.close()


def test_close_ends_what_still_runs():
    executor = LocalExecutor(workers=1, deadline=30.0, preload=())
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
from realitycheck.jobs import Job
if __name__ == "__main__":
    executor = LocalExecutor(workers=1, deadline=60.0, preload=())
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
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError("the child outlived its parent")
