"""Losses on ranks: contracts, perfect batches of every shape, and queries without a positive."""

import pytest
import torch
from member_contracts import MemberContract
from rank_cases import ROADMAP, separated, sigma

from realitycheck.losses.members.blackbox_ap import BlackboxAP
from realitycheck.losses.members.fast_ap import FastAP
from realitycheck.losses.members.listwise_ap import ListwiseAP
from realitycheck.losses.members.recall_at_k import RecallAtK
from realitycheck.losses.members.roadmap import Roadmap
from realitycheck.losses.members.smooth_ap import SmoothAP


class TestFastAPContract(MemberContract):
    def make(self):
        return FastAP(bins=10)


class TestListwiseAPContract(MemberContract):
    def make(self):
        return ListwiseAP(bins=20)


class TestSmoothAPContract(MemberContract):
    def make(self):
        return SmoothAP(temperature=0.05)


class TestRecallAtKContract(MemberContract):
    def make(self):
        return RecallAtK(rank_temperature=0.05, recall_temperature=1.0)


class TestRoadmapContract(MemberContract):
    def make(self):
        return Roadmap(**ROADMAP)


class TestBlackboxAPContract(MemberContract):
    draws = True

    def make(self):
        return BlackboxAP(interpolation=4.0, margin=0.02, seed=3)


CONTRACTS = [
    TestFastAPContract,
    TestListwiseAPContract,
    TestSmoothAPContract,
    TestRecallAtKContract,
    TestRoadmapContract,
    TestBlackboxAPContract,
]
AVERAGE_PRECISION = [
    FastAP(bins=2),
    FastAP(bins=17),
    ListwiseAP(bins=3),
    ListwiseAP(bins=20),
    SmoothAP(temperature=0.01),
    BlackboxAP(interpolation=4.0, margin=0.0, seed=0),
    Roadmap(**ROADMAP),
]
"""Losses that reach 0."""
BATCHES = [[4] * 8, [8] * 4, [2, 2], [3] * 5, [1, 2, 5, 3], [7, 2], [1, 1, 2]]
"""Items of each class."""


@pytest.mark.parametrize("spread", [0.0, 1e-3])
@pytest.mark.parametrize("sizes", BATCHES)
@pytest.mark.parametrize("loss", AVERAGE_PRECISION, ids=lambda loss: type(loss).__name__)
def test_separated_classes_give_zero(loss, sizes, spread):
    """Bins see noise: items off a centre share in the next one, so that it must be small against their width."""
    points, labels = separated(sizes, spread=spread)
    assert loss(points, labels).item() == pytest.approx(0, abs=1e-6 if spread == 0 else 0.01)


@pytest.mark.parametrize("sizes", BATCHES)
def test_separated_classes_give_the_least_recall_at_k(sizes):
    """Positives take the ranks 1 to N⁺; at rank k each counts 1/2, and no more than k of them in all."""
    points, labels = separated(sizes, spread=0.01)

    def recall(count, k):
        return min(k, sum(sigma((k - rank) / 0.5) for rank in range(1, count + 1))) / min(k, count)

    cutoffs = [min(k, sum(sizes)) for k in (1, 2, 4, 8, 16)]
    of_query = [(size, sum(recall(size - 1, k) for k in cutoffs) / 5) for size in sizes if size > 1]
    expected = 1 - sum(size * scores for size, scores in of_query) / sum(size for size, _ in of_query)
    loss = RecallAtK(rank_temperature=1e-9, recall_temperature=0.5)
    assert loss(points, labels).item() == pytest.approx(expected)
    for seed in range(5):
        mixed = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]
        assert loss(points, mixed).item() >= expected - 1e-9


@pytest.mark.parametrize("sizes", [[4] * 8, [8] * 4, [1, 2, 5, 3]])
@pytest.mark.parametrize(
    "loss",
    [*AVERAGE_PRECISION, RecallAtK(rank_temperature=0.02, recall_temperature=1.0)],
    ids=lambda x: type(x).__name__,
)
def test_order_of_the_batch_does_not_matter(loss, sizes):
    """Without a margin blackbox AP draws nothing that matters."""
    points, labels = separated(sizes, spread=0.7)
    value = loss(points, labels)
    assert value.item() > 0.01
    for order in (labels.argsort(), torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))):
        torch.testing.assert_close(loss(points[order], labels[order]), value)


def on_queries(contract):
    """The contract's loss, without what is not said of queries: ROADMAP's second bracket, and draws."""
    loss = contract().make()
    loss.mix = loss.margin = 0.0
    return loss


@pytest.mark.parametrize("contract", CONTRACTS)
def test_without_positives_it_is_zero_without_gradient(contract):
    points = torch.randn(5, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    value = on_queries(contract)(points, torch.arange(5))
    value.backward()
    assert value.item() == 0
    assert not points.grad.any()


@pytest.mark.parametrize("contract", CONTRACTS)
def test_items_without_a_positive_are_no_queries(contract):
    """One on the far side is ranked last by all others, and leaves their mean as it is."""
    loss = on_queries(contract)
    points, labels = separated([9, 9], spread=0.3)
    lone = -points.sum(dim=0, keepdim=True)
    value = loss(torch.cat([points, lone]), torch.cat([labels, torch.tensor([2])]))
    torch.testing.assert_close(value, loss(points, labels), rtol=0.01, atol=0.0)


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_are_finite(contract, dtype):
    """Of points that are far apart, nearly equal, equal and zero."""
    loss = contract().make()
    cloud = torch.randn(8, 6, generator=torch.Generator().manual_seed(0))
    for points in (cloud, 1 + 1e-4 * cloud, torch.ones(8, 6), torch.zeros(8, 6), cloud.sign() * torch.eye(8, 6)):
        leaf = points.to(dtype).requires_grad_()
        value = loss(leaf, torch.arange(8) % 2)
        value.backward()
        assert torch.isfinite(value) and torch.isfinite(leaf.grad).all()
