"""Losses on ranks by naive loops over the papers' formulas, and against pytorch-metric-learning."""

import math

import pytest
import torch
from pytorch_metric_learning import distances
from pytorch_metric_learning import losses as pml
from rank_cases import EVEN, STEPS, UNEVEN, agree, cloud, queries, with_itself

from realitycheck.losses.members.fast_ap import FastAP
from realitycheck.losses.members.listwise_ap import ListwiseAP
from realitycheck.losses.members.recall_at_k import RecallAtK
from realitycheck.losses.members.roadmap import Roadmap
from realitycheck.losses.members.smooth_ap import SmoothAP


def binned(scores, positive, centres):
    """Precision up to each centre, weighed by the share of positives there."""
    width = centres[0] - centres[1]
    total = counted = hits = 0.0
    for centre in centres:
        shares = [torch.relu(1 - abs(score - centre) / width) for score in scores]
        here = sum(share for share, good in zip(shares, positive, strict=True) if good)
        counted = counted + sum(shares)
        hits = hits + here
        if counted > 0:
            total = total + here * hits / counted
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


def test_listwise_ap_is_fast_ap_with_the_query_among_the_ranked():
    """Bins of squared distance and of similarity are the same bins, since |x - y|² = 2 - 2s."""
    query, others = cloud(0, count=1), cloud(1)
    positive = torch.tensor([EVEN.eq(0).tolist()])
    fast, listwise = FastAP(bins=8), ListwiseAP(bins=9)
    unit = fast.points(query), fast.points(others)
    with_query = torch.cat([unit[1], unit[0]]), torch.cat([positive, torch.ones(1, 1, dtype=torch.bool)], dim=1)
    one = fast.between(unit[0], with_query[0], with_query[1], ~with_query[1])
    torch.testing.assert_close(one, listwise.between(*unit, positive, ~positive))
