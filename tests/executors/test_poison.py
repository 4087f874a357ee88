"""Jobs that poison their process are failures with a reason; they leave nothing behind, and the next job runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing import forkserver
from pathlib import Path

import poisons
import pytest

from realitycheck.errors import RunError
from realitycheck.executors import local
from realitycheck.executors.base import Job
from realitycheck.executors.local import LocalExecutor

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="groups of processes are read from /proc")

HERE = Path(__file__).parent


def job(name: str, **payload) -> Job:
    return Job(kind="run", id=name, group="g", title=name, payload=payload)


def finish(executor, count):
    found = {}
    while len(found) < count:
        found |= {one.job.id: one for one in executor.wait(seconds=5.0)}
    return found


@pytest.fixture
def opened():
    made = []

    def make(*, deadline=30.0, memory=None):
        made.append(LocalExecutor(devices=[None] * 2, memory=memory, deadline=deadline, preload=(), pins={}))
        return made[-1]

    yield make
    for executor in made:
        executor.close()


def of(executor, name, **payload):
    executor.submit(job(name, **payload), address=f"poisons:{name}")
    return finish(executor, 1)[name]


def gone(pid: int) -> bool:
    """Whether a process is gone, or is so within ten seconds; one that nobody waits for counts as gone."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_segfault_is_named_and_has_a_traceback(opened):
    found = of(opened(), "segfault")
    assert "SIGSEGV" in found.failure
    assert "Segmentation fault" in found.traceback and "in segfault" in found.traceback


@pytest.mark.parametrize("name", ["hold_the_lock", "unterminated"])
def test_silence_is_a_hang_whose_place_is_known(opened, name):
    found = of(opened(deadline=1.0), name)
    assert "`--deadline`" in found.failure
    assert f"in {name}" in found.traceback


def test_a_long_job_that_reports_is_no_hang(opened):
    """It runs for 3.6 s, and a silence of 1.5 s is allowed."""
    executor = opened(deadline=1.5)
    executor.submit(job("a"), address="poisons:work_long")
    seen = set()
    while not (found := executor.wait(seconds=0.2)):
        seen |= {(advance.done, advance.total) for advance in executor.advances.values()}
    assert found[0].body == {"done": True}
    assert {total for _, total in seen} == {12} and len(seen) > 3


def test_a_stopped_job_is_no_hang(opened, tmp_path):
    executor = opened(deadline=1.0)
    executor.submit(job("a", mark=str(tmp_path / "mark")), address="poisons:stop_once")
    assert executor.wait(seconds=3.0) == []
    os.kill(int((tmp_path / "mark").read_text()), signal.SIGCONT)
    assert finish(executor, 1)["a"].body == {"done": True}


def test_a_pause_of_the_parent_is_no_silence(opened):
    """As if this process had been stopped: longer than the allowed silence passes between two checks."""
    executor = opened(deadline=local.LONGEST_GAP + 1.0)
    executor.submit(job("a"), address="standins:hang")
    assert executor.wait(seconds=0.1) == []
    executor._checked -= 3600.0
    assert executor.wait(seconds=0.1) == []


def test_memory_over_the_limit_ends_a_job_and_names_sizes_and_option(opened):
    found = of(opened(memory=200_000_000), "eat")
    assert "0.20 GB are allowed (`--memory`)" in found.failure
    assert "in eat" in found.traceback


def test_an_exit_without_an_answer_has_its_code(opened):
    assert "exit code 3" in of(opened(), "leave_at_once").failure


def test_processes_that_a_job_started_end_with_it(opened, tmp_path):
    """A process that the job forked comes back from the verb, too: there is one answer, that of the job."""
    executor = opened()
    executor.submit(job("fork", mark=str(tmp_path / "mark")), address="poisons:fork")
    leader = executor._children[0].group
    assert finish(executor, 1)["fork"].body == {"pid": leader}
    assert gone(int((tmp_path / "mark").read_text()))


@pytest.mark.parametrize("then", ["return", "end", "hang"])
def test_a_daemon_of_a_job_ends_with_it(opened, tmp_path, then):
    of(opened(deadline=2.0), "daemon", mark=str(tmp_path / "mark"), then=then)
    assert gone(int((tmp_path / "mark").read_text()))


def test_the_memory_of_a_daemon_is_that_of_its_job(opened, tmp_path):
    found = of(opened(memory=400_000_000), "daemon", mark=str(tmp_path / "mark"), then="hang", holds=600_000_000)
    assert "`--memory`" in found.failure
    assert gone(int((tmp_path / "mark").read_text()))


def test_an_orphan_that_holds_the_pipes_keeps_nobody_waiting(opened, tmp_path):
    found = of(opened(), "orphan", mark=str(tmp_path / "mark"))
    assert "exit code 4" in found.failure
    assert gone(int((tmp_path / "mark").read_text()))


def test_a_flood_of_output_blocks_nobody_and_is_cut(opened, capfd):
    assert of(opened(deadline=5.0), "flood").body == {"written": 20_000_000}
    shown = capfd.readouterr().err
    assert 8_000 < shown.count("x") < 9_000
    assert "is not shown" in shown


