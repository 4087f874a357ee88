"""Losses on pairs, triplets and tuples: contracts, formulas, half precision, and points on the circle."""

import math

import pytest
import torch
from matplotlib.mathtext import MathTextParser

from realitycheck.losses.members.contrastive_cosine import ContrastiveCosine
from realitycheck.losses.members.contrastive_squared import ContrastiveSquared
from realitycheck.losses.members.generalized_lifted import GeneralizedLifted
from realitycheck.losses.members.lifted_structure import LiftedStructure
from realitycheck.losses.members.n_pair import NPair
from realitycheck.losses.members.nt_xent import NTXent
from realitycheck.losses.members.sup_con import SupCon
from realitycheck.losses.members.triplet_batch_hard import TripletBatchHard
from realitycheck.losses.members.triplet_distance_weighted import TripletDistanceWeighted
from realitycheck.losses.members.triplet_semihard import TripletSemihard
from realitycheck.losses.parts.pairs import PairLoss, pair_masks
from realitycheck.testing import LossContract


class TestContrastiveSquaredContract(LossContract):
    def make(self):
        return ContrastiveSquared(margin=1.5)


class TestContrastiveCosineContract(LossContract):
    def make(self):
        return ContrastiveCosine(pos_margin=0.9, neg_margin=0.0)


class TestTripletBatchHardContract(LossContract):
    def make(self):
        return TripletBatchHard(margin=0.2)


class TestTripletSemihardContract(LossContract):
    def make(self):
        return TripletSemihard(margin=0.2)


class TestTripletDistanceWeightedContract(LossContract):
    draws = True

    def make(self):
        return TripletDistanceWeighted(margin=0.2, seed=5)


class TestNPairContract(LossContract):
    draws = True  # the order of the batch chooses the pairs

    def make(self):
        return NPair(l2=0.002)


class TestLiftedStructureContract(LossContract):
    def make(self):
        return LiftedStructure(neg_margin=1.0)


class TestGeneralizedLiftedContract(LossContract):
    def make(self):
        return GeneralizedLifted(neg_margin=1.0)


class TestNTXentContract(LossContract):
    def make(self):
        return NTXent(temperature=0.07)


class TestSupConContract(LossContract):
    def make(self):
        return SupCon(temperature=0.1)


CONTRACTS = [contract for contract in LossContract.__subclasses__() if contract.__module__ == __name__]
PAIRS = [contract for contract in CONTRACTS if issubclass(type(contract().make()), PairLoss) and not contract.draws]
UNIT = [TestNTXentContract, TestSupConContract, TestTripletBatchHardContract, TestTripletSemihardContract]
UNIT += [TestContrastiveSquaredContract, TestContrastiveCosineContract, TestTripletDistanceWeightedContract]
RAW = [TestNPairContract, TestLiftedStructureContract, TestGeneralizedLiftedContract]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_formula_can_be_drawn(contract):
    _, formula, _ = type(contract().make()).__doc__.split("$$")
    MathTextParser("path").parse("$" + " ".join(formula.split()) + "$")


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_stay_finite(contract, dtype):
    """With duplicates, one class only, no positives, one item alone, and lengths of 1e-3 and 1e3."""
    embeddings, labels = contract().batch()
    none, alone = torch.arange(len(labels)), torch.zeros(1, dtype=torch.int64)
    cases = [(embeddings, labels), (embeddings, 0 * labels), (embeddings, none), (embeddings[:1], alone)]
    cases += [(embeddings[:2].repeat(8, 1), labels), (1e-3 * embeddings, labels), (1e3 * embeddings, labels)]
    for points, classes in cases:
        leaf = points.detach().to(dtype).requires_grad_()
        value = contract().make()(leaf, classes)
        value.backward()
        assert torch.isfinite(value) and torch.isfinite(leaf.grad).all()


@pytest.mark.parametrize("contract", CONTRACTS)
def test_length_of_embeddings(contract):
    """It matters where the paper says so alone; there, one item alone has at most its penalty."""
    case = contract()
    (one, two), (embeddings, labels) = case.twins(), case.batch()
    same = torch.isclose(one(7 * embeddings, labels), two(embeddings, labels))
    assert same if contract in UNIT else not same
    assert contract in UNIT or contract in RAW
    assert one(embeddings[:1], labels[:1]).item() <= 0.002 * embeddings[0].square().sum()


@pytest.mark.parametrize("contract", PAIRS)
def test_others_may_come_in_any_order(contract):
    """As a cross-batch memory gives them: the batch's pairs with the columns permuted."""
    case = contract()
    loss, (embeddings, labels) = case.make(), case.batch()
    points, (positive, negative) = loss.points(embeddings), pair_masks(labels)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
    value = loss.between(points, points[order], positive[:, order], negative[:, order])
    torch.testing.assert_close(value, loss(embeddings, labels))


