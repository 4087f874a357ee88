"""A loss whose jobs are given up is FAILED; the others are scored, and it is late if it is completed after that."""

from __future__ import annotations

from dataclasses import replace

import pytest
import standins
from small_study import NEAR, PROTOCOL, write_study
from test_campaign import Watched as Broken
from test_campaign import carry_out, go, records

from realitycheck import verbs
from realitycheck.errors import LedgerError
from realitycheck.executors.base import unheard
from realitycheck.protocol.read import read_study
from realitycheck.records.from_json import read_record
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Opening, of_type
from realitycheck.report import late as rules
from realitycheck.search.attempts import is_device_memory

pytestmark = pytest.mark.usefixtures("no_pause")


def page_of(study):
    written = {path.name: path for path in verbs.report_study(study)}
    return written["index.html"].read_text()


def scored(result, label):
    return [each.scores for each in result.standings if each.label == label]


def test_a_loss_that_always_fails_is_given_up_after_three_jobs(study_path):
    result, executor = carry_out(study_path, broken="triplet: trial")
    (aside,) = result.set_aside
    asked = [job for job in executor.asked if "triplet: trial" in job.title]
    assert aside.jobs == 2 and len(asked) == 6  # the two folds of its first trial; the next one follows from its value
    assert all(done > 0 for label in ("contrastive", "normalized_softmax") for done, _ in scored(result, label))


def test_a_selection_that_always_fails_keeps_no_other_loss_from_its_scores(tmp_path):
    protocol = PROTOCOL.replace("round: 1,", "round: 1, select: posterior_mean,")
    study = write_study(tmp_path / "home", protocol=protocol)
    result, executor = carry_out(study, broken="triplet: selection")
    assert [(aside.group, aside.jobs) for aside in result.set_aside] == [("pictures/triplet", 1)]
    assert sum("triplet: selection" in job.title for job in executor.asked) == 3
    assert all(done > 0 for label in ("contrastive", "normalized_softmax") for done, _ in scored(result, label))
    standing = next(each for each in verbs.study_standings(study) if each.label == "triplet")
    assert standing.raised.startswith("FAILED, selection: OSError: the disk is on fire")
    assert "FAILED" in page_of(study)
    result, _ = carry_out(study)
    assert not result.left and all(done > 0 for done, _ in scored(result, "triplet"))


def test_nothing_more_is_started_of_a_search_without_a_single_run(tmp_path):
    """Four trials of two folds may start at once; after three jobs were given up, none of the others does."""
    few, many = "trials: 3, startup_trials: 2, round: 1", "trials: 4, startup_trials: 2, round: 4"
    study = write_study(tmp_path / "home", protocol=PROTOCOL.replace(few, many))
    result, executor = carry_out(study, broken="triplet: trial")
    assert [aside.jobs for aside in result.set_aside] == [3]
    assert len([job for job in executor.asked if "triplet: trial" in job.title]) == 9


def test_status_and_report_say_failed_and_why(study_path):
    carry_out(study_path, broken="triplet: trial 2/3, fold 1/2")
    standing = next(each for each in verbs.study_standings(study_path) if each.label == "triplet")
    assert standing.raised.startswith("FAILED, trial 2/3, fold 1/2: OSError: the disk is on fire")
    assert "raise OSError" in standing.failed
    page = page_of(study_path)
    assert "FAILED" in page and "the disk is on fire" in page
    assert "Late" not in page


def test_a_loss_that_is_completed_later_joins_its_plan_and_is_late(study_path, tmp_path):
    carry_out(study_path, broken="triplet: trial 2/3, fold 1/2")
    before = records(study_path)
    result, _ = carry_out(study_path)
    assert not result.left and not result.set_aside
    after = records(study_path)
    assert len(of_type(after.values(), Opening)) == 1
    assert before.items() <= after.items()
    other = write_study(tmp_path / "unbroken")
    carry_out(other)
    whole = records(other)
    assert [after[key].kind for key in after if after[key] != whole[key]] == ["opening"]
    standing = next(each for each in verbs.study_standings(study_path) if each.label == "triplet")
    assert standing.failed == "" and "FAILED" not in standing.raised
    page = page_of(study_path)
    assert "Late, because they were set aside as FAILED at the first opening: triplet." in page
    assert "(late)" in page
    assert "Late" not in page_of(other)


def test_a_late_loss_is_not_exploratory(study_path):
    carry_out(study_path, broken="triplet: trial 2/3, fold 1/2")
    carry_out(study_path)
    read = read_study(study_path)
    (evidence,) = verbs.report.study_evidence(read, Ledger(study_path.parent / "small"))
    assert rules.late(evidence) == {"triplet"}
    assert rules.exploratory(evidence) == frozenset()


@pytest.fixture
def near_study(tmp_path):
    return write_study(tmp_path / "home", protocol=NEAR)


