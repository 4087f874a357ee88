"""A loss whose first trials all raise one exception is set aside; any other outcome is recorded."""

from __future__ import annotations

import pytest
import standins
from small_study import PROTOCOL, write_study
from test_campaign import Watched, carry_out, go, records

from realitycheck import verbs
from realitycheck.executors.base import VerbAnswer, unheard
from realitycheck.records.ledger import Ledger
from realitycheck.records.schema import Opening, Proposal, Run, of_type
from realitycheck.runs import RunSpec, Stage

pytestmark = pytest.mark.usefixtures("no_pause")

WHOLE = standins.run


def raise_here(message: str) -> None:
    raise ValueError(message)


def raise_there(message: str) -> None:
    raise ValueError(message)


def raising(when):
    """`standins.run`, but a triplet run for which `when(spec)` names a function raises by it."""

    def run(payload, *, tell):
        spec = RunSpec.from_json(payload["spec"])
        function = when(spec) if spec.loss and spec.loss["label"] == "triplet" else None
        body = WHOLE(payload, tell=tell)
        if function is None:
            return body
        diverged = {"outcome": "diverged", "cause": standins.RAISED, "best": None, "weights": None}
        try:
            function(f"no loss at slot {spec.index}, fold {spec.fold}\nand more")
        except ValueError as error:
            return VerbAnswer(body | {key: value for key, value in diverged.items() if key in body}, error)

    return run


def of_triplet(study):
    every = records(study).values()
    runs = [run for run in of_type(every, Run) if run.spec.loss and run.spec.loss["label"] == "triplet"]
    return runs, [proposal for proposal in of_type(every, Proposal) if proposal.loss == "triplet"]


def test_three_trials_alike_set_a_loss_aside_before_a_run_is_recorded(study_path, monkeypatch):
    monkeypatch.setattr(standins, "run", raising(lambda spec: raise_here))
    result, executor = carry_out(study_path)
    assert [aside.group for aside in result.set_aside] == ["pictures/triplet"]
    assert "raise_here" in result.set_aside[0].raised.traceback
    runs, proposals = of_triplet(study_path)
    assert runs == []
    assert [proposal.slot for proposal in proposals] == [0], "later proposals follow from what is not recorded"
    assert sum("triplet: trial" in job.title for job in executor.asked) == 6
    assert all(each.done == each.planned for each in result.standings if each.label != "triplet")
    assert result.raised == ()


def test_the_others_are_scored(study_path, monkeypatch):
    monkeypatch.setattr(standins, "run", raising(lambda spec: raise_here))
    result, _ = carry_out(study_path)
    scores = {each.label: each.scores for each in result.standings}
    assert scores["triplet"][0] == 0
    assert all(done for label, (done, _) in scores.items() if label != "triplet")
    (opening,) = of_type(records(study_path).values(), Opening)
    assert set(opening.set_aside) == {"triplet"}


def test_the_status_and_the_report_name_it(study_path, monkeypatch):
    monkeypatch.setattr(standins, "run", raising(lambda spec: raise_here))
    carry_out(study_path)
    standing = next(each for each in verbs.study_standings(study_path) if each.label == "triplet")
    assert standing.raised.startswith("FAILED")
    assert "ValueError: no loss at slot 0" in standing.raised
    assert "and more" not in standing.raised
    assert "raise_here" in standing.failed
    page = {path.name: path for path in verbs.report_study(study_path)}["index.html"].read_text()
    assert "FAILED" in page
    assert "no loss at slot 0" in page


def differing(spec):
    """The last fold of the last of the first trials raises elsewhere."""
    return raise_there if (spec.index, spec.fold) == (2, 1) else raise_here


@pytest.mark.parametrize(
    "when",
    [
        differing,
        lambda spec: None if spec.stage is Stage.SEARCH and (spec.index, spec.fold) == (1, 0) else raise_here,
        lambda spec: raise_here if spec.stage is Stage.SEARCH and spec.index < 2 else None,
    ],
)
def test_one_outcome_that_differs_and_all_are_recorded(study_path, monkeypatch, when):
    monkeypatch.setattr(standins, "run", raising(when))
    result, _ = carry_out(study_path)
    assert result.set_aside == ()
    runs, proposals = of_triplet(study_path)
    searched = [run for run in runs if run.spec.stage is Stage.SEARCH]
    assert len(proposals) == 3
    assert len(searched) == 6
    for run in searched:
        assert run.diverged == (
            when(run.spec) is not None
            or WHOLE(
                {"spec": run.spec.to_json(), "place": {"cache": str(study_path.parent)}, "keep": False}, tell=unheard
            )["outcome"]
            == "diverged"
        )
    assert result.raised


def test_every_trial_diverged_is_said(study_path, monkeypatch):
    monkeypatch.setattr(standins, "run", raising(differing))
    result, _ = carry_out(study_path)
    assert [each.label for each in result.standings if each.all_diverged] == ["triplet"]
    standing = next(each for each in verbs.study_standings(study_path) if each.label == "triplet")
    assert standing.raised.startswith("6 runs raised an exception")
    assert standing.failed == ""


def test_run_again_tries_afresh_and_ends_as_if_nothing_had_happened(study_path, tmp_path, monkeypatch):
    monkeypatch.setattr(standins, "run", raising(lambda spec: raise_here))
    carry_out(study_path)
    monkeypatch.setattr(standins, "run", WHOLE)
    result, _ = carry_out(study_path)
    assert result.set_aside == ()
    assert not [each for each in verbs.study_standings(study_path) if each.failed]
    other = write_study(tmp_path / "unbroken")
    carry_out(other)
    whole, mine = records(other), records(study_path)
    assert whole.keys() == mine.keys()
    assert [mine[key].kind for key in mine if mine[key] != whole[key]] == ["opening"], "the loss is late there"


def test_a_first_trial_that_a_machine_loses_decides_too(study_path, monkeypatch):
    monkeypatch.setattr(standins, "run", raising(lambda spec: raise_here))
    result, _ = carry_out(study_path, broken="triplet: trial 1/3, fold 2/2")
    assert [aside.jobs for aside in result.set_aside] == [1]
    assert len(result.left) == 1
    runs, _ = of_triplet(study_path)
    assert [run.spec.fold for run in runs] == [0]
    assert Ledger(study_path.parent / "small").notes()


class Wide(Watched):
    """Takes many jobs at once, and carries the latest out first: all proposals of a round before its runs."""

    @property
    def free(self) -> int:
        return 40 - len(self._waiting)

    def wait(self, *, seconds):
        self._waiting.rotate(1)
        return super().wait(seconds=seconds)


def test_later_trials_of_a_round_wait_for_the_decision(tmp_path, monkeypatch):
    wide = PROTOCOL.replace("trials: 3, startup_trials: 2, round: 1", "trials: 5, startup_trials: 5, round: 5")
    study = write_study(tmp_path, protocol=wide)
    monkeypatch.setattr(standins, "run", raising(lambda spec: raise_here if spec.index < 3 else None))
    executor = Wide(broken="", before=lambda job: None)
    result = go(study, executor, ())
    assert [aside.group for aside in result.set_aside] == ["pictures/triplet"]
    asked = [job.title for job in executor.asked if "triplet: trial" in job.title]
    assert len(asked) == 6
    assert not [title for title in asked if "trial 4/5" in title or "trial 5/5" in title]
