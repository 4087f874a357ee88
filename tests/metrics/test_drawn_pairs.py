"""Pairs drawn by a seed: none twice, every one possible, the kinds as stated."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from realitycheck.errors import InputError
from realitycheck.metrics.drawn_pairs import class_pairs, compared, distances_of, draw_pairs, pair_distances
from realitycheck.metrics.pair_counts import possible_pairs

LABELS = np.array([0, 1, 0, 2, 1, 0, 2, 3, 1, 0])


def listed(labels: np.ndarray) -> dict[bool, set[tuple[int, int]]]:
    pairs = list(itertools.combinations(range(len(labels)), 2))
    return {kind: {(i, j) for i, j in pairs if (labels[i] == labels[j]) is np.bool_(kind)} for kind in (True, False)}


def as_sets(pairs) -> dict[bool, list[tuple[int, int]]]:
    every = list(zip(pairs.first.tolist(), pairs.second.tolist(), pairs.same.tolist(), strict=True))
    return {kind: [(i, j) for i, j, same in every if same is kind] for kind in (True, False)}


@pytest.mark.parametrize("labels", [LABELS, np.arange(3000) // 3, np.repeat([5, 900, 7], [3, 40, 200])])
def test_pairs_are_different_and_of_their_kind(labels):
    known = listed(labels) if len(labels) < 300 else None
    wanted = min(possible_pairs(np.unique(labels, return_counts=True)[1].tolist()))
    for pairs in (1, wanted // 2, wanted):
        drawn = as_sets(draw_pairs(labels, pairs=pairs, seed=3))
        for kind, own in drawn.items():
            assert len(own) == len(set(own)) == pairs
            assert all(i < j and (labels[i] == labels[j]) is np.bool_(kind) for i, j in own)
            assert known is None or set(own) <= known[kind]


def test_all_pairs_are_equally_likely():
    """Each of the 10 same pairs of `LABELS` is in 600 of 2,000 draws of 3, a binomial."""
    counts = dict.fromkeys(listed(LABELS)[True], 0)
    assert len(counts) == possible_pairs([4, 3, 2, 1])[0] == 10
    for seed in range(2000):
        for pair in as_sets(draw_pairs(LABELS, pairs=3, seed=seed))[True]:
            counts[pair] += 1
    assert all(abs(count - 600) < 5 * (2000 * 0.3 * 0.7) ** 0.5 for count in counts.values())


def test_a_seed_decides():
    one, same, other = (draw_pairs(LABELS, pairs=5, seed=seed) for seed in (1, 1, 2))
    assert as_sets(one) == as_sets(same) != as_sets(other)


def test_more_pairs_than_there_are():
    with pytest.raises(InputError) as caught:
        draw_pairs(LABELS, pairs=11, seed=0)
    assert [problem.code for problem in caught.value.problems] == ["pairs-range"]


def test_pairs_of_a_class():
    known, own = listed(LABELS), as_sets(class_pairs(LABELS, label=1, pairs=4, seed=0))
    assert set(own[True]) == {(1, 4), (1, 8), (4, 8)}  # all three
    assert len(set(own[False])) == 4 and set(own[False]) <= known[False]
    assert all((LABELS[i] == 1) != (LABELS[j] == 1) for i, j in own[False])


def test_distances_by_hand():
    points, pairs = (
        torch.tensor([[3.0, 4.0], [6.0, 8.0], [4.0, -3.0]]),
        draw_pairs(np.array([0, 0, 1]), pairs=1, seed=0),
    )
    values = {kind: pair_distances(points, pairs, distance=kind)[0] for kind in ("cosine", "euclidean")}
    assert values == {"cosine": pytest.approx(0.0, abs=1e-15), "euclidean": pytest.approx(5.0)}
    across = class_pairs(np.array([0, 1, 0]), label=0, pairs=9, seed=0)
    cosines = sorted(pair_distances(points, across, distance="cosine")[~across.same])
    assert cosines == [pytest.approx(0.0, abs=1e-15), pytest.approx(1.0)]


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_points_that_are_converted_once_have_the_same_distances(distance):
    points = torch.randn(len(LABELS), 7, generator=torch.Generator().manual_seed(0))
    once = compared(points, distance=distance)
    for label in np.flatnonzero(np.bincount(LABELS) > 1).tolist():
        pairs = class_pairs(LABELS, label=label, pairs=5, seed=0)
        values = distances_of(once, pairs, distance=distance)
        assert np.array_equal(values, pair_distances(points, pairs, distance=distance))