def test_a_replicate_that_always_fails_keeps_no_runner_up_waiting(near_study):
    result, _ = carry_out(near_study, broken="triplet/2: replicate 2/4, fold 1/2")
    assert [aside.group for aside in result.set_aside] == ["pictures/triplet/2"]
    (opening,) = of_type(records(near_study).values(), Opening)
    assert list(opening.set_aside) == ["triplet"]
    for label in ("contrastive", "normalized_softmax"):
        assert all(done > 0 for done, _ in scored(result, label))


def test_the_runners_up_of_the_others_stay_what_they_were_when_a_loss_is_late(near_study):
    carry_out(near_study, broken="triplet/2: replicate 2/4, fold 1/2")
    before = near_settings(near_study)
    result, _ = carry_out(near_study)
    assert not result.left
    after = near_settings(near_study)
    assert before == {label: near for label, near in after.items() if label != "triplet"}
    assert all(near for near in after["triplet"])


def near_settings(study):
    """Label → slots of the near-best settings of each search, where they are decided."""
    (evidence,) = verbs.report.study_evidence(read_study(study), Ledger(study.parent / "small"))
    slots = lambda loss: [[near.trial.slot for near in one.near_best] for one in loss.searches]  # noqa: E731
    found = {loss.label: slots(loss) for loss in evidence.losses}
    opening = evidence.openings[0]
    done = {loss.label for loss in evidence.losses if all(search.validated for search in loss.searches)}
    return {label: near for label, near in found.items() if label in opening.searches or label in done}


class OutOfMemory(Broken):
    """A device without memory for one run, `times` times."""

    def __init__(self, *, times: int) -> None:
        super().__init__(broken="", before=lambda job: None)
        self.times = times

    def submit(self, job, *, address):
        if "triplet: trial 1/3, fold 1/2" in job.title and self.times > 0:
            self.times -= 1
            self.broken = "triplet"
        super().submit(job, address=address)
        self.broken = ""


@pytest.fixture
def no_memory(monkeypatch):
    import torch

    def fail(payload, *, tell=unheard):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has 8.00 GiB")

    monkeypatch.setattr(standins, "fail", fail)


def test_no_memory_on_the_device_is_tried_once_more_alone(study_path, no_memory):
    executor = OutOfMemory(times=1)
    result = go(study_path, executor, ())
    assert not result.left
    alone = [job.alone for job in executor.asked if "triplet: trial 1/3, fold 1/2" in job.title]
    assert alone == [False, True]
    assert sum(job.alone for job in executor.asked) == 1
    (failed,) = [note for note in Ledger(study_path.parent / "small").notes() if note["kind"] == "failed"]
    assert is_device_memory(failed["reason"])


def test_no_memory_on_the_device_twice_is_failed_with_the_size_that_was_asked(study_path, no_memory):
    result = go(study_path, OutOfMemory(times=9), ())
    (aside,) = result.set_aside
    assert "Tried to allocate 20.00 GiB" in str(aside)
    assert result.left and all("Tried to allocate 20.00 GiB" in line for line in result.left)
    failed = [note for note in Ledger(study_path.parent / "small").notes() if note["kind"] == "failed"]
    assert [note["attempt"] for note in failed] == [1, 2]


def test_an_opening_without_a_loss_that_failed_is_read_as_it_was_written(study_path):
    carry_out(study_path, broken="triplet: trial")
    (opening,) = of_type(records(study_path).values(), Opening)
    assert list(opening.to_json()["set_aside"]) == ["triplet"]
    assert read_record(opening.to_json()) == opening


class TwoAtATime(Broken):
    """Takes two jobs, and remembers how many it had when the test half was opened."""

    at_opening: int | None = None

    @property
    def free(self) -> int:
        return 2 - len(self._waiting)


def test_the_opening_without_a_loss_waits_until_all_else_is_done(study_path, monkeypatch):
    executor, note = TwoAtATime(broken="triplet: trial 1/3, fold 1/2", before=lambda job: None), Ledger.note

    def noted(ledger, kind, content):
        if kind == "opened":
            executor.at_opening = len(executor._waiting)
        note(ledger, kind, content)

    monkeypatch.setattr(Ledger, "note", noted)
    result = go(study_path, executor, ())
    assert len(result.set_aside) == 1
    assert executor.at_opening == 0


def test_of_two_openings_of_one_plan_the_first_counts(study_path, tmp_path):
    """Another worker, for whom no loss failed, opens a moment later."""
    carry_out(study_path, broken="triplet: trial")
    (first,) = of_type(records(study_path).values(), Opening)
    whole = replace(first, searches={**first.searches, **first.set_aside}, set_aside={})
    ledger = Ledger(study_path.parent / "small")
    assert not ledger.append(whole)
    assert ledger.records[first.id] == first
    with pytest.raises(LedgerError):
        ledger.append(replace(whole, number=7))
