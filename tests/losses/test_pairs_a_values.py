"""Losses on pairs, triplets and tuples: values and gradients against pytorch-metric-learning and naive loops."""

import math

import pytest
import torch
from pytorch_metric_learning import losses as pml
from pytorch_metric_learning.distances import CosineSimilarity, DotProductSimilarity, LpDistance
from pytorch_metric_learning.miners import BatchHardMiner
from pytorch_metric_learning.reducers import MeanReducer
from pytorch_metric_learning.regularizers import LpRegularizer

from realitycheck.losses.members.contrastive_cosine import ContrastiveCosine
from realitycheck.losses.members.contrastive_squared import ContrastiveSquared
from realitycheck.losses.members.generalized_lifted import GeneralizedLifted
from realitycheck.losses.members.lifted_structure import LiftedStructure
from realitycheck.losses.members.n_pair import NPair
from realitycheck.losses.members.nt_xent import NTXent
from realitycheck.losses.members.sup_con import SupCon
from realitycheck.losses.members.triplet_batch_hard import TripletBatchHard
from realitycheck.losses.members.triplet_semihard import TripletSemihard

ORDER = torch.randperm(24, generator=torch.Generator().manual_seed(7))
LABELS = (torch.arange(24) // 4)[ORDER]
PAIRED = (torch.arange(24) // 2)[ORDER]
UNEVEN = torch.tensor([0, 1, 0, 2, 1, 0, 0, 3, 2, 1, 2, 4])
"""Classes of four, three, three, one and one."""


def cloud(seed, size=24):
    return torch.randn(size, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def agree(ours, expected, *, seed=0, size=24, atol=1e-12):
    """Two functions of a cloud, in value and gradient."""
    one, two = cloud(seed, size), cloud(seed, size)
    value, reference = ours(one), expected(two)
    torch.testing.assert_close(value, reference)
    value.backward()
    reference.backward()
    torch.testing.assert_close(one.grad, two.grad, rtol=1e-6, atol=atol)


def theirs(loss, miner=None, factor=1.0):
    return lambda points, labels: factor * loss(points, labels, miner(points, labels) if miner else None)


RAW = LpDistance(normalize_embeddings=False)
COSINE = CosineSimilarity()
HARD = BatchHardMiner()
MEAN = MeanReducer()

ORACLES = [
    (ContrastiveCosine(pos_margin=0.9, neg_margin=0.2), theirs(pml.ContrastiveLoss(0.9, 0.2, distance=COSINE))),
    (ContrastiveCosine(pos_margin=0.4, neg_margin=-0.3), theirs(pml.ContrastiveLoss(0.4, -0.3, distance=COSINE))),
    (TripletBatchHard(margin=0.1), theirs(pml.TripletMarginLoss(margin=0.1, reducer=MEAN), HARD)),
    (TripletBatchHard(margin=-0.6), theirs(pml.TripletMarginLoss(margin=-0.6, reducer=MEAN), HARD)),
    (LiftedStructure(neg_margin=1.0), theirs(pml.LiftedStructureLoss(neg_margin=1.0, distance=RAW))),
    (LiftedStructure(neg_margin=-2.0), theirs(pml.LiftedStructureLoss(neg_margin=-2.0, distance=RAW))),
    (GeneralizedLifted(neg_margin=1.0), theirs(pml.GeneralizedLiftedStructureLoss(neg_margin=1.0, distance=RAW))),
    (GeneralizedLifted(neg_margin=-3.0), theirs(pml.GeneralizedLiftedStructureLoss(neg_margin=-3.0, distance=RAW))),
    (NTXent(temperature=0.07), theirs(pml.NTXentLoss(temperature=0.07))),
    (NTXent(temperature=1.5), theirs(pml.NTXentLoss(temperature=1.5))),
    (SupCon(temperature=0.1), theirs(pml.SupConLoss(temperature=0.1), factor=0.1 / 0.07)),
    (SupCon(temperature=1.5), theirs(pml.SupConLoss(temperature=1.5), factor=1.5 / 0.07)),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("ours", "oracle"), ORACLES)
def test_agrees_with_pytorch_metric_learning(ours, oracle, seed):
    # Beyond 20, a softplus in float64 is its argument: 2e-9 off.
    agree(lambda x: ours(x, LABELS), lambda x: oracle(x, LABELS), seed=seed, atol=3e-9)


def test_n_pair_agrees_with_pytorch_metric_learning():
    """Which gets the pairs; by default it draws them."""
    dot = DotProductSimilarity(normalize_embeddings=False)
    oracle = pml.NPairsLoss(distance=dot, embedding_regularizer=LpRegularizer(power=2), embedding_reg_weight=0.3)
    places = [torch.nonzero(label == LABELS).flatten()[:2] for label in range(6)]
    first, second = torch.stack(places, dim=1)
    none = torch.empty(0, dtype=torch.int64)
    agree(lambda x: NPair(l2=0.3)(x, LABELS), lambda x: oracle(x, LABELS, (first, second, none, none)))


def test_sup_con_is_nt_xent_with_two_of_each_class():
    agree(
        lambda x: SupCon(temperature=0.2)(x, PAIRED),
        lambda x: 0.2 / 0.07 * NTXent(temperature=0.2)(x, PAIRED),
        atol=1e-8,
    )


def test_sup_con_is_nt_xent_only_up_to_two_of_each_class():
    one, other = SupCon(temperature=0.07)(cloud(0), LABELS), NTXent(temperature=0.07)(cloud(0), LABELS)
    assert not torch.isclose(one, other, rtol=1e-2)


def test_nt_xent_keeps_its_gradient_where_the_library_loses_it():
    """The first anchor's positive is opposite, 2/T = 200 behind; the second one's is even with the negative."""
    points = torch.tensor([[1.0, 0.0], [-1.0, 1e-3], [1.0, 1e-3]], requires_grad=True)
    value = NTXent(temperature=0.01)(points, torch.tensor([0, 0, 1]))
    value.backward()
    assert value.item() == pytest.approx((200 + math.log(2)) / 2, rel=1e-3)
    assert points.grad.norm() > 1e-2


N = range(12)


def unit(points):
    return points / points.norm(dim=1, keepdim=True)


def table(points):
    """Distances by pairs; 1 in place of an item with itself, where the root has no slope."""
    return [[(points[i] - points[j]).norm() if i != j else torch.tensor(1.0) for j in N] for i in N]


def mates(i):
    return [j for j in N if j != i and UNEVEN[j] == UNEVEN[i]]


def strangers(i):
    return [j for j in N if UNEVEN[j] != UNEVEN[i]]


def mean(terms):
    return sum(terms) / len(terms)


def above(terms):
    return mean([term for term in terms if term > 0])


COUPLES = [(i, j) for i in N for j in mates(i)]


def contrastive_squared(points):
    d = table(unit(points))
    return mean(
        [(d[i][j] if UNEVEN[i] == UNEVEN[j] else (1.3 - d[i][j]).relu()) ** 2 / 2 for i in N for j in N if i != j]
    )


def contrastive_cosine(points):
    s = unit(points) @ unit(points).T
    return above([0.8 - s[i, j] for i in N for j in mates(i)]) + above([s[i, j] - 0.1 for i in N for j in strangers(i)])


def batch_hard(points):
    d = table(unit(points))
    whole = [i for i in N if mates(i)]
    return mean([(max(d[i][p] for p in mates(i)) - min(d[i][n] for n in strangers(i)) + 0.2).relu() for i in whole])


def semihard(points):
    d = table(unit(points))
    terms = []
    for a, p in COUPLES:
        farther = [d[a][n] for n in strangers(a) if d[a][n] > d[a][p]]
        chosen = min(farther) if farther else max(d[a][n] for n in strangers(a))
        terms.append((d[a][p] ** 2 - chosen**2 + 0.2).relu())
    return mean(terms)


def n_pair(points):
    classes = [[i for i in N if UNEVEN[i] == label][:2] for label in range(3)]
    terms = [-torch.log_softmax(torch.stack([points[a] @ points[p] for _, p in classes]), 0) for a, _ in classes]
    return mean([term[c] for c, term in enumerate(terms)]) + 0.1 * mean([point @ point for point in points])


def lifted_structure(points):
    d = table(points)
    terms = []
    for i, j in COUPLES:
        push = [(1.5 - d[i][k]).exp() for k in strangers(i)] + [(1.5 - d[j][k]).exp() for k in strangers(j)]
        terms.append((d[i][j] + sum(push).log()).relu() ** 2)
    return mean(terms) / 2


def generalized_lifted(points):
    d = table(points)
    terms = []
    for i in [i for i in N if mates(i)]:
        pull, push = sum(d[i][p].exp() for p in mates(i)), sum((1.5 - d[i][n]).exp() for n in strangers(i))
        terms.append((pull.log() + push.log()).relu())
    return mean(terms)


def nt_xent(points):
    e = (unit(points) @ unit(points).T / 0.3).exp()
    return mean([-(e[i, p] / (e[i, p] + sum(e[i, n] for n in strangers(i)))).log() for i in N for p in mates(i)])


def sup_con(points):
    e = (unit(points) @ unit(points).T / 0.3).exp()
    whole = [i for i in N if mates(i)]
    return (
        -0.3
        / 0.07
        * mean([mean([(e[i, p] / sum(e[i, j] for j in N if j != i)).log() for p in mates(i)]) for i in whole])
    )


LOOPS = [
    (ContrastiveSquared(margin=1.3), contrastive_squared),
    (ContrastiveCosine(pos_margin=0.8, neg_margin=0.1), contrastive_cosine),
    (TripletBatchHard(margin=0.2), batch_hard),
    (TripletSemihard(margin=0.2), semihard),
    (NPair(l2=0.1), n_pair),
    (LiftedStructure(neg_margin=1.5), lifted_structure),
    (GeneralizedLifted(neg_margin=1.5), generalized_lifted),
    (NTXent(temperature=0.3), nt_xent),
    (SupCon(temperature=0.3), sup_con),
]


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize(("ours", "loop"), LOOPS)
def test_agrees_with_loops(ours, loop, seed):
    """Classes of uneven sizes, two of them without positives."""
    agree(lambda x: ours(x, UNEVEN), loop, seed=seed, size=12)
