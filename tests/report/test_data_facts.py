"""Facts of the data and the runs."""

from __future__ import annotations

from dataclasses import replace

from made_records import UNSEARCHED, with_search
from pages import found_in

from realitycheck.plan.cost import Trainings
from realitycheck.report.sections import data_facts
from realitycheck.report.sections.data_facts import fact_lines


def facts_of(study, dataset):
    return found_in(study, dataset, data_facts.SECTION)


def test_data_facts(study, dataset):
    # Three losses: six trials and four replicates of four folds each, and four complete runs.
    facts = facts_of(study, dataset)
    assert facts.trainings == Trainings(search=72, folds=48, complete=12, runners_up=12)
    assert (facts.images, facts.train, facts.val) == (120, (90, 90), (30, 30))
    assert (facts.queries, facts.classes, facts.singletons) == (120, 6, 3)
    lines = dict(fact_lines(facts))
    assert list(lines) == ["Trainval half", "Test half", "Trainings"]
    assert "3 singletons" in lines["Test half"]
    assert lines["Trainings"] == "132: 72 of searches, 48 final fold runs, 12 complete runs"


def test_folds_of_unequal_size(study, dataset):
    facts = replace(facts_of(study, dataset), images=17200, train=(12880, 12900), val=(4300, 4320), singletons=0)
    lines = dict(fact_lines(facts))
    assert "17,200 images; a fold run trains on 12,880 to 12,900 of them" in lines["Trainval half"]
    assert "singleton" not in lines["Test half"]


def test_a_study_before_its_first_run(study, dataset):
    bare = replace(dataset, losses=tuple(with_search(loss, **UNSEARCHED) for loss in dataset.losses))
    assert [term for term, _ in fact_lines(facts_of(study, bare))] == ["Trainings"]
    assert facts_of(study, bare).trainings.total == 0
