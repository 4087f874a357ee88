"""What was settled after the test half had been opened."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pages import texts_of

from realitycheck.plan.specs import DatasetPlan
from realitycheck.protocol.model import IntervalRule
from realitycheck.protocol.read import read_study
from realitycheck.records.gather import gather
from realitycheck.records.ledger import Ledger
from realitycheck.records.recover import from_records
from realitycheck.report.late import changed_claims, exploratory

ALL = {"contrastive", "circle", "soft_triple"}


def plan_of(study):
    return DatasetPlan(study=study, dataset="cub200", data="d", test="t")


def with_protocol(study, **changes):
    return study.model_copy(update={"protocol": study.protocol.model_copy(update=changes)})


def changed(study, what):
    final = study.protocol.final
    match what:
        case "interval":
            return with_protocol(study, interval=IntervalRule(method="student_t", level=0.9))
        case "complete":
            return with_protocol(study, final=final.model_copy(update={"complete": "appendix_d"}))
        case "epoch":
            return with_protocol(study, epoch=7)
        case "categories":
            return with_protocol(study, categories=study.protocol.categories[1:])
        case "seeds":
            return with_protocol(study, final=final.model_copy(update={"seeds": 9}))
        case "searches":
            search = study.protocol.search
            return with_protocol(study, search=search.model_copy(update={"searches": 2}))
        case "trials":
            search = study.protocol.search
            return with_protocol(study, search=search.model_copy(update={"trials": 99}))
        case "baseline":
            return study.model_copy(update={"baseline": "circle"})
        case "smallest_difference":
            return study.model_copy(update={"smallest_difference": 1.5})
        case "primary":
            return study.model_copy(update={"primary": study.primary.model_copy(update={"metric": "r_precision"})})
        case _:
            return study.model_copy(update={"same": ("circle", "soft_triple")})


CLAIMS = ["baseline", "primary", "smallest_difference", "seeds", "interval", "complete", "epoch", "categories", "same"]
CLAIMS += ["searches", "trials"]


@pytest.mark.parametrize("claim", CLAIMS)
def test_whatever_shapes_a_claim_is_in_the_opening(claim, study):
    before, after = plan_of(study).claims, plan_of(changed(study, claim)).claims
    assert set(before) == set(CLAIMS)
    assert {name for name in before if before[name] != after[name]} == {claim}


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_that_changed_after_the_opening_makes_every_loss_exploratory(claim, study, dataset):
    opening = replace(dataset.openings[0], claims=plan_of(study).claims)
    now = replace(dataset, openings=(opening,), claims=plan_of(changed(study, claim)).claims)
    # The names of one function shape the noise floor and no verdict.
    assert exploratory(now) == (set() if claim == "same" else ALL)
    assert changed_claims(now) == {claim}
    assert exploratory(replace(now, claims=plan_of(study).claims)) == set()


def test_an_opening_is_asked_only_for_the_claims_that_it_holds(study, dataset):
    old = {name: plan_of(study).claims[name] for name in CLAIMS[:4]}
    now = replace(dataset, openings=(replace(dataset.openings[0], claims=old),), claims=plan_of(study).claims)
    assert exploratory(now) == set()
    assert exploratory(replace(now, claims=plan_of(changed(study, "interval")).claims)) == set()
    assert exploratory(replace(now, claims=plan_of(changed(study, "seeds")).claims)) == ALL


def test_the_order_of_columns_is_no_claim(study):
    turned = with_protocol(study, categories=study.protocol.categories[::-1])
    assert plan_of(turned).claims == plan_of(study).claims


def test_the_opening_of_a_finished_study_is_its_own(finished):
    study, records = read_study(finished).study, Ledger(finished.with_suffix("")).records
    plan = from_records(study, "pictures", records)
    assert plan.opening_id in records
    assert exploratory(gather(plan, records)) == set()


@pytest.mark.parametrize(
    ("change", "late"),
    [
        ({"claims": {"baseline": "contrastive", "seeds": 3}}, ALL),
        (
            {"searches": {"contrastive": ("search 0 of contrastive",), "circle": ("another",)}},
            {"circle", "soft_triple"},
        ),
        ({}, set()),
    ],
)
def test_what_was_settled_after_the_first_opening_is_exploratory(change, late, dataset):
    (opening,) = dataset.openings
    assert exploratory(replace(dataset, openings=(replace(opening, **change),))) == late


def test_dropping_a_loss_after_the_opening_makes_the_rest_exploratory(dataset):
    assert exploratory(replace(dataset, losses=dataset.losses[:2])) == {"contrastive", "circle"}


def test_the_page_counts_openings(study, dataset, synthetic):
    def text(*openings):
        return texts_of(study, [replace(dataset, openings=openings)])["tables.md"]

    labels = [loss.label for loss in dataset.losses]
    first, later = synthetic.make_opening(labels[:2], number=3), synthetic.make_opening(labels, number=4)
    assert "The test half was opened once, after 3 earlier openings of the same half." in text(first)
    assert "The test half was opened twice, after 3 earlier openings" in text(first, later)
    assert "decided after the first opening: soft\\_triple." in text(first, later)
    assert "The test half has not been opened: " in text()
    for opened in (text(first), text(first, later)):
        assert opened.count("Those of other studies are not known to this page") == 1
        assert "`realitycheck status` lists those of the studies in the same folder" in opened


def test_many_exploratory_losses_are_counted_once_and_few_are_named(study, dataset, synthetic):
    """Of three losses: none, one (named), two and three (counted)."""
    labels = [loss.label for loss in dataset.losses]
    for declared, sentence in (
        (labels, None),
        (labels[:2], None),
        (labels[:1], "2 of 3 losses are exploratory: "),
        ([], "All 3 losses are exploratory: "),
    ):
        opening = synthetic.make_opening(declared, number=0)
        text = texts_of(study, [replace(dataset, openings=(opening,))])["tables.md"]
        answers, rest = text.split("### What to distrust", 1)
        assert answers.count("losses are exploratory") == (sentence is not None)
        assert sentence is None or f"**What was decided afterwards?** {sentence}" in answers
        assert answers.count("(exploratory)") == (len(declared) == 2)
        decided = rest.split("decided after the first opening: ")[1].split(".")[0] if len(declared) < 3 else None
        assert decided == {3: None, 2: "soft\\_triple", 1: "2 of 3 losses", 0: "all 3 losses"}[len(declared)]
