"""The contract of an executor as tests."""

from __future__ import annotations

import contextlib
import time
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path

from realitycheck.executors.base import Executor, Finished, Job

JOBS = "realitycheck.testing.contract_jobs"
"""The functions that the executors are given."""


class ExecutorContract:
    """Tests of the interface `executors.base.Executor`.

    Jobs may run in other processes and on other machines, but on this file system.

    Attributes:
        patience: seconds within which an executor must return a job that takes no time.
        isolated: whether a job has a process of its own, which it may end; False for one like `inline`.
    """

    patience = 120.0
    isolated = True

    @abstractmethod
    def make(self, *, deadline: float) -> Executor:
        """Return a new executor that can import `JOBS`; the test closes it.

        Args:
            deadline: seconds without a report of progress after which a job counts as hanging. One that is not
                isolated cannot heed it.
        """

    def run(self, name: str, **payload: object) -> Finished:
        """Run a function of this module on a new executor."""
        with self.opened() as executor:
            executor.submit(_job("a", **payload), address=f"{JOBS}:{name}")
            (finished,) = self.wait(executor, count=1)
            return finished

    def wait(self, executor: Executor, *, count: int) -> list[Finished]:
        """Wait until `count` jobs have finished."""
        finished: list[Finished] = []
        end = time.monotonic() + self.patience
        while len(finished) < count and time.monotonic() < end:
            finished += executor.wait(seconds=1.0)
        assert len(finished) == count, f"{len(finished)} of {count} jobs finished within {self.patience} s"
        return finished

    @contextlib.contextmanager
    def opened(self, *, deadline: float = 600.0) -> Iterator[Executor]:
        """Open a new executor and close it at the end."""
        executor = self.make(deadline=deadline)
        try:
            yield executor
        finally:
            executor.close()

    def test_returns_the_body_of_a_function(self) -> None:
        """Payload and body are plain JSON, and there is no failure."""
        payload = {"numbers": [1, 2.5, -0.0, 1e-300, None, True], "text": "naïve ☃", "nested": {"a": [{}]}}
        finished = self.run("echo", **payload)
        assert finished.job == _job("a", **payload)
        assert finished.body == {"payload": payload}
        assert (finished.failure, finished.traceback) == (None, None)
        assert finished.seconds >= 0

    def test_a_function_gets_a_copy_of_the_payload(self) -> None:
        """Changes by the function do not affect the caller's payload."""
        finished = self.run("change", kept=[1])
        assert finished.body == {"payload": {"kept": [1]}}
        assert finished.job.payload == {"kept": [1]}

    def test_accepts_as_many_jobs_as_are_free(self) -> None:
        """`free` decreases with each job and increases again, and every job finishes once."""
        with self.opened() as executor:
            room = executor.free
            assert room >= 1
            for number in range(room):
                assert executor.free == room - number
                executor.submit(_job(str(number)), address=f"{JOBS}:echo")
            assert executor.free == 0
            names = sorted(finished.job.id for finished in self.wait(executor, count=room))
            assert names == sorted(str(number) for number in range(room))
            assert executor.free == room

    def test_a_failure_has_message_and_traceback(self) -> None:
        """A failure holds the exception in one line, and the whole traceback."""
        finished = self.run("fail", text="the disk is on fire")
        assert finished.body is None
        assert finished.failure is not None and "OSError: the disk is on fire" in finished.failure
        assert finished.traceback is not None and finished.traceback.startswith("Traceback")
        assert 'raise OSError(payload["text"])' in finished.traceback

    def test_continues_after_a_failure(self) -> None:
        """A failure does not affect the next job."""
        with self.opened() as executor:
            for name in ("fail", "echo"):
                executor.submit(_job(name, text="x"), address=f"{JOBS}:{name}")
                (finished,) = self.wait(executor, count=1)
                assert (finished.job.id, finished.body is None) == (name, name == "fail")

    def test_a_record_can_be_the_outcome_of_an_exception(self) -> None:
        """A finished job can have a body, a message and a traceback."""
        finished = self.run("diverge", text="the loss is not defined")
        assert finished.body == {"payload": {"text": "the loss is not defined"}}
        assert finished.failure is not None and "OSError: the loss is not defined" in finished.failure
        assert finished.traceback is not None and 'raise OSError(payload["text"])' in finished.traceback

    def test_a_message_is_text_that_can_be_written(self) -> None:
        """Messages can be encoded, even if an error names a file by bytes that are not UTF-8."""
        finished = self.run("fail_by_bytes")
        assert finished.failure is not None and "caf" in finished.failure.encode().decode()
        assert finished.traceback is not None and "caf" in finished.traceback.encode().decode()

    def test_an_answer_that_is_not_json_is_a_failure(self) -> None:
        """NaN and values without a JSON form cannot be recorded."""
        for name in ("answer_nan", "answer_a_set"):
            finished = self.run(name)
            assert finished.body is None, name
            assert finished.failure, name

    def test_a_function_that_exits_is_a_failure(self) -> None:
        """A plug-in that calls `sys.exit` ends its job, not the study."""
        finished = self.run("leave", text="enough")
        assert finished.body is None
        assert finished.failure

    def test_an_unknown_address_is_a_failure(self) -> None:
        """An unknown module, an unknown function and an invalid address are failures of the job."""
        for address in ("no_such_module:echo", f"{JOBS}:no_such_function", "nothing"):
            with self.opened() as executor:
                executor.submit(_job("a"), address=address)
                (finished,) = self.wait(executor, count=1)
                assert finished.body is None and finished.failure, address

    def test_waiting_without_jobs_returns(self) -> None:
        """Without jobs `wait` returns an empty result within its time."""
        with self.opened() as executor:
            start = time.monotonic()
            assert list(executor.wait(seconds=0.1)) == []
            assert time.monotonic() - start < self.patience

    def test_many_reports_do_not_disturb_an_answer(self) -> None:
        """A job may report its progress as often as it likes."""
        assert self.run("report_often", steps=100_000).body == {"done": 100_000}

    def test_progress_is_known_while_a_job_runs(self, tmp_path: Path) -> None:
        """`advances` has the last report of each running job."""
        if not self.isolated:
            return
        mark = tmp_path / "mark"
        with self.opened() as executor:
            executor.submit(_job("a", mark=str(mark)), address=f"{JOBS}:report_and_wait")
            end = time.monotonic() + self.patience
            while not executor.advances and time.monotonic() < end:
                assert not executor.wait(seconds=0.1)
            advance = executor.advances["a"]
            assert (advance.done, advance.total) == (3, 4)
            mark.touch()
            self.wait(executor, count=1)
            assert not executor.advances

    def test_a_job_that_ends_its_process_is_a_failure(self) -> None:
        """An exit, and a kill from outside; the next job is carried out."""
        if not self.isolated:
            return
        with self.opened() as executor:
            for name in ("end_the_process", "kill_the_process", "echo"):
                executor.submit(_job(name), address=f"{JOBS}:{name}")
                (finished,) = self.wait(executor, count=1)
                assert (finished.job.id, finished.body is None) == (name, name != "echo")
                assert bool(finished.failure) == (name != "echo")

    def test_a_silent_job_is_a_failure(self) -> None:
        """A job that reports nothing within the deadline is ended, and leaves room for the next one."""
        if not self.isolated:
            return
        with self.opened(deadline=1.0) as executor:
            for name in ("fall_silent", "echo"):
                executor.submit(_job(name), address=f"{JOBS}:{name}")
                (finished,) = self.wait(executor, count=1)
                assert (finished.job.id, finished.body is None) == (name, name == "fall_silent")

    def test_a_job_can_be_submitted_again(self) -> None:
        """An attempt after a failure, and a second copy of a job that has finished, are jobs as any other."""
        with self.opened() as executor:
            bodies = []
            for name in ("fail", "echo", "echo"):
                executor.submit(_job("a", text="x"), address=f"{JOBS}:{name}")
                bodies += [finished.body for finished in self.wait(executor, count=1)]
            assert bodies == [None, {"payload": {"text": "x"}}, {"payload": {"text": "x"}}]

    def test_a_job_comes_back_once(self) -> None:
        """Further calls of `wait` do not return it again."""
        with self.opened() as executor:
            executor.submit(_job("a"), address=f"{JOBS}:echo")
            self.wait(executor, count=1)
            assert list(executor.wait(seconds=0.1)) == []

    def test_jobs_come_back_in_the_order_of_their_ends(self, tmp_path: Path) -> None:
        """A long job keeps no short one waiting, and each comes with its own answer."""
        mark = tmp_path / "mark"
        with self.opened() as executor:
            if executor.free < 2:
                return
            for name, waits in (("long", str(mark)), ("short", "")):
                executor.submit(_job(name, name=name, mark=waits), address=f"{JOBS}:wait_for")
            (first,) = self.wait(executor, count=1)
            mark.touch()
            (second,) = self.wait(executor, count=1)
            for finished, name in ((first, "short"), (second, "long")):
                assert (finished.job.id, finished.body) == (name, {"name": name})

    def test_close_cancels_all_jobs(self, tmp_path: Path) -> None:
        """A running job does not finish after `close`, and closing twice is not an error."""
        started, mark = tmp_path / "started", tmp_path / "mark"
        executor = self.make(deadline=600.0)
        executor.submit(_job("a", seconds=2.0, started=str(started), mark=str(mark)), address=f"{JOBS}:linger")
        end = time.monotonic() + self.patience
        while self.isolated and not started.exists() and time.monotonic() < end:
            assert not executor.wait(seconds=0.05)
        executor.close()
        executor.close()
        time.sleep(2.5)
        assert started.exists() == self.isolated
        assert not mark.exists()


def _job(name: str, /, **payload: object) -> Job:
    return Job(kind="run", id=name, group="group", title=f"job {name}", payload=payload)
