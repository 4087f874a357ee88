"""Losses on ranks: contracts, points on the circle by hand, perfect batches of every shape, and draws."""

import inspect
import math
from itertools import product

import pytest
import torch
from matplotlib.mathtext import MathTextParser

from realitycheck.losses.blackbox_ap import BlackboxAP
from realitycheck.losses.fast_ap import FastAP
from realitycheck.losses.listwise_ap import ListwiseAP
from realitycheck.losses.recall_at_k import RecallAtK
from realitycheck.losses.roadmap import Roadmap
from realitycheck.losses.smooth_ap import SmoothAP
from realitycheck.testing import LossContract

ROADMAP = {"mix": 0.5, "temperature": 0.01, "rho": 100.0, "delta": 0.05, "pos_margin": 0.9, "neg_margin": 0.6}


class TestFastAPContract(LossContract):
    def make(self):
        return FastAP(bins=10)


class TestListwiseAPContract(LossContract):
    def make(self):
        return ListwiseAP(bins=20)


class TestSmoothAPContract(LossContract):
    def make(self):
        return SmoothAP(temperature=0.05)


class TestRecallAtKContract(LossContract):
    def make(self):
        return RecallAtK(rank_temperature=0.05, recall_temperature=1.0)


class TestRoadmapContract(LossContract):
    def make(self):
        return Roadmap(**ROADMAP)


class TestBlackboxAPContract(LossContract):
    draws = True
    stateful = True

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


def sigma(x):
    return 1 / (1 + math.exp(-x))


def circle(*degrees):
    """Points on the unit circle, but of different lengths."""
    angles = [math.radians(each) for each in degrees]
    points = [[scale * math.cos(a), scale * math.sin(a)] for scale, a in zip((1, 3, 0.5), angles, strict=True)]
    return torch.tensor(points, dtype=torch.float64)


