"""Losses on ranks against pytorch-metric-learning, scikit-learn, scipy, and naive loops over the papers' formulas."""

import math

import numpy as np
import pytest
import torch
from pytorch_metric_learning import distances
from pytorch_metric_learning import losses as pml
from scipy.stats import halfnorm, rankdata
from sklearn.metrics import average_precision_score

from realitycheck.losses.blackbox_ap import BlackboxAP
from realitycheck.losses.fast_ap import FastAP
from realitycheck.losses.listwise_ap import ListwiseAP
from realitycheck.losses.noise import uniform
from realitycheck.losses.ranking import binned_average_precision, count_above, exact_ranks, soft_ranks
from realitycheck.losses.recall_at_k import RecallAtK
from realitycheck.losses.roadmap import Roadmap
from realitycheck.losses.smooth_ap import SmoothAP

EVEN = torch.arange(12) % 3
UNEVEN = torch.tensor([3, 0, 1, 1, 0, 2, 1, 3, 1, 3, 0, 1])


def cloud(seed, count=12):
    """Points that lean to one side, so that similarities of both signs occur, and near ties."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(count, 4, dtype=torch.float64, generator=generator) + 0.3).requires_grad_()


def cosines(anchors, others):
    unit = torch.nn.functional.normalize
    return unit(anchors, dim=1) @ unit(others, dim=1).T


def queries(anchors, labels, others=None, other_labels=None):
    """(similarities of others, which of them are positive) of each query with a positive; itself is left out."""
    found = []
    similarity = cosines(anchors, anchors if others is None else others)
    against = labels if others is None else other_labels
    for i, row in enumerate(similarity):
        kept = [j for j in range(len(row)) if others is not None or j != i]
        positive = [bool(against[j] == labels[i]) for j in kept]
        if any(positive):
            found.append(([row[j] for j in kept], positive))
    return found


def with_itself(scores, positive):
    return [*scores, torch.ones((), dtype=torch.float64)], [*positive, True]


def binned(scores, positive, centres):
    """Precision up to each centre, weighed by the share of positives there."""
    width = centres[0] - centres[1]
    total = found = hits = 0.0
    for centre in centres:
        shares = [torch.relu(1 - abs(score - centre) / width) for score in scores]
        here = sum(share for share, good in zip(shares, positive, strict=True) if good)
        found = found + sum(shares)
        hits = hits + here
        if found > 0:
            total = total + here * hits / found
    return total / sum(positive)


def fast_ap(scores, positive, *, bins):
    squares = [2 - 2 * score for score in scores]
    centres = [4 - 4 * b / bins for b in range(bins + 1)]
    return 1 - binned([4 - square for square in squares], positive, centres)


def listwise_ap(scores, positive, *, bins):
    return 1 - binned(*with_itself(scores, positive), [1 - 2 * m / (bins - 1) for m in range(bins)])


def smooth_ap(scores, positive, *, temperature):
    scores, positive = with_itself(scores, positive)
    n, total = range(len(scores)), 0.0
    for j in n:
        if positive[j]:
            steps = {k: torch.sigmoid((scores[k] - scores[j]) / temperature) for k in n if k != j}
            total = total + (1 + sum(steps[k] for k in steps if positive[k])) / (1 + sum(steps.values()))
    return 1 - total / sum(positive)


def recall_at_k(scores, positive, *, items, rank_temperature, recall_temperature):
    n, total = range(len(scores)), 0.0
    for k in (min(k, items) for k in (1, 2, 4, 8, 16)):
        within = 0.0
        for j in n:
            if positive[j]:
                rank = 1 + sum(torch.sigmoid((scores[m] - scores[j]) / rank_temperature) for m in n if m != j)
                within = within + torch.sigmoid((k - rank) / recall_temperature)
        total = total + min(within, torch.tensor(k)) / min(k, sum(positive))
    return 1 - total / 5


def sup_ap(scores, positive, *, temperature, rho, delta):
    def step(z):
        if z <= 0:
            return torch.sigmoid(z / temperature)
        if z <= delta:
            return torch.sigmoid(z / temperature) + 0.5
        return rho * (z - delta) + 1 / (1 + math.exp(-delta / temperature)) + 0.5

    scores, positive = with_itself(scores, positive)
    n, total = range(len(scores)), 0.0
    for j in n:
        if positive[j]:
            rank = 1 + sum(bool(scores[k] >= scores[j]) for k in n if k != j and positive[k])
            total = total + rank / (rank + sum(step(scores[k] - scores[j]) for k in n if not positive[k]))
    return 1 - total / sum(positive)


def over_queries(of_query, *batch, **knobs):
    values = [of_query(scores, positive, **knobs) for scores, positive in queries(*batch)]
    return sum(values) / len(values)


def agree(value, expected, leaf, same):
    torch.testing.assert_close(value, expected)
    value.backward()
    expected.backward()
    torch.testing.assert_close(leaf.grad, same.grad, rtol=1e-6, atol=1e-9)


BY_LOOPS = [
    (FastAP, fast_ap, {"bins": 1}),
    (FastAP, fast_ap, {"bins": 7}),
    (ListwiseAP, listwise_ap, {"bins": 2}),
    (ListwiseAP, listwise_ap, {"bins": 9}),
    (SmoothAP, smooth_ap, {"temperature": 0.01}),
    (SmoothAP, smooth_ap, {"temperature": 0.5}),
    (RecallAtK, recall_at_k, {"rank_temperature": 0.02, "recall_temperature": 1.0}),
    (RecallAtK, recall_at_k, {"rank_temperature": 0.3, "recall_temperature": 4.0}),
]


@pytest.mark.parametrize("labels", [EVEN, UNEVEN])
@pytest.mark.parametrize(("ours", "naive", "knobs"), BY_LOOPS)
def test_by_loops(ours, naive, knobs, labels):
    leaf, same = cloud(0), cloud(0)
    beside = {"items": 12} if ours is RecallAtK else {}
    agree(ours(**knobs)(leaf, labels), over_queries(naive, same, labels, **knobs, **beside), leaf, same)


@pytest.mark.parametrize(("ours", "naive", "knobs"), BY_LOOPS)
def test_against_a_memory_by_loops(ours, naive, knobs):
    """Other items than the queries, some without a positive among them."""
    leaf, same, memory = cloud(0, count=5), cloud(0, count=5), cloud(1, count=9).detach()
    labels, others = torch.tensor([0, 1, 2, 3, 0]), torch.tensor([0, 0, 1, 2, 2, 2, 4, 4, 5])
    positive = labels[:, None] == others
    loss = ours(**knobs)
    value = loss.between(loss.points(leaf), loss.points(memory), positive, ~positive)
    beside = {"items": 9} if ours is RecallAtK else {}
    agree(value, over_queries(naive, same, labels, memory, others, **knobs, **beside), leaf, same)


STEPS = [
    {"temperature": 0.01, "rho": 100.0, "delta": 0.05},
    {"temperature": 0.2, "rho": 3.0, "delta": 0.3},
    {"temperature": 0.05, "rho": 1.0, "delta": 0.0},
]


@pytest.mark.parametrize("labels", [EVEN, UNEVEN])
@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("mix", [0.0, 0.3, 1.0])
def test_roadmap_by_loops_and_calibration_by_pytorch_metric_learning(labels, steps, mix):
    margins = {"pos_margin": 0.9, "neg_margin": 0.1}
    calibration = pml.ContrastiveLoss(**margins, distance=distances.DotProductSimilarity())
    leaf, same = cloud(2), cloud(2)
    first = over_queries(sup_ap, same, labels, **steps)
    expected = (1 - mix) * first + mix * calibration(same, labels)
    agree(Roadmap(mix=mix, **steps, **margins)(leaf, labels), expected, leaf, same)


@pytest.mark.parametrize("labels", [EVEN, UNEVEN])
@pytest.mark.parametrize("bins", [2, 10, 33])
def test_fast_ap_agrees_with_pytorch_metric_learning(labels, bins):
    leaf, same = cloud(1), cloud(1)
    agree(FastAP(bins=bins)(leaf, labels), pml.FastAPLoss(num_bins=bins)(same, labels), leaf, same)


def blackbox(points, labels, *, interpolation, margin, seed, step):
    """Value, and similarities weighed by the paper's difference, whose gradient is the loss's."""
    similarity = cosines(points, points)
    size = len(labels)
    even = uniform(torch.tensor(seed), torch.tensor(step), (size, size)).double().numpy()
    deviation = halfnorm.ppf(even)
    found = [i for i in range(size) if (labels == labels[i]).sum() > 1]
    value, weighed = 0.0, 0.0
    for i in found:
        kept = [j for j in range(size) if j != i]
        target = np.array([float(labels[j] == labels[i]) for j in kept])
        scores = similarity[i, kept].detach().numpy() - margin * deviation[i, kept] * (target - 0.5)
        rank = rankdata(-scores, method="max") / len(kept)
        place = np.array([(target * (scores >= score)).sum() for score in scores]) / len(kept)
        value += 1 - (target * place / rank).sum() / target.sum()
        slope = target * place / rank**2 / target.sum() / len(found)
        moved = rankdata(-(scores + interpolation * slope), method="max") / len(kept)
        weighed = weighed + (similarity[i, kept] * torch.from_numpy((moved - rank) / interpolation)).sum()
    return value / len(found), weighed


@pytest.mark.parametrize("labels", [EVEN, UNEVEN])
@pytest.mark.parametrize(("interpolation", "margin"), [(4.0, 0.0), (4.0, 0.02), (2.0, 0.3), (50.0, 0.1)])
def test_blackbox_ap_by_loops(labels, interpolation, margin):
    """Two steps: the second has other deviations."""
    loss = BlackboxAP(interpolation=interpolation, margin=margin, seed=5)
    for step in range(2):
        leaf, same = cloud(3), cloud(3)
        value = loss(leaf, labels)
        expected, weighed = blackbox(same, labels, interpolation=interpolation, margin=margin, seed=5, step=step)
        assert value.item() == pytest.approx(expected)
        value.backward()
        weighed.backward()
        assert same.grad.any()
        torch.testing.assert_close(leaf.grad, same.grad)


def mean_average_precision(points, labels, *, itself):
    values = []
    for scores, positive in queries(points, labels):
        if itself:
            scores, positive = with_itself(scores, positive)
        values.append(average_precision_score(positive, [score.item() for score in scores]))
    return sum(values) / len(values)


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
    found = binned_average_precision(scores, positive, ~positive, intervals=10)
    for row, target, value in zip(scores.numpy(), positive.numpy(), found.tolist(), strict=True):
        assert value == pytest.approx(average_precision_score(target, row))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("steps", STEPS)
def test_sup_ap_bounds_the_loss_of_average_precision(seed, steps):
    loss = Roadmap(mix=0.0, **steps, pos_margin=0.9, neg_margin=0.6)
    least = 1 - mean_average_precision(cloud(seed), UNEVEN, itself=True)
    assert loss(cloud(seed), UNEVEN).item() >= least


def test_listwise_ap_is_fast_ap_with_the_query_among_the_ranked():
    """Bins of squared distance and of similarity are the same bins, since |x - y|² = 2 - 2s."""
    query, others = cloud(0, count=1), cloud(1)
    positive = torch.tensor([EVEN.eq(0).tolist()])
    fast, listwise = FastAP(bins=8), ListwiseAP(bins=9)
    unit = fast.points(query), fast.points(others)
    with_query = torch.cat([unit[1], unit[0]]), torch.cat([positive, torch.ones(1, 1, dtype=torch.bool)], dim=1)
    one = fast.between(unit[0], with_query[0], with_query[1], ~with_query[1])
    torch.testing.assert_close(one, listwise.between(*unit, positive, ~positive))


def scored(seed):
    """Scores with ties, and a mask that leaves no row empty."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(-5, 6, (20, 15), generator=generator).double() / 5
    mask = torch.rand(20, 15, generator=generator) < 0.6
    mask[:, 0] = True
    return scores, mask


@pytest.mark.parametrize("seed", range(3))
def test_exact_ranks_agree_with_scipy(seed):
    scores, mask = scored(seed)
    ranks = exact_ranks(scores, mask)
    for row, kept, found in zip(scores.numpy(), mask.numpy(), ranks.numpy(), strict=True):
        np.testing.assert_array_equal(found[kept], rankdata(-row[kept], method="max"))
        assert (found[~kept] == 15).all()


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
    for row, kept, found in zip(scores.numpy(), mask.numpy(), among.numpy(), strict=True):
        np.testing.assert_allclose(found[kept], rankdata(-row[kept], method="average"))
