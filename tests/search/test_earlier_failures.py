"""Jobs that earlier workers gave up: a worker that joins later leaves them, unless it is asked to try again."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_study import write_study
from stand_in_run import STAND_INS
from test_campaign import Watched, carry_out, notes, records

from realitycheck import verbs
from realitycheck.protocol.read import read_study
from realitycheck.search.attempts import earlier_failures

pytestmark = pytest.mark.usefixtures("no_pause")

FRAGMENT = "triplet: trial 2/3, fold 1/2"


def join(study: Path, *, again: bool, broken: str = "") -> tuple[verbs.StudyResult, list[str]]:
    """A worker that comes after all others have left; its result, and the titles of its jobs."""
    executor = Watched(broken=broken, before=lambda job: None)
    result = verbs.carry_out(
        read_study(study),
        executor=executor,
        device="cpu",
        reuse=(),
        watch=lambda standings, running: None,
        verbs=STAND_INS,
        again=again,
    )
    return result, [job.title for job in executor.asked]


def test_a_worker_that_joins_later_leaves_what_was_given_up(study_path):
    carry_out(study_path, broken=FRAGMENT)
    for _ in range(2):
        result, asked = join(study_path, again=False)
        assert asked == []
        assert [(aside.group, aside.jobs) for aside in result.set_aside] == [("pictures/triplet", 1)]
        (left,) = result.left
        assert FRAGMENT in left and "the disk is on fire" in left
        assert result.left_over == ()
    assert len(notes(study_path, "failed")) == 3


def test_it_is_tried_again_on_request(study_path, tmp_path):
    carry_out(study_path, broken=FRAGMENT)
    result, asked = join(study_path, again=True)
    assert not result.left and any(FRAGMENT in title for title in asked)
    other = write_study(tmp_path / "unbroken")
    carry_out(other)
    assert records(other).keys() == records(study_path).keys()
    _, asked = join(study_path, again=False)
    assert asked == []


class Leaves(Watched):
    """Leaves after so many jobs that failed."""

    failures = 0

    def wait(self, *, seconds):
        back = super().wait(seconds=seconds)
        self.failures += sum(job.failure is not None for job in back)
        if self.failures == 3:
            raise KeyboardInterrupt
        return back


def test_failures_of_earlier_workers_count(study_path):
    """The first worker leaves when its third failure has come back, before it is noted: two are."""
    executor = Leaves(broken=FRAGMENT, before=lambda job: None)
    with pytest.raises(KeyboardInterrupt):
        verbs.carry_out(
            read_study(study_path),
            executor=executor,
            device="cpu",
            reuse=(),
            watch=lambda standings, running: None,
            verbs=STAND_INS,
        )
    assert len(notes(study_path, "failed")) == 2
    result, asked = join(study_path, again=False, broken=FRAGMENT)
    assert sum(FRAGMENT in title for title in asked) == 1
    assert len(result.left) == 1


def note(kind: str, job: str, *, attempt: int = 0, reason: str = "OSError: no") -> dict[str, object]:
    return {"kind": kind, "id": job, "title": "a job", "attempt": attempt, "reason": reason}


def test_what_notes_say_of_failures():
    memory = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB"
    earlier = earlier_failures(
        [
            {"kind": "started", "title": "versions"},
            *(note("failed", "three", attempt=number) for number in (1, 2, 3)),
            *(note("failed", "tried anew", attempt=number) for number in (1, 2, 3, 1)),
            *(note("failed", "done", attempt=number) for number in (1, 2, 3)),
            note("done", "done"),
            *(note("failed", "memory", attempt=number, reason=memory) for number in (1, 2)),
            note("failed", "crowded", attempt=1, reason=memory),
        ]
    )
    assert earlier.failures.counts == {"three": 3, "tried anew": 1, "memory": 2, "crowded": 1}
    assert earlier.failures.crowded == {"memory", "crowded"}
    assert set(earlier.given_up) == {"three", "memory"}
    assert "20.00 GiB" in earlier.given_up["memory"]