def separated(sizes, *, spread, seed=0):
    """Classes along their own axes, in mixed order."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    labels = labels[torch.randperm(len(labels), generator=generator)]
    noise = torch.randn(len(labels), len(sizes), dtype=torch.float64, generator=generator)
    return torch.nn.functional.one_hot(labels).double() + spread * noise, labels


# Points at 0° and 60° of one class and at 90° of another. Similarities: 1/2 of the positives, 0 from the first point to
# the negative, √3/2 from the second. The third point has no positive and is no query.
POINTS, CLASSES = circle(0, 60, 90), torch.tensor([0, 0, 1])
NEAR = math.sqrt(3) / 2


def test_fast_ap_on_the_circle():
    """Centres at squared distances 0, 2 and 4: a similarity s counts s at the first and 1 - s at the second."""
    first = 0.5 * 1 + 0.5 * (1 / 2)
    second = 0.5 * 0.5 / (0.5 + NEAR) + 0.5 * (1 / 2)
    value = FastAP(bins=2)(POINTS, CLASSES)
    assert value.item() == pytest.approx(1 - (first + second) / 2)


def test_listwise_ap_on_the_circle():
    """The same centres, now similarities 1, 0 and -1; each query is itself a second positive, at the first of them."""
    first = (1.5 * 1 + 0.5 * (2 / 3)) / 2
    second = (1.5 * 1.5 / (1.5 + NEAR) + 0.5 * (2 / 3)) / 2
    value = ListwiseAP(bins=3)(POINTS, CLASSES)
    assert value.item() == pytest.approx(1 - (first + second) / 2)


@pytest.mark.parametrize("t", [0.1, 1.0])
def test_smooth_ap_on_the_circle(t):
    def precision(itself, other, negative):
        """Of a query with these similarities."""
        total = 0.0
        for one, two in ((itself, other), (other, itself)):
            among = 1 + sigma((two - one) / t)
            total += among / (among + sigma((negative - one) / t))
        return total / 2

    value = SmoothAP(temperature=t)(POINTS, CLASSES)
    assert value.item() == pytest.approx(1 - (precision(1, 0.5, 0) + precision(1, 0.5, NEAR)) / 2)


def test_recall_at_k_on_the_circle():
    """One positive each, whose rank is 1 and a little, or 2 less a little; a k above 3 counts as 3."""
    ranks = [1 + sigma((0 - 0.5) / 0.2), 1 + sigma((NEAR - 0.5) / 0.2)]
    recalls = [sum(min(k, sigma((k - rank) / 0.7)) for k in (1, 2, 3, 3, 3)) / 5 for rank in ranks]
    value = RecallAtK(rank_temperature=0.2, recall_temperature=0.7)(POINTS, CLASSES)
    assert value.item() == pytest.approx(1 - sum(recalls) / 2)


def test_recall_at_k_stops_at_k():
    """Ten items at one place: all nine ranks are 1 + 8/2 = 5. At 1 they sum to more than 1, at 8 to less than 8."""
    t = 2.0
    whole, within = 9, lambda k: 9 * sigma((k - 5) / t)
    assert within(8) < 8 and within(1) > 1
    expected = (1 / 1 + within(2) / 2 + within(4) / 4 + within(8) / 8 + within(10) / whole) / 5
    value = RecallAtK(rank_temperature=0.01, recall_temperature=t)(torch.ones(10, 2).double(), torch.zeros(10).long())
    assert value.item() == pytest.approx(1 - expected)


def test_roadmap_on_the_circle():
    """The negative lies behind the positive of the first query, and in front of that of the second by more than δ."""
    t, rho, delta = 0.1, 5.0, 0.05
    first = (1 / (1 + sigma(-1 / t)) + 2 / (2 + sigma(-0.5 / t))) / 2
    line = sigma(delta / t) + 0.5 + rho * (NEAR - 0.5 - delta)
    second = (1 / (1 + sigma((NEAR - 1) / t)) + 2 / (2 + line)) / 2
    calibration = (0.9 - 0.5) + (NEAR - 0.6)
    loss = Roadmap(mix=0.3, temperature=t, rho=rho, delta=delta, pos_margin=0.9, neg_margin=0.6)
    expected = 0.7 * (1 - (first + second) / 2) + 0.3 * calibration
    assert loss(POINTS, CLASSES).item() == pytest.approx(expected)


def test_roadmap_between_zero_and_delta():
    """With δ above √3/2 - 1/2 the negative in front counts σ + 1/2."""
    step = sigma((NEAR - 0.5) / 0.1) + 0.5
    first = (1 / (1 + sigma(-1 / 0.1)) + 2 / (2 + sigma(-0.5 / 0.1))) / 2
    second = (1 / (1 + sigma((NEAR - 1) / 0.1)) + 2 / (2 + step)) / 2
    loss = Roadmap(mix=0.0, temperature=0.1, rho=50.0, delta=0.4, pos_margin=0.0, neg_margin=0.0)
    assert loss(POINTS, CLASSES).item() == pytest.approx(1 - (first + second) / 2)


def test_blackbox_ap_on_the_circle():
    """The positive comes first for one query and second for the other."""
    value = BlackboxAP(interpolation=4.0, margin=0.0, seed=0)(POINTS, CLASSES)
    assert value.item() == pytest.approx(1 - (1 + 1 / 2) / 2)


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
    expected = 1 - sum(size * each for size, each in of_query) / sum(size for size, _ in of_query)
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


@pytest.mark.parametrize(("contract", "mode"), list(product(CONTRACTS, [True, False])))
def test_compiles_as_one_graph_with_its_gradient(contract, mode):
    one, two = (contract().make().train(mode) for _ in range(2))
    embeddings, labels = contract().batch()
    compiled = torch.compile(one, backend="eager", fullgraph=True)
    for _ in range(2):
        leaf, same = embeddings.detach().clone().requires_grad_(), embeddings.detach().clone().requires_grad_()
        value, expected = compiled(leaf, labels), two(same, labels)
        value.backward()
        expected.backward()
        torch.testing.assert_close(value, expected)
        torch.testing.assert_close(leaf.grad, same.grad)
    for left, right in zip(one.buffers(), two.buffers(), strict=True):
        assert torch.equal(left, right)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_formula_can_be_set(contract):
    text = inspect.getdoc(type(contract().make()))
    before, formula, after = text.split("$$")
    assert before.strip() and "Args:" in after
    MathTextParser("path").parse("$" + " ".join(formula.split()) + "$")


def test_blackbox_ap_draws_anew_at_every_training_step():
    points, labels = separated([4] * 4, spread=0.5)
    loss = BlackboxAP(interpolation=4.0, margin=1.0, seed=0)
    values = [loss(points, labels).item() for _ in range(3)]
    assert len(set(values)) == 3
    again = BlackboxAP(interpolation=4.0, margin=1.0, seed=0)
    assert [again(points, labels).item() for _ in range(3)] == values
    other = BlackboxAP(interpolation=4.0, margin=1.0, seed=1)
    assert other(points, labels).item() != values[0]
    again.eval()
    assert again(points, labels).item() == again(points, labels).item()
    assert again.step.item() == 3


def test_a_margin_beyond_all_similarities_reverses_a_perfect_batch():
    """Every positive then comes after every negative: the j-th of n has precision j / (negatives + j)."""
    points, labels = separated([3, 3], spread=0.0)
    value = BlackboxAP(interpolation=4.0, margin=1e6, seed=0)(points, labels)
    assert value.item() == pytest.approx(1 - (1 / (3 + 1) + 2 / (3 + 2)) / 2)
