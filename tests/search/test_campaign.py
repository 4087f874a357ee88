"""The loop: failures are attempts, three of them leave a job, and what another study knows is not made again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import stand_in_run
import standins
from small_study import write_study

from realitycheck.executors.base import Finished, Job
from realitycheck.executors.inline import InlineExecutor
from realitycheck.records.ledger import Ledger
from realitycheck.records.registration import Registration
from realitycheck.records.schema import Opening, Proposal, Run, Score, of_type

pytestmark = pytest.mark.usefixtures("no_pause")


class Watched(InlineExecutor):
    """Remembers what it was asked; jobs in `broken` (a fragment of their titles) always fail."""

    def __init__(self, *, broken: str, before: Callable[[Job], None]) -> None:
        super().__init__(device=None)
        self.broken, self.before = broken, before
        self.asked: list[Job] = []
        self.closed = False

    def submit(self, job: Job, *, address: str) -> None:
        self.asked.append(job)
        super().submit(job, address="standins:fail" if self.broken and self.broken in job.title else address)

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        self.before(self.asked[-1])
        return super().wait(seconds=seconds)

    def close(self) -> None:
        super().close()
        self.closed = True


def carry_out(study: Path, *, broken: str = "", reuse: Sequence[Path] = ()):
    executor = Watched(broken=broken, before=lambda job: None)
    return go(study, executor, reuse), executor


def go(study: Path, executor: Watched, reuse: Sequence[Path]):
    result = stand_in_run.carry_out(study, executor=executor, reuse=tuple(reuse))
    assert executor.closed
    return result


def records(study: Path) -> dict:
    return Ledger(study.parent / "small").records


def test_a_whole_study_and_nothing_left(study_path):
    result, _ = carry_out(study_path)
    assert not result.left
    assert [each.done for each in result.standings] == [each.planned for each in result.standings]


def test_three_failures_give_a_job_up_and_the_test_half_opens_for_the_other_losses(study_path):
    result, executor = carry_out(study_path, broken="triplet: trial 2/3, fold 1/2")
    assert len(result.left) == 1
    assert "the disk is on fire" in result.left[0]
    assert result.left_over == ()
    (aside,) = result.set_aside
    assert (aside.group, aside.jobs) == ("pictures/triplet", 1)
    assert "trial 2/3, fold 1/2" in aside.raised.reason and "raise OSError" in aside.raised.traceback
    assert sum("triplet: trial 2/3, fold 1/2" in job.title for job in executor.asked) == 3
    searched = {each.label: each.search_runs[0] for each in result.standings}
    assert searched == {"contrastive": 6, "triplet": 3, "normalized_softmax": 6}
    scores = {each.label: each.scores for each in result.standings}
    assert scores["triplet"][0] == 0
    assert all(done > 0 for label, (done, _) in scores.items() if label != "triplet")
    (opening,) = of_type(records(study_path).values(), Opening)
    assert sorted(opening.searches) == ["contrastive", "normalized_softmax"]
    assert list(opening.set_aside) == ["triplet"]


def test_run_again_tries_afresh_and_ends_as_if_nothing_had_happened(study_path, tmp_path):
    result, _ = carry_out(study_path, broken="fold 2/2")
    assert len(result.set_aside) == 3
    assert not of_type(records(study_path).values(), Opening), "no loss is left for which it could open"
    result, _ = carry_out(study_path)
    assert not result.left and not result.set_aside
    other = write_study(tmp_path / "unbroken")
    carry_out(other)
    assert records(other) == records(study_path)


def test_records_of_another_study_are_copied_by_id(study_path, tmp_path):
    carry_out(study_path)
    other = write_study(tmp_path / "other")
    result, executor = carry_out(other, reuse=[study_path.parent / "small"])
    assert executor.asked == []
    assert not result.left
    first, second = records(study_path), records(other)
    (registration,) = of_type(second.values(), Registration)
    assert registration.openings == {"pictures": 1}  # that of the other study, whose scores are copied
    assert second == first | {registration.id: registration}


def test_reuse_pays_only_for_what_is_new(study_path, tmp_path):
    carry_out(study_path)
    text = study_path.read_text().replace("triplet: {}", "triplet: {space: {margin: 0.3}}")
    other = write_study(tmp_path / "other", study=text)
    _, executor = carry_out(other, reuse=[study_path.parent / "small"])
    assert executor.asked
    assert all("triplet" in job.title for job in executor.asked if job.kind != "score")


def test_a_record_that_comes_twice_and_differs_is_an_alarm_and_its_model_is_not_scored(study_path, monkeypatch):
    carry_out(study_path)
    ledger = Ledger(study_path.parent / "small")
    score = next(score for score in of_type(ledger.records.values(), Score) if len(score.spec.models) > 1)
    (study_path.parent / "small" / "ledger" / "score" / f"{score.id}.json").unlink()
    honest = standins.run
    monkeypatch.setattr(
        standins, "run", lambda payload, tell: {**honest(payload, tell=tell), "images": {"train": 1, "val": 1}}
    )
    result, executor = carry_out(study_path)
    assert len(result.alarms) == len(result.left) == len(score.spec.models)
    assert not [job for job in executor.asked if job.kind == "score"]
    assert score.id not in records(study_path)


def test_reused_runs_bring_no_weights_and_are_made_again_where_a_score_needs_them(study_path, tmp_path):
    carry_out(study_path)
    for path in (study_path.parent / "small" / "ledger" / "score").iterdir():
        path.unlink()
    other = write_study(tmp_path / "other")
    result, executor = carry_out(other, reuse=[study_path.parent / "small"])
    assert not result.left
    assert {job.kind for job in executor.asked} == {"run", "score"}


def test_an_earlier_opening_of_a_reused_study_is_counted(study_path, tmp_path):
    carry_out(study_path)
    text = study_path.read_text().replace("triplet: {}", "triplet: {space: {margin: 0.3}}")
    other = write_study(tmp_path / "other", study=text)
    carry_out(other, reuse=[study_path.parent / "small"])
    assert sorted(opening.number for opening in of_type(records(other).values(), Opening)) == [0, 1]


def test_a_removed_proposal_is_made_again_as_it_was(study_path):
    carry_out(study_path)
    before = records(study_path)
    middle = next(proposal for proposal in of_type(before.values(), Proposal) if proposal.slot == 1)
    (study_path.parent / "small" / "ledger" / "proposal" / f"{middle.id}.json").unlink()
    result, _ = carry_out(study_path)
    assert not result.left
    assert records(study_path) == before


def test_weights_lost_while_the_study_runs_are_made_again(study_path):
    def lose(job):
        if job.kind == "score" and lose.times < 1:
            lose.times += 1
            for path in (study_path.parent / "small" / "cache" / "weights").iterdir():
                path.unlink()

    lose.times = 0
    executor = Watched(broken="", before=lose)
    result = go(study_path, executor, ())
    assert not result.left
    failed = [note for note in Ledger(study_path.parent / "small").notes() if note["kind"] == "failed"]
    assert failed


class Losing(Watched):
    """Loses the node of jobs that are broken, after a checkpoint each time; after five losses it loses none."""

    losses = 0

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        back = [replace(one, advanced=one.body is None) for one in super().wait(seconds=seconds)]
        self.losses += sum(one.advanced for one in back)
        self.broken = self.broken if self.losses < 5 else ""
        return back


def test_a_node_that_is_lost_after_a_checkpoint_is_noted_and_is_no_attempt(study_path):
    executor = Losing(broken="triplet: trial 2/3, fold 1/2", before=lambda job: None)
    result = go(study_path, executor, ())
    assert not result.left and executor.losses == 5
    assert [note["attempt"] for note in notes(study_path, "failed")] == [0] * 5


def notes(study: Path, kind: str) -> list[dict]:
    return [note for note in Ledger(study.parent / "small").notes() if note["kind"] == kind]


def test_a_failed_attempt_keeps_its_traceback(study_path):
    carry_out(study_path, broken="triplet: trial 2/3, fold 1/2")
    failed = notes(study_path, "failed")
    assert [note["attempt"] for note in failed] == [1, 2, 3]
    assert all("OSError: the disk is on fire" in note["reason"] for note in failed)
    assert all('raise OSError("the disk is on fire")' in note["traceback"] for note in failed)


def test_what_a_loss_raised_is_kept_beside_its_record(study_path, monkeypatch):
    """The record has the bytes that it has without the exception; message and traceback are in a note of its own."""
    monkeypatch.setattr(standins, "run", standins.raising)
    result, _ = carry_out(study_path)
    diverged = [run for run in of_type(records(study_path).values(), Run) if run.cause == standins.RAISED]
    assert {note["id"] for note in notes(study_path, "diverged")} == {run.id for run in diverged} != set()
    for note in notes(study_path, "diverged"):
        assert "ValueError: no loss at seed" in note["reason"]
        assert "raise ValueError" in note["traceback"]
    assert not notes(study_path, "failed")
    (only,) = result.raised  # each message has its own number, but they come from one place
    assert only.startswith("Traceback") and "raise ValueError" in only


class Rogue(Watched):
    """An executor of somebody who has not read the contract: it spoils what comes back of the first run."""

    def __init__(self, spoil: Callable[[Finished], Finished]) -> None:
        super().__init__(broken="", before=lambda job: None)
        self.spoil = spoil
        self.spoiled = 0

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        (finished,) = super().wait(seconds=seconds)
        if finished.job.kind != "run" or self.spoiled:
            return [finished]
        self.spoiled += 1
        return [self.spoil(finished)]


def of_body(**changes: object) -> Callable[[Finished], Finished]:
    return lambda finished: replace(finished, body={**finished.body, **changes})


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (of_body(training=[{"iteration": 0, "loss": float("nan")}]), "the answer is no record: Out of range float"),
        (of_body(cause="caf\udce9"), "the answer is no record: "),
        (of_body(cause={1, 2}), "the answer is no record: "),
        (of_body(id="f" * 64), "the answer is no record: "),
        (of_body(kind="score"), "the answer is no record: "),
        (lambda finished: replace(finished, body={}), "the answer is no record: "),
        (lambda finished: replace(finished, body=[]), "the answer is no record: "),
        (lambda finished: replace(finished, body=None, failure="no file caf\udce9.jpg"), "no file caf?.jpg"),
    ],
    ids=["NaN", "no UTF-8", "no JSON", "another id", "another kind", "nothing", "a list", "a message that is no UTF-8"],
)
def test_a_bad_answer_is_a_failed_attempt_and_the_study_goes_on(study_path, tmp_path, spoil, says):
    executor = Rogue(spoil)
    result = go(study_path, executor, ())
    assert not result.left and executor.spoiled == 1
    (failed,) = notes(study_path, "failed")
    assert failed["reason"].startswith(says)
    other = write_study(tmp_path / "unspoiled")
    carry_out(other)
    assert records(other) == records(study_path)


def test_the_record_of_another_job_is_a_failed_attempt(study_path):
    """Both are sound; the ledger would take either."""
    earlier = []

    def mix_up(finished: Finished) -> Finished:
        return replace(finished, body=earlier[0])

    class MixedUp(Rogue):
        def wait(self, *, seconds: float) -> Sequence[Finished]:
            (finished,) = super().wait(seconds=seconds)
            earlier.append(finished.body)
            return [finished]

    result = go(study_path, MixedUp(mix_up), ())
    assert not result.left
    (failed,) = notes(study_path, "failed")
    assert failed["reason"].startswith("the answer is another record: proposal ")
