"""A full disk in a job ends the study with a sentence; it is no attempt, and the next `run` or `work` goes on."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
import standins
from small_study import write_study
from test_campaign import Watched, carry_out, go, notes, records
from test_earlier_failures import join

from realitycheck.atomic import storage_errors
from realitycheck.errors import StorageError
from realitycheck.executors.base import Finished
from realitycheck.records.schema import Run, of_type

pytestmark = pytest.mark.usefixtures("no_pause")

FRAGMENT = "triplet: trial 2/3, fold 1/2"
SENTENCE = "/cache/weights/a: No space left on device. Free some space."


def refuse(number: int):
    def verb(payload, *, tell):
        with storage_errors(Path("/cache/weights/a")):
            raise OSError(number, os.strerror(number))

    return verb


@pytest.fixture
def full(monkeypatch):
    """Jobs that are broken find a full disk."""
    monkeypatch.setattr(standins, "fail", refuse(errno.ENOSPC))


def test_a_full_disk_ends_the_study_with_its_sentence_and_is_no_attempt(study_path, tmp_path, full):
    executor = Watched(broken=FRAGMENT, before=lambda job: None)
    for _ in range(4):
        with pytest.raises(StorageError) as caught:
            go(study_path, executor, ())
        assert str(caught.value) == SENTENCE
        assert executor.closed
    assert sum(FRAGMENT in job.title for job in executor.asked) == 4
    assert not notes(study_path, "failed") and not notes(study_path, "given-up")
    assert list((study_path.parent / "small" / "leases").iterdir()) == []
    result, _ = join(study_path, again=False)
    assert not result.left and not result.set_aside
    other = write_study(tmp_path / "unbroken")
    carry_out(other)
    assert records(other) == records(study_path)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EFBIG])
def test_files_that_a_job_itself_holds_open_or_may_not_write_are_an_attempt(study_path, monkeypatch, number):
    monkeypatch.setattr(standins, "fail", refuse(number))
    result, _ = carry_out(study_path, broken=FRAGMENT)
    assert [aside.jobs for aside in result.set_aside] == [1]
    assert [note["attempt"] for note in notes(study_path, "failed")] == [1, 2, 3]


class Both(Watched):
    """Takes two jobs, and returns both at once."""

    @property
    def free(self) -> int:
        return 2 - len(self._waiting)

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        return [one for _ in range(len(self._waiting)) for one in super(Both, self).wait(seconds=seconds)]


def test_what_comes_back_with_it_is_recorded(study_path, full):
    executor = Both(broken="triplet: trial 1/3, fold 1/2", before=lambda job: None)
    with pytest.raises(StorageError):
        go(study_path, executor, ())
    refused, other = sorted(executor.asked[-2:], key=lambda job: "triplet: trial 1/3, fold 1/2" not in job.title)
    assert (refused.kind, other.kind) == ("run", "run")
    done = {run.id for run in of_type(records(study_path).values(), Run)}
    assert other.id in done and refused.id not in done
