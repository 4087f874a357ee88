"""Several processes on one study, one of them killed: the ledger and the report of one worker, byte for byte."""

from __future__ import annotations

import signal

from small_study import write_study
from test_resume import evidence, finish, start


def test_three_workers_of_which_one_is_killed_are_as_one(tmp_path):
    alone = write_study(tmp_path / "alone")
    finish(alone, 1)
    study = write_study(tmp_path / "together")
    workers = [start(study, 1) for _ in range(3)]
    for _ in range(4):
        workers[0].stdout.readline()
    workers[0].send_signal(signal.SIGKILL)
    for worker in workers:
        with worker:
            worker.communicate()
    assert [worker.returncode for worker in workers] == [-signal.SIGKILL, 0, 0]
    found, expected = evidence(study), evidence(alone)
    assert sorted(found) == sorted(expected)
    assert [name for name in found if found[name] != expected[name]] == []
    assert not list((study.parent / "small" / "leases").glob("*.json")), "those of the killed one were taken over"
