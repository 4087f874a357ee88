"""Whatever fails, how often and in which order: a finished search has its trials, and a loss its replicates."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from small_study import PROTOCOL, write_study
from stand_in_run import carry_out
from test_campaign import records

from realitycheck.executors.base import Finished, Job
from realitycheck.executors.inline import InlineExecutor
from realitycheck.records.schema import Proposal, Run, of_type
from realitycheck.runs import Stage

pytestmark = pytest.mark.usefixtures("no_pause")

LOSSES, SEARCHES, TRIALS, FOLDS, REPLICATES = 3, 2, 3, 2, 4
TWO = PROTOCOL.replace("trials: 3,", "searches: 2, trials: 3,").replace("seeds: 2,", "seeds: 4,")
AT_ONCE = 5


class Unreliable(InlineExecutor):
    """Takes several jobs, brings them back in any order, and loses or garbles some, each at most twice."""

    def __init__(self, draw: random.Random) -> None:
        super().__init__(device=None)
        self.draw = draw
        self.failed = Counter[str]()

    @property
    def free(self) -> int:
        return AT_ONCE - len(self._waiting)

    def submit(self, job: Job, *, address: str) -> None:
        super().submit(job, address=address)
        self.draw.shuffle(self._waiting)

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        job, _ = self._waiting[0]
        if self.draw.random() < 0.3 and self.failed[job.id] < 2:
            self._waiting.popleft()
            self.failed[job.id] += 1
            return [self.draw.choice((lost, garbled))(job)]
        return super().wait(seconds=seconds)


def lost(job: Job) -> Finished:
    return Finished(job, None, "the process ended without an answer (exit code -9, SIGKILL)", 0.1)


def garbled(job: Job) -> Finished:
    return Finished(job, {"kind": "run", "id": job.id}, None, 0.1)


@pytest.mark.parametrize("seed", range(2))
def test_exactly_the_trials_and_replicates_of_the_protocol(tmp_path, seed):
    study = write_study(tmp_path, protocol=TWO)
    executor = Unreliable(random.Random(seed))
    result = carry_out(study, executor=executor)
    assert not result.left and not result.alarms and sum(executor.failed.values()) > 20
    found = records(study).values()
    proposals = Counter((proposal.loss, proposal.search) for proposal in of_type(found, Proposal))
    assert list(proposals.values()) == [TRIALS] * LOSSES * SEARCHES
    runs = [run.spec for run in of_type(found, Run) if run.spec.loss]
    trials = Counter(spec.loss["label"] for spec in runs if spec.stage is Stage.SEARCH)
    assert list(trials.values()) == [SEARCHES * TRIALS * FOLDS] * LOSSES
    replicates = Counter((spec.loss["label"], spec.index) for spec in runs if spec.stage is Stage.FINAL)
    assert len(replicates) == LOSSES * REPLICATES
    assert set(replicates.values()) <= {FOLDS, FOLDS + 1}  # without its complete run where a fold diverged
