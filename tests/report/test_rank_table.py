"""Ranks in the report, and all pairs where the study asks for them."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import pytest
from made_records import together, with_search
from pages import findings_of, markdown_row, markdown_section, texts_of
from scipy import stats

from realitycheck.plan.specs import DatasetPlan
from realitycheck.report.late import changed_claims, exploratory


@pytest.fixture(scope="module")
def pairs_study(study):
    return study.model_copy(update={"compare": "all_pairs"})


def test_ranks_of_a_study_with_a_clear_winner(study, dataset):
    ranks = findings_of(study, [dataset]).datasets[0].ranks
    means = {loss.label: sum(together(loss)) / 4 for loss in dataset.losses}
    best = max(means, key=means.get)
    assert best == "soft_triple"
    by_label = {one.label: one for one in ranks.intervals}
    for one, other in combinations(dataset.losses, 2):
        p = stats.ttest_rel(together(one), together(other)).pvalue
        (pair,) = [each for each in ranks.pairs if {each.label, each.other} == {one.label, other.label}]
        assert pair.p == pytest.approx(p)
        assert pair.p_stepdown >= p - 0.003
    assert by_label[best].best == 1
    assert all(one.best <= one.worst for one in ranks.intervals)


def test_a_loss_with_a_diverged_replicate_may_have_any_rank(study, dataset, edit, synthetic):
    def one_bad(loss):
        first, *others = loss.searches[0].replicates
        return with_search(loss, replicates=(synthetic.diverge(first, fold=0), *others))

    ranks = findings_of(study, [edit(dataset, circle=one_bad)]).datasets[0].ranks
    assert ranks.unranked == ("circle",)
    assert [(one.best, one.worst) for one in ranks.intervals if one.label == "circle"] == [(1, 3)]
    assert len(ranks.pairs) == 1


def test_the_page_prints_ranks_and_the_pairs_on_request_alone(study, pairs_study, dataset):
    plain, asked = (texts_of(one, [dataset])["tables.md"] for one in (study, pairs_study))
    ranks = findings_of(study, [dataset]).datasets[0].ranks
    section = markdown_section(plain, "Ranks")
    for one in ranks.intervals:
        expected = str(one.best) if one.best == one.worst else f"{one.best} to {one.worst}"
        assert markdown_row(section, one.label)[-1] == expected
    assert "contrastive – circle" not in plain
    assert "contrastive – circle" in asked
    body = json.loads(texts_of(study, [dataset])["tables.json"])["datasets"][0]["ranks"]
    assert [pair["label"] for pair in body["pairs"]] == [pair.label for pair in ranks.pairs]


def test_all_pairs_is_a_claim_and_the_default_is_none(study, pairs_study, dataset):
    before, after = (DatasetPlan(study=one, dataset="cub200", data="d", test="t") for one in (study, pairs_study))
    assert "compare" not in before.claims
    assert after.claims["compare"] == "all_pairs"
    assert {name for name in after.claims if after.claims[name] != before.claims.get(name)} == {"compare"}
    assert before.digest != after.digest
    assert [loss.searches[0].id for loss in before.losses] == [loss.searches[0].id for loss in after.losses]
    opened = replace(dataset, openings=(replace(dataset.openings[0], claims=before.claims),), claims=after.claims)
    assert changed_claims(opened) == {"compare"}
    assert exploratory(opened) == {"contrastive", "circle", "soft_triple"}
    turned = replace(dataset, openings=(replace(dataset.openings[0], claims=after.claims),), claims=before.claims)
    assert changed_claims(turned) == {"compare"}
    assert changed_claims(replace(turned, claims=after.claims)) == set()
