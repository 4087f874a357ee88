"""Ranks and average precisions against scikit-learn, scipy and numpy."""

import numpy as np
import pytest
import torch
from rank_cases import EVEN, STEPS, UNEVEN, cloud, mean_average_precision, scored
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score

from realitycheck.losses.members.blackbox_ap import BlackboxAP
from realitycheck.losses.members.roadmap import Roadmap
from realitycheck.losses.members.smooth_ap import SmoothAP
from realitycheck.losses.parts.ranking import binned_average_precision, count_above, exact_ranks, soft_ranks


@pytest.mark.parametrize("labels", [EVEN, UNEVEN])
@pytest.mark.parametrize(
    ("loss", "itself", "tolerance"),
    [
        (BlackboxAP(interpolation=1.0, margin=0.0, seed=0), False, 1e-12),
        (SmoothAP(temperature=1e-5), True, 1e-3),
    ],
)
def test_sharp_enough_it_is_scikit_learns_average_precision(loss, itself, tolerance, labels):
    expected = 1 - mean_average_precision(cloud(4), labels, itself=itself)
    assert loss(cloud(4), labels).item() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("seed", range(3))
def test_at_the_centres_bins_give_scikit_learns_average_precision(seed):
    """Scores of one bin are ties. Between two centres an item is in both, and there is no such average precision."""
    scores, positive = scored(seed)
    actual = binned_average_precision(scores, positive, ~positive, intervals=10)
    for row, target, value in zip(scores.numpy(), positive.numpy(), actual.tolist(), strict=True):
        assert value == pytest.approx(average_precision_score(target, row))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("steps", STEPS)
def test_sup_ap_bounds_the_loss_of_average_precision(seed, steps):
    loss = Roadmap(mix=0.0, **steps, pos_margin=0.9, neg_margin=0.6)
    least = 1 - mean_average_precision(cloud(seed), UNEVEN, itself=True)
    assert loss(cloud(seed), UNEVEN).item() >= least


@pytest.mark.parametrize("seed", range(3))
def test_exact_ranks_agree_with_scipy(seed):
    scores, mask = scored(seed)
    ranks = exact_ranks(scores, mask)
    for row, kept, actual in zip(scores.numpy(), mask.numpy(), ranks.numpy(), strict=True):
        np.testing.assert_array_equal(actual[kept], rankdata(-row[kept], method="max"))
        assert (actual[~kept] == 15).all()


@pytest.mark.parametrize("seed", range(3))
def test_count_above_agrees_with_numpy(seed):
    scores, mask = scored(seed)
    expected = [[(row[kept] > score).sum() for score in row] for row, kept in zip(scores, mask, strict=True)]
    assert count_above(scores, mask).tolist() == expected


def test_soft_ranks_sharpen_to_scipys_average_ranks():
    """An equal score counts σ(0) = 1/2, as in the mean of the places that equal scores share."""
    scores, mask = scored(0)
    every = torch.ones_like(mask)
    among, all_of_them = soft_ranks(scores, mask, every, temperature=1e-3)
    np.testing.assert_allclose(all_of_them.numpy(), rankdata(-scores.numpy(), method="average", axis=1))
    for row, kept, actual in zip(scores.numpy(), mask.numpy(), among.numpy(), strict=True):
        np.testing.assert_allclose(actual[kept], rankdata(-row[kept], method="average"))
