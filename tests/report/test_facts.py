"""Facts of the data and the runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_records import UNSEARCHED, with_search

from realitycheck.plan.cost import Trainings
from realitycheck.protocol.model import Override, Phase
from realitycheck.protocol.recipe import TrunkChoice, Weights
from realitycheck.report.facts import data_facts, fact_lines, protocol_lines
from realitycheck.report.glossary import glossary
from realitycheck.runs import Category


def test_data_facts(dataset):
    # Three losses: six trials and four replicates of four folds each, and four complete runs.
    facts = data_facts(dataset)
    assert facts.trainings == Trainings(search=72, folds=48, complete=12)
    assert (facts.images, facts.train, facts.val) == (120, (90, 90), (30, 30))
    assert (facts.queries, facts.classes, facts.singletons) == (120, 6, 3)
    assert fact_lines(facts) == [
        ("Trainval half", "120 images; a fold run trains on 90 of them and is validated on 30 of other classes"),
        (
            "Test half",
            "120 queries of 6 classes, and 3 singletons, each the only image of its class and no query; no class of "
            "the half was seen in training",
        ),
        ("Trainings", "132: 72 of searches, 48 final fold runs, 12 complete runs"),
    ]


def test_folds_of_unequal_size(dataset):
    facts = replace(data_facts(dataset), images=17200, train=(12880, 12900), val=(4300, 4320), singletons=0)
    told = dict(fact_lines(facts))
    assert "17,200 images; a fold run trains on 12,880 to 12,900 of them" in told["Trainval half"]
    assert told["Test half"] == "120 queries of 6 classes; no class of the half was seen in training"


def test_a_study_under_way_tells_what_it_knows(dataset):
    facts = data_facts(replace(dataset, losses=tuple(with_search(loss, **UNSEARCHED) for loss in dataset.losses)))
    assert fact_lines(facts) == [("Trainings", "0: 0 of searches, 0 final fold runs, 0 complete runs")]


def test_what_every_loss_had_alike(study):
    told = dict(protocol_lines(study.protocol, interval="Some interval"))
    assert told["Model"] == "trunk small (channels 8), avg pooling, a linear embedder"
    assert told["Embedding"] == "128 numbers an image, 512 in complete models and in ensembles of 4"
    assert told["Search"] == "6 trials of 4 fold runs; trials 1 to 5 at random, the others by the sampler gp"
    assert told["Fold run"] == (
        "validated every 50 iterations; ends after 3 evaluations without a new best, at 500 iterations at the latest"
    )
    assert "Its follow-up" not in told
    assert told["Complete run"].endswith("an epoch is a pass over the images")
    assert told["Interval"] == "Some interval, 95 %"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"first": "published"},
            "trial 1 the published setting, trials 2 to 5 at random, the others by the sampler gp",
        ),
        ({"first": "published", "trials": 1}, "trial 1 the published setting"),
        ({"trials": 4}, "trials 1 to 4 at random"),
        ({"startup_trials": 1}, "trial 1 at random, the others by the sampler gp"),
    ],
)
def test_how_trials_came_about(changes, said, study):
    search = study.protocol.search.model_copy(update=changes)
    told = dict(protocol_lines(study.protocol.model_copy(update={"search": search}), interval=""))
    assert told["Search"].partition("; ")[2] == said


def test_a_follow_up_is_told(study):
    followup = Phase(name="followup", cap=2000, evaluate_every=10, patience=1)
    protocol = study.protocol.model_copy(update={"phases": (*study.protocol.phases, followup)})
    assert dict(protocol_lines(protocol, interval=""))["Its follow-up"] == (
        "validated every 10 iterations; ends after 1 evaluation without a new best, at 2,000 iterations at the latest"
    )


def test_the_glossary_has_a_sentence_for_every_column(study):
    words = glossary(study)
    assert list(words) == ["complete-512", "ensemble-512", "aggregate-128", "MAP@R", "RP", "P@1"]
    assert all(sentence.endswith(".") and sentence.count(".") == 1 for sentence in words.values())


def test_a_frozen_trunk_and_its_weights_are_told(study):
    weights = Weights(source="somewhere.pth", sha256="0123456789abcdef")
    trunk = TrunkChoice(name="resnet50", weights=weights, frozen=True)
    recipe = study.protocol.recipe.model_copy(update={"trunk": trunk})
    told = dict(protocol_lines(study.protocol.model_copy(update={"recipe": recipe}), interval=""))
    assert told["Model"].startswith("trunk resnet50 (frozen, weights with the SHA-256 0123456789ab…), avg pooling")
    assert told["Untrained rows"] == "the trunk as its weights come, which was not trained any further"
    assert "Untrained rows" not in dict(protocol_lines(study.protocol, interval="Some interval"))
    assert told["Frozen trunk"].endswith("A ranking of losses found so may not hold where the trunk is trained too")


def test_other_trunks_and_assumed_values_are_told(study):
    other = Override(trunk=TrunkChoice(name="bn_inception"))
    protocol = study.protocol.model_copy(update={"on": {"sop": other}, "assumed": ("seed", "search.trials")})
    told = dict(protocol_lines(protocol, interval=""))
    assert told["On sop"] == "trunk bn_inception"
    assert told["Assumed"] == "chosen by us, for it is not published: seed, search.trials"


def test_without_complete_runs_none_are_promised(study):
    told = dict(protocol_lines(study.protocol.model_copy(update={"categories": (Category.AGGREGATE,)}), interval=""))
    assert told["Retraining"].endswith("fresh seeds of the chosen setting, 4 fold runs each")
    assert "Complete run" not in told
