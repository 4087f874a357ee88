"""Ranks in the report, and all pairs where the study asks for them."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from made_records import together, with_search
from pages import findings_of, markdown_row, markdown_section, texts_of
from scipy import stats

from realitycheck.plan.specs import DatasetPlan
from realitycheck.report.late import changed_claims, exploratory
from realitycheck.report.ranks import _agreed
from realitycheck.statistics.all_pairs import LossPair


@pytest.fixture(scope="module")
def study(synthetic_study):
    """Three losses, two searches, and one variance between searches for all."""
    made = synthetic_study(labels=("contrastive", "circle", "soft_triple"), seeds=4, trials=6, searches=2)
    interval = made.protocol.interval.model_copy(update={"method": "searches_pooled"})
    return made.model_copy(update={"protocol": made.protocol.model_copy(update={"interval": interval})})


@pytest.fixture(scope="module")
def dataset(study, synthetic_dataset):
    return synthetic_dataset(study)


@pytest.fixture(scope="module")
def pairs_study(study):
    return study.model_copy(update={"compare": "all_pairs"})


def test_pairs_and_ranks_equal_tukeys_test_over_the_means_of_searches(study, dataset):
    ranks = findings_of(study, [dataset]).datasets[0].ranks
    means = {loss.label: np.reshape(together(loss), (2, 2)).mean(axis=1) for loss in dataset.losses}
    theirs = stats.tukey_hsd(*means.values())  # of three losses the variance is the pooled one within losses
    for pair, (one, other) in zip(ranks.pairs, combinations(range(3), 2), strict=True):
        assert (pair.label, pair.other) == (list(means)[one], list(means)[other])
        assert pair.mean == pytest.approx(theirs.statistic[one, other])
        assert pair.p_stepdown <= theirs.pvalue[one, other] + 0.01
    order = [list(means).index(label) for label in ("soft_triple", "circle")]
    assert max(theirs.pvalue[order[0], other] for other in range(3) if other != order[0]) < 0.04
    assert (ranks.leading, ranks.unranked) == (["soft_triple"], ())
    assert all(1 <= one.best <= one.worst <= 3 for one in ranks.intervals)


def test_seeds_alone_do_not_rank_losses(synthetic):
    study = synthetic.make_study(labels=("contrastive", "circle", "soft_triple"), seeds=4, trials=6)
    dataset = synthetic.make_dataset(study)
    losses = tuple(with_search(loss, near_best=()) for loss in dataset.losses)
    ranks = findings_of(study, [replace(dataset, losses=losses)]).datasets[0].ranks
    assert min(pair.p for pair in ranks.pairs) < 0.01
    assert {pair.p_stepdown for pair in ranks.pairs} == {1.0}  # the runners-up are not scored
    assert {(one.best, one.worst) for one in ranks.intervals} == {(1, 3)}


@pytest.mark.parametrize(("mean", "p", "expected"), [(0.1, 0.01, 0.03), (0.1, 0.2, 0.2), (-0.1, 0.01, 1.0)])
def test_another_fit_must_give_the_same_sign(mean, p, expected):
    pair = LossPair("a", "b", 0.2, 0.1, 0.3, 0.02, 0.03)
    (both,) = _agreed([pair], [LossPair("a", "b", mean, -1, 1, p, p)])
    assert both.p_stepdown == expected
    assert _agreed([pair], [])[0].p_stepdown == 1


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