def circle(*degrees):
    angles = torch.tensor([math.radians(angle) for angle in degrees], dtype=torch.float64)
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def chord(degrees):
    return 2 * math.sin(math.radians(degrees) / 2)


THREE, FIRST_TWO = circle(0, 60, 150), torch.tensor([0, 0, 1])
"""Positives 60° apart: chord 1, cosine 1/2. Negatives 90° and 150° apart: cosines 0 and -√3/2."""

NEAR, FAR = math.sqrt(2), chord(150)


def test_contrastive_squared_on_the_circle():
    """Three pairs, each in two orders; the chord of 150° is beyond the margin."""
    value = ContrastiveSquared(margin=1.5)(3 * THREE, FIRST_TWO)
    assert value.item() == pytest.approx((1**2 + (1.5 - NEAR) ** 2) / 2 / 3)


def test_contrastive_cosine_on_the_circle():
    value = ContrastiveCosine(pos_margin=0.9, neg_margin=-0.5)(3 * THREE, FIRST_TWO)
    assert value.item() == pytest.approx((0.9 - 0.5) + (0.0 + 0.5))


def test_batch_hard_on_the_circle():
    """The anchor at 0° has 1 - chord(150°) + 0.5 below 0, which counts in the mean; the third has no positive."""
    value = TripletBatchHard(margin=0.5)(3 * THREE, FIRST_TWO)
    assert value.item() == pytest.approx((0 + 1.5 - NEAR) / 2)


def test_semihard_on_the_circle():
    """0° and 90° have no negative beyond their 90° and take the farthest; 25° and 60° the next beyond their 35°."""
    square = {degrees: chord(degrees) ** 2 for degrees in (30, 35, 60, 65, 90)}
    value = TripletSemihard(margin=0.9)(3 * circle(0, 90, 25, 60), torch.tensor([0, 0, 1, 1]))
    chosen = [(90, 60), (90, 65), (35, 65), (35, 60)]
    terms = [max(0.0, square[positive] - square[negative] + 0.9) for positive, negative in chosen]
    assert sum(term == 0 for term in terms) == 0
    assert value.item() == pytest.approx(sum(terms) / 4)


def test_distance_weighted_on_the_circle():
    """From 60°, 130° alone is nearer than 1.4; from 0°, both negatives are farther and give 0 whichever is drawn."""
    assert chord(70) < 1.4 < chord(120) and 1 - chord(130) + 0.3 < 0
    for seed in range(5):
        loss = TripletDistanceWeighted(margin=0.3, seed=seed)
        value = loss(3 * circle(0, 60, 130, 180), torch.tensor([0, 0, 1, 2]))
        assert value.item() == pytest.approx(1 - chord(70) + 0.3)


def test_n_pair_on_the_circle():
    """Anchors 0° and 90°, partners 60° and 180°; the fifth point, of length 2, enters the penalty alone."""
    points = torch.cat([circle(0, 60, 90, 180), 2 * circle(10)])
    value = NPair(l2=0.3)(points, torch.tensor([0, 0, 1, 1, 1]))
    entropy = math.log(1 + math.exp(-1 - 0.5)) + math.log(1 + math.exp(math.sqrt(3) / 2 - 0))
    assert value.item() == pytest.approx(entropy / 2 + 0.3 * (4 * 1**2 + 2**2) / 5)


def test_lifted_structure_on_the_circle():
    value = LiftedStructure(neg_margin=1.5)(THREE, FIRST_TWO)
    assert value.item() == pytest.approx((1 + math.log(math.exp(1.5 - FAR) + math.exp(1.5 - NEAR))) ** 2 / 2)


def test_generalized_lifted_on_the_circle():
    value = GeneralizedLifted(neg_margin=0.7)(THREE, FIRST_TWO)
    assert 1 + 0.7 - FAR < 0
    assert value.item() == pytest.approx((0 + 1 + 0.7 - NEAR) / 2)


def test_nt_xent_on_the_circle():
    value = NTXent(temperature=0.5)(3 * THREE, FIRST_TWO)
    far, near = math.exp((-math.sqrt(3) / 2 - 0.5) / 0.5), math.exp((0 - 0.5) / 0.5)
    assert value.item() == pytest.approx((math.log(1 + far) + math.log(1 + near)) / 2)


def test_sup_con_on_the_circle():
    """Positives at 0°, 60°, 90°, so that the anchors have two each; a negative at 180°."""
    value = SupCon(temperature=0.5)(3 * circle(0, 60, 90, 180), torch.tensor([0, 0, 0, 1]))
    half, most = 0.5, math.sqrt(3) / 2
    total = 0.0
    for near, far, other in [(half, 0, -1), (half, most, -half), (0, most, 0)]:
        total += math.log(sum(math.exp(similarity / 0.5) for similarity in (near, far, other))) - (near + far) / 2 / 0.5
    assert value.item() == pytest.approx(0.5 / 0.07 * total / 3)
