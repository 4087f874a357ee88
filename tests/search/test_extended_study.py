"""More trials and more seeds extend a study; what it did before stays, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_study import PROTOCOL, write_study
from stand_in_run import SEARCHED, whole

from realitycheck.canonical import canonical_json
from realitycheck.protocol.read import read_study
from realitycheck.records.ledger import Ledger
from realitycheck.records.registration import Registration
from realitycheck.records.schema import Opening, Proposal, Run, of_type
from realitycheck.report.late import changed_claims, exploratory
from realitycheck.runs import Stage
from realitycheck.verbs.report import study_evidence

TRIALS = "sampler: random, trials: 3, startup_trials: 2"
LABELS = {"contrastive", "triplet", "normalized_softmax"}


def finished(home: Path, protocol: str) -> Ledger:
    """The ledger of a study after its run, with stand-ins for training."""
    return Ledger(whole(write_study(home, protocol=protocol), jobs=SEARCHED).parent / "small")


def texts(ledger: Ledger) -> dict[str, str]:
    """Id → body of every record but the openings and the registration, which hold the numbers of trials and seeds."""
    records = ledger.records.items()
    return {
        name: canonical_json(record.to_json())
        for name, record in records
        if not isinstance(record, Opening | Registration)
    }


def of_trials(sampler: str, trials: int) -> str:
    startup = 0 if sampler in ("qmc", "random") else 2
    return PROTOCOL.replace(TRIALS, f"sampler: {sampler}, trials: {trials}, startup_trials: {startup}")


@pytest.mark.parametrize("sampler", ["gp", "qmc", "random", "tpe"])
def test_more_trials_extend_a_search(sampler, tmp_path):
    first = texts(finished(tmp_path / "extended", of_trials(sampler, 4)))
    extended = finished(tmp_path / "extended", of_trials(sampler, 6))
    fresh = finished(tmp_path / "fresh", of_trials(sampler, 6))
    assert len(of_type(fresh.records.values(), Proposal)) == 3 * 6
    assert first.items() <= texts(extended).items()
    assert texts(fresh).items() <= texts(extended).items()
    # The one difference: what was retrained for settings that six trials do not choose.
    searched = {run.id for run in of_type(extended.records.values(), Run) if run.spec.stage is Stage.SEARCH}
    assert searched <= texts(fresh).keys()


def test_fewer_trials_are_the_first_ones(tmp_path):
    finished(tmp_path / "lowered", of_trials("random", 6))
    lowered = finished(tmp_path / "lowered", of_trials("random", 4))
    fresh = finished(tmp_path / "fresh", of_trials("random", 4))
    assert len(of_type(lowered.records.values(), Proposal)) == 3 * 6
    assert texts(fresh).items() <= texts(lowered).items()
    (evidence,) = study_evidence(read_study(tmp_path / "lowered" / "studies" / "small.yaml"), lowered)
    assert {len(loss.trials) for loss in evidence.losses} == {4}


def test_an_extended_study_is_a_later_plan(tmp_path):
    finished(tmp_path, of_trials("random", 4))
    ledger = finished(tmp_path, of_trials("random", 6))
    (evidence,) = study_evidence(read_study(tmp_path / "studies" / "small.yaml"), ledger)
    assert [(opening.number, opening.claims["trials"]) for opening in evidence.openings] == [(0, 4), (1, 6)]
    assert changed_claims(evidence) == {"trials"}
    assert exploratory(evidence) == LABELS


@pytest.mark.parametrize("searches", [1, 2])
def test_more_seeds_add_replicates(searches, tmp_path):
    protocol = PROTOCOL.replace("trials: 3,", f"searches: {searches}, trials: 3,")
    first = texts(finished(tmp_path / "extended", protocol))
    extended = finished(tmp_path / "extended", protocol.replace("seeds: 2,", "seeds: 4,"))
    fresh = finished(tmp_path / "fresh", protocol.replace("seeds: 2,", "seeds: 4,"))
    assert first.items() <= texts(extended).items()
    assert texts(fresh) == texts(extended)
    assert len(of_type(extended.records.values(), Opening)) == 2
