"""Pseudo-studies from searches, against searches whose distribution is known."""

from __future__ import annotations

import numpy as np
import pytest
from error_rates import RULES
from resampled_studies import RealSearch, draw, rates, truth


def bank(rng: np.random.Generator, *, searches: int) -> dict:
    """Two losses 3 points apart, four partitions; a search moves a score by 1, a seed by 0.2."""
    found = {}
    for loss, mean in (("a", 0.0), ("b", 3.0)):
        for partition in range(4):
            for number in range(searches):
                near = mean + rng.normal(0, 1, 4)
                scores = near[0] + rng.normal(0, 0.2, 5)
                found[(loss, partition, number)] = RealSearch(tuple(scores), tuple(near + rng.normal(0, 0.2, 4)))
    return found


def test_a_study_has_one_search_of_each_partition_and_none_twice():
    searches = bank(np.random.default_rng(0), searches=5)
    drawn = draw(np.random.default_rng(1), searches, ["a", "a", "b", "a"], partitions=2, number=50)
    for study, members in zip(drawn.studies, drawn.members, strict=True):
        assert len(members) == 4 * 2
        assert len({partition for _, partition, _ in members}) == 2
        assert all(len(own.replicates) == 10 and len(own.near_best) == 2 for own in study.values())
        by_label = [np.mean(own.replicates) for own in study.values()]
        assert len(set(by_label)) == 4
    assert truth(searches, drawn.losses)[:2] == pytest.approx(
        [0.0, 0.0]
    )  # labels of the baseline's own loss are placebos


def test_rates_find_too_narrow_intervals_and_their_own_uncertainty():
    rng = np.random.default_rng(2)
    searches = bank(rng, searches=6)
    drawn = draw(rng, searches, ["a", "b", "b", "a"], partitions=2, number=400)
    pooled, seeds = (
        rates(RULES[method](level=0.95, searches=2), drawn, searches) for method in ("searches_pooled", "student_t")
    )
    assert pooled["covered"].low <= 0.95 <= pooled["covered"].high + 0.03
    assert seeds["covered"].high < 0.85
    assert seeds["false_family"].rate > 3 * pooled["false_family"].rate
    assert 0 < pooled["covered"].error < 0.05


def test_without_near_best_settings_the_scores_have_none():
    searches = {
        name: RealSearch(search.replicates, ()) for name, search in bank(np.random.default_rng(3), searches=4).items()
    }
    drawn = draw(np.random.default_rng(4), searches, ["a", "a"], partitions=2, number=3)
    assert all(own.near_best == () for study in drawn.studies for own in study.values())
