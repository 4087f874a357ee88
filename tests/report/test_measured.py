"""The protocol in words."""

from __future__ import annotations

import pytest

from realitycheck.protocol.model import Override, Phase
from realitycheck.protocol.recipe import GradientClip, Optimizer, TrunkChoice, Weights
from realitycheck.report.sections.measured import described, foreword, glossary, held_constant
from realitycheck.report.study_facts import study_facts
from realitycheck.runs import Category


def test_what_was_held_constant(study):
    lines = dict(held_constant(study.protocol, interval="Some interval"))
    assert lines["Model"] == "trunk small (channels 8), avg pooling, a linear embedder"
    assert lines["Embedding"] == "128 dimensions, 512 in complete models and in ensembles of 4"
    assert lines["Search"] == "6 trials of 4 fold runs; trials 1 to 5 at random, the others by the sampler gp"
    assert lines["Fold run"] == (
        "validated every 50 iterations; ends after 3 evaluations without a new best, at 500 iterations at the latest"
    )
    assert lines["Optimizers"] == (
        "RMSprop, rate 1e-06, momentum 0.9, weight decay 0.0001 for trunk, embedder and loss"
    )
    assert "Its follow-up" not in lines
    assert lines["Complete run"].endswith("an epoch is a pass over the images")
    assert lines["Interval"] == "Some interval, 95 %"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"first": "published"},
            "trial 1 the published setting, trials 2 to 5 at random, the others by the sampler gp",
        ),
        ({"first": "published", "trials": 1}, "trial 1 the published setting"),
        ({"trials": 4}, "trials 1 to 4 at random"),
        ({"trials": 4, "startup": "qmc"}, "trials 1 to 4 on one Sobol sequence"),
        ({"startup_trials": 1}, "trial 1 at random, the others by the sampler gp"),
        ({"startup_trials": 0, "sampler": "random"}, "all by the sampler random"),
        ({"startup_trials": 0, "first": "published"}, "trial 1 the published setting, the others by the sampler gp"),
        ({"startup_trials": 0, "first": "published", "trials": 1}, "trial 1 the published setting"),
        (
            {"startup_trials": 0, "sampler": "random", "select": "posterior_mean"},
            "all by the sampler random; the highest posterior mean is chosen",
        ),
    ],
)
def test_how_trials_came_about(changes, said, study):
    search = study.protocol.search.model_copy(update=changes)
    lines = dict(held_constant(study.protocol.model_copy(update={"search": search}), interval=""))
    assert lines["Search"].partition("; ")[2] == said


def test_a_follow_up_has_a_line(study):
    followup = Phase(name="followup", cap=2000, evaluate_every=10, patience=1)
    protocol = study.protocol.model_copy(update={"phases": (*study.protocol.phases, followup)})
    assert dict(held_constant(protocol, interval=""))["Its follow-up"] == (
        "validated every 10 iterations; ends after 1 evaluation without a new best, at 2,000 iterations at the latest"
    )


def test_the_glossary_has_a_sentence_for_every_column(study):
    words = glossary(study_facts(study), set(study.protocol.metrics))
    assert list(words) == ["complete-512", "ensemble-512", "aggregate-128", "MAP@R", "RP", "P@1"]
    assert all(sentence.endswith(".") and sentence.count(".") == 1 for sentence in words.values())


def test_values_that_the_study_replaces_are_named_beside_the_summary(study):
    plain = study_facts(study)
    other = study_facts(study.model_copy(update={"override": {"final.seeds": 4}}))
    assert described(plain, "The summary.").endswith(": The summary.")
    assert "final.seeds: 4" in described(other, "The summary.").partition("The summary.")[0]


def test_a_frozen_trunk_and_its_weights_are_named(study):
    weights = Weights(source="somewhere.pth", sha256="0123456789abcdef")
    trunk = TrunkChoice(name="resnet50", weights=weights, frozen=True)
    recipe = study.protocol.recipe.model_copy(update={"trunk": trunk})
    lines = dict(held_constant(study.protocol.model_copy(update={"recipe": recipe}), interval=""))
    assert lines["Model"].startswith("trunk resnet50 (frozen, weights with the SHA-256 0123456789ab…), avg pooling")
    assert lines["Untrained rows"].startswith("the trunk with its published weights, without further training")
    assert "embedder at random" in lines["Untrained rows"]
    assert "Untrained rows" not in dict(held_constant(study.protocol, interval="Some interval"))
    assert "may differ where the trunk is trained too" in lines["Frozen trunk"]


def test_other_trunks_and_assumed_values_are_named(study):
    other = Override(trunk=TrunkChoice(name="bn_inception"))
    protocol = study.protocol.model_copy(update={"on": {"sop": other}, "assumed": ("seed", "search.trials")})
    lines = dict(held_constant(protocol, interval=""))
    assert lines["On sop"] == "trunk bn_inception"
    assert lines["Assumed"] == "chosen here, because the paper does not report it: seed, search.trials"


def test_without_complete_runs_none_are_named(study):
    lines = dict(held_constant(study.protocol.model_copy(update={"categories": (Category.AGGREGATE,)}), interval=""))
    assert lines["Retraining"].endswith("fresh seeds for the chosen setting, 4 fold runs each")
    assert "Complete run" not in lines


def test_the_foreword_is_the_comment_that_a_file_begins_with():
    assert foreword("# Why.\n# And how.\n#\n# A caveat.\nstudy: x\n# no\n") == ["Why. And how.", "A caveat."]
    assert foreword("study: x\n# no\n") == foreword("") == []


def test_optimizers_in_words(study):
    """A frozen trunk has no optimizer; groups with other keys are apart."""
    recipe = study.protocol.recipe
    adam = Optimizer(name="adam", lr=None, momentum=0.9, weight_decay=0.0)
    changes = {
        "trunk": recipe.trunk.model_copy(update={"frozen": True}),
        "optimizers": recipe.optimizers.model_copy(update={"embedder": adam}),
        "gradient_clip": GradientClip(value=10.0),
    }
    protocol = study.protocol.model_copy(update={"recipe": recipe.model_copy(update=changes)})
    assert dict(held_constant(protocol, interval=""))["Optimizers"] == (
        "Adam, a rate from the search, momentum 0.9 for embedder; "
        "RMSprop, rate 1e-06, momentum 0.9, weight decay 0.0001 for loss; gradients limited to ±10"
    )
