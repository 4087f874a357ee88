"""A study in one process: the records that child processes make, and the exceptions of a loss whole."""

from __future__ import annotations

import itertools

import pytest
import torch
from small_study import PROTOCOL, STUDY, write_study
from torch import Tensor, nn

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Run, of_type
from realitycheck.verbs.study import open_study

SHORT = PROTOCOL.replace("cap: 30, evaluate_every: 10, patience: 2", "cap: 6, evaluate_every: 3, patience: 1").replace(
    "sampler: random, trials: 3, startup_trials: 2", "sampler: gp, trials: 2, startup_trials: 1"
)
LOSSES = "losses: {contrastive: {}, triplet: {}, normalized_softmax: {}}"
TWO = STUDY.replace(LOSSES, "losses: {contrastive: {}, normalized_softmax: {}}")


KINDS = itertools.cycle((RuntimeError, ValueError))
"""Of one kind in every fold of the first trials, the loss would be set aside."""


class Undefined(nn.Module):
    """Cannot say its value from the fourth step on."""

    def __init__(self) -> None:
        super().__init__()
        self.steps, self.kind = 0, next(KINDS)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        self.steps += 1
        if self.steps > 3:
            raise self.kind(f"step {self.steps} is not defined")
        return embeddings.square().mean()


def test_it_makes_the_records_that_child_processes_make(tmp_path):
    """By the Gaussian process too, whose proposals depend on the order of sums."""
    digests = []
    for executor in ("local", "inline"):
        read = verbs.load_study(write_study(tmp_path / executor, protocol=SHORT, study=TWO))
        threads = torch.get_num_threads()
        result = verbs.run_study(read, executor=executor, device="cpu")
        torch.set_num_threads(threads)
        assert not result.left and not result.alarms
        digests.append(Ledger(read.path.parent / "small").digest)
    assert digests[0] == digests[1]


def test_a_loss_that_raises_diverges_and_its_traceback_is_whole(tmp_path):
    choice = f'{{loss: "{__name__}:Undefined", distance: cosine, family: pairs, space: {{}}}}'
    study = STUDY.replace(LOSSES, f"losses: {{contrastive: {{}}, undefined: {choice}}}")
    read = open_study(write_study(tmp_path, protocol=SHORT, study=study))
    result = verbs.run_study(read, executor="inline", device="cpu")
    ledger = Ledger(read.path.parent / "small")
    runs = [run for run in of_type(ledger.records.values(), Run) if run.spec.loss]
    diverged = [run for run in runs if run.spec.loss["label"] == "undefined"]
    causes = {f"the loss raised {kind} at iteration 3" for kind in ("RuntimeError", "ValueError")}
    assert {run.cause for run in diverged} == causes
    assert {run.id for run in runs if run.cause} == {run.id for run in diverged}
    notes = {note["id"]: note for note in ledger.notes() if note["kind"] == "diverged"}
    assert notes.keys() == {run.id for run in diverged}
    for note in notes.values():
        assert "Error: step 4 is not defined (forward, line " in note["reason"]
        assert 'raise self.kind(f"step {self.steps} is not defined")' in note["traceback"]
    assert result.raised
    assert all("step 4 is not defined" in text and "test_inline_study.py" in text for text in result.raised)


def test_an_executor_that_is_none_is_refused_before_anything_is_made(tmp_path):
    read = open_study(write_study(tmp_path))
    with pytest.raises(InputError) as caught:
        verbs.run_study(read, executor="inlin")
    (problem,) = caught.value.problems
    assert (problem.code, problem.where) == ("executor-unknown", "--executor")
    assert "'inline'" in problem.says
    assert not (tmp_path / "studies" / "small").exists()


def test_a_traceback_is_heard_as_soon_as_it_is_raised(tmp_path):
    choice = f'{{loss: "{__name__}:Undefined", distance: cosine, family: pairs, space: {{}}}}'
    study = STUDY.replace(LOSSES, f"losses: {{contrastive: {{}}, undefined: {choice}}}")
    read = open_study(write_study(tmp_path, protocol=SHORT, study=study))
    heard, standings = [], []

    class EnoughError(Exception):
        pass

    def hear(finished):
        heard.append(finished)
        raise EnoughError

    with pytest.raises(EnoughError):
        verbs.run_study(read, executor="inline", device="cpu", hear=hear, watch=lambda now, _: standings.append(now))
    (first,) = heard
    assert "raise self.kind" in first.traceback and "is not defined" in first.failure
    assert sum(standing.done for standing in standings[-1]) <= 4, "long before the end of the study"
