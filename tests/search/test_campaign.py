"""The loop: failures are attempts, three of them leave a job, and what another study knows is not made again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import standins
from small_study import write_study
from test_schedule import answer

from realitycheck import verbs
from realitycheck.errors import InputError
from realitycheck.executors.base import Executor, Finished, Job
from realitycheck.protocol.parse import read_study
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Opening, Proposal, Run, Score, of_type


class Inline(Executor):
    """Answers in the caller's thread; jobs in `broken` (a fragment of their titles) always fail."""

    def __init__(self, cache: Path, *, broken: str, before: Callable[[Job], None]) -> None:
        self.cache, self.broken, self.before = cache, broken, before
        self.pending: list[Job] = []
        self.asked: list[Job] = []
        self.closed = False

    @property
    def free(self) -> int:
        return 1 - len(self.pending)

    def submit(self, job: Job, *, address: str) -> None:
        assert address == f"stand-in:{job.kind}"
        self.pending.append(job)
        self.asked.append(job)

    def wait(self, *, seconds: float) -> Sequence[Finished]:
        job = self.pending.pop()
        if self.broken and self.broken in job.title:
            return [Finished(job, None, "OSError: no disk", 0.1)]
        self.before(job)
        try:
            return [Finished(job, answer(job, self.cache), None, 0.1)]
        except FileNotFoundError as error:
            return [Finished(job, None, str(error), 0.1)]

    def close(self) -> None:
        self.closed = True


def carry_out(study: Path, *, broken: str = "", reuse: Sequence[Path] = ()):
    executor = Inline(study.parent / "small" / "cache", broken=broken, before=lambda job: None)
    return go(study, executor, reuse), executor


def go(study: Path, executor: Inline, reuse: Sequence[Path]):
    result = verbs.carry_out(
        read_study(study),
        executor=executor,
        device="cpu",
        reuse=reuse,
        watch=lambda standings, running: None,
        verbs={kind: f"stand-in:{kind}" for kind in ("proposal", "run", "score")},
    )
    assert executor.closed
    return result


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(standins.time, "sleep", lambda seconds: None)


def records(study: Path) -> dict:
    return Ledger(study.parent / "small").records


def test_a_whole_study_and_nothing_left(study_path):
    result, _ = carry_out(study_path)
    assert not result.left
    assert [each.done for each in result.standings] == [each.planned for each in result.standings]


def test_three_failures_leave_a_job_and_the_study_goes_on_with_everything_else(study_path):
    result, executor = carry_out(study_path, broken="triplet: trial 2/3, fold 1/2")
    assert len(result.left) == 1
    assert "no disk" in result.left[0]
    assert sum("triplet: trial 2/3, fold 1/2" in job.title for job in executor.asked) == 3
    searched = {each.label: each.search_runs[0] for each in result.standings}
    assert searched == {"contrastive": 6, "triplet": 3, "normalized_softmax": 6}
    kinds = {record.kind for record in records(study_path).values()}
    assert "opening" not in kinds, "one search is not over, so the test half stays shut"


def test_run_again_tries_afresh_and_ends_as_if_nothing_had_happened(study_path, tmp_path):
    carry_out(study_path, broken="fold 2/2")
    result, _ = carry_out(study_path)
    assert not result.left
    other = write_study(tmp_path / "unbroken")
    carry_out(other)
    assert records(other) == records(study_path)


def test_an_accepted_failure_is_a_spent_trial(study_path):
    result, _ = carry_out(study_path, broken="triplet: trial 2/3, fold 1/2")
    run_id = result.left[0].split("(run ")[1].split(")")[0]
    assert "triplet" in verbs.accept_failed(read_study(study_path), run_id)
    result, _ = carry_out(study_path)
    assert not result.left
    spent = next(record for key, record in records(study_path).items() if key.startswith(run_id))
    assert spent.diverged
    assert "accepted" in spent.cause


def test_only_a_run_that_failed_three_times_can_be_accepted(study_path):
    carry_out(study_path, broken="triplet: trial 2/3")
    done = of_type(records(study_path).values(), Run)[0].id
    for wrong in (done, "f" * 16, ""):
        with pytest.raises(InputError, match="failed 3 times"):
            verbs.accept_failed(read_study(study_path), wrong)


def test_records_of_another_study_are_copied_by_id(study_path, tmp_path):
    carry_out(study_path)
    other = write_study(tmp_path / "other")
    result, executor = carry_out(other, reuse=[study_path.parent / "small"])
    assert executor.asked == []
    assert not result.left
    assert records(other) == records(study_path)


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
    monkeypatch.setattr(standins, "run", lambda payload: {**honest(payload), "images": {"train": 1, "val": 1}})
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
    executor = Inline(study_path.parent / "small" / "cache", broken="", before=lose)
    result = go(study_path, executor, ())
    assert not result.left
    failed = [note for note in Ledger(study_path.parent / "small").notes() if note["kind"] == "failed"]
    assert failed