def test_output_that_is_no_text_is_kept_as_text(opened):
    found = of(opened(), "print_bytes")
    assert "exit code 5" in found.failure
    assert found.traceback == r"caf\xe9 \xff"


def test_a_message_that_is_no_text_is_a_failure(opened):
    found = of(opened(), "cannot_read")
    assert "MemoryError" in found.failure.encode().decode()


@pytest.mark.parametrize("raises", ["KeyboardInterrupt", "GeneratorExit"])
def test_an_exception_that_is_no_exception_class_is_a_failure_with_its_reason(opened, raises):
    found = of(opened(deadline=10.0), "interrupt", raises=raises)
    assert found.failure.startswith(f"{raises}: stop here")
    assert "in interrupt" in found.traceback


def test_a_message_of_any_length_is_a_short_failure_with_its_frames(opened):
    found = of(opened(), "say_everything")
    assert len(found.failure) < 3_000 and len(found.traceback) < 60_000
    assert found.failure.startswith("MemoryError: start x") and found.failure.rpartition(" (")[0].endswith("x end")
    assert "in say_everything" in found.traceback and "left out" in found.traceback


def test_the_next_job_runs_after_every_poison(opened, tmp_path):
    executor = opened(deadline=3.0)
    for name in ("segfault", "leave_at_once", "print_bytes"):
        assert of(executor, name).body is None
        executor.submit(job("next"), address="standins:echo")
        assert finish(executor, 1)["next"].failure is None


PARENT = """
import sys, time
sys.path[:0] = ["{tests}", "{here}"]
from realitycheck.executors.local import LocalExecutor
from realitycheck.executors.base import Job
if __name__ == "__main__":
    executor = LocalExecutor(devices=[None], memory=None, deadline=60.0, preload=(), pins={{}})
    executor.submit(Job("run", "a", "g", "a", {{}}), address="poisons:hold_the_lock")
    while not executor.advances and not executor.wait(seconds=0.1):
        pass
    print(executor._children[0].group, flush=True)
    time.sleep(60)
"""


def test_a_job_that_holds_the_lock_ends_with_a_killed_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(tests=HERE.parent, here=HERE))
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    assert gone(child)


def test_a_fork_server_that_was_killed_is_started_again(opened):
    executor = opened()
    for name in ("first", "second"):
        executor.submit(job(name), address="standins:echo")
        assert finish(executor, 1)[name].failure is None
        os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)


def test_a_fork_server_that_is_killed_while_it_loads_is_started_again(tmp_path, monkeypatch):
    """The first one kills itself while it loads, and the second one does not."""
    (tmp_path / "loads_badly.py").write_text(
        f"import os, pathlib\nmark = pathlib.Path({str(tmp_path / 'mark')!r})\n"
        "if not mark.exists():\n    mark.touch()\n    os.kill(os.getpid(), 9)\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    local.end_server()
    executor = LocalExecutor(devices=[None], memory=None, deadline=30.0, preload=["loads_badly"], pins={})
    executor.submit(job("a"), address="standins:echo")
    assert finish(executor, 1)["a"].failure is None
    assert (tmp_path / "mark").exists()
    executor.close()
    local.end_server()


def test_a_fork_server_that_never_loads_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "never_loads.py").write_text("import os\nos.kill(os.getpid(), 9)\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    local.end_server()
    executor = LocalExecutor(devices=[None], memory=None, deadline=30.0, preload=["never_loads"], pins={})
    with pytest.raises(RunError, match="ended 3 times"):
        executor.submit(job("a"), address="standins:echo")
    executor.close()


SUSPENDED = """
import os, sys, time
sys.path[:0] = ["{tests}", "{here}"]
from realitycheck.executors.local import LocalExecutor
from realitycheck.executors.base import Job
if __name__ == "__main__":
    executor = LocalExecutor(devices=[None], memory=None, deadline=60.0, preload=(), pins={{}})
    executor.submit(Job("run", "a", "g", "a", {{}}), address="standins:hang")
    print(executor._children[0].group, flush=True)
    executor.wait(seconds=60)
"""


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def becomes(pid: int, states: str) -> bool:
    end = time.monotonic() + 10
    while state_of(pid) not in states and time.monotonic() < end:
        time.sleep(0.02)
    return state_of(pid) in states


def test_ctrl_z_stops_the_jobs_and_fg_lets_them_continue(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(SUSPENDED.format(tests=HERE.parent, here=HERE))
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGTSTP)
        assert becomes(parent.pid, "T") and becomes(child, "T")
        parent.send_signal(signal.SIGCONT)
        assert becomes(child, "SR")
        parent.kill()
    assert gone(child)


def test_every_poison_is_used():
    used = Path(__file__).read_text()
    names = [name for name, value in vars(poisons).items() if getattr(value, "__module__", "") == "poisons"]
    assert [name for name in names if f'"{name}"' not in used and f":{name}" not in used] == []
