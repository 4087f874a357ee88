"""Mined, weighted and contextual losses on pairs: contracts, oracles, loops, and points on the circle by hand."""

import math

import pytest
import torch
from matplotlib.mathtext import MathTextParser
from pytorch_metric_learning import distances as pml_distances
from pytorch_metric_learning import losses as pml
from pytorch_metric_learning import miners, regularizers

from realitycheck.losses.cbml import CBML
from realitycheck.losses.circle import Circle
from realitycheck.losses.contextual import Contextual
from realitycheck.losses.margin import Margin
from realitycheck.losses.margin_per_class import MarginPerClass
from realitycheck.losses.multi_similarity import MultiSimilarity
from realitycheck.losses.multi_similarity_mined import MultiSimilarityMined
from realitycheck.losses.pairs import PairLoss, pair_masks
from realitycheck.losses.snr_contrastive import SNRContrastive
from realitycheck.testing import LossContract

CBML_KNOBS = {"pos_base": 0.5, "pos_temperature": 0.5, "neg_base": 0.4, "neg_temperature": 0.1}
CBML_KNOBS |= {"epsilon": 0.2, "variance_weight": 0.7, "pos_share": 0.3}
CONTEXTUAL_KNOBS = {"context_weight": 0.4, "mean_weight": 0.1, "mean_similarity": 0.25, "epsilon": 0.05}
CONTEXTUAL_KNOBS |= {"pos_margin": 0.75, "neg_margin": 0.2}


class TestMultiSimilarityMinedContract(LossContract):
    def make(self):
        return MultiSimilarityMined(alpha=2.0, beta=50.0, base=0.5, epsilon=0.1)


class TestCircleContract(LossContract):
    def make(self):
        return Circle(margin=0.4, gamma=80.0)


class TestMarginContract(LossContract):
    def make(self):
        return Margin(margin=0.2, beta=1.2)


class TestMarginPerClassContract(LossContract):
    numbered = True

    def make(self):
        return MarginPerClass(margin=0.2, beta=1.2, num_classes=self.classes)


class TestSNRContrastiveContract(LossContract):
    def make(self):
        return SNRContrastive(pos_margin=0.1, neg_margin=2.0, regularizer=0.1)


class TestCBMLContract(LossContract):
    def make(self):
        return CBML(**CBML_KNOBS)


class TestContextualContract(LossContract):
    def make(self):
        return Contextual(**CONTEXTUAL_KNOBS)


CONTRACTS = [each for each in LossContract.__subclasses__() if each.__module__ == __name__]
PAIRS = [each for each in CONTRACTS if isinstance(each().make(), PairLoss)]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_formula_can_be_drawn(contract):
    _, formula, _ = type(contract().make()).__doc__.split("$$")
    MathTextParser("path").parse("$" + " ".join(formula.split()) + "$")


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("training", [True, False])
def test_compiles_as_one_graph(contract, training):
    case = contract()
    loss, (embeddings, labels) = case.make().train(training), case.batch()
    torch._dynamo.reset()
    compiled = torch.compile(loss, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(embeddings, labels), loss(embeddings, labels))


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_stay_finite(contract, dtype):
    """With duplicates, one class only, no positives, one item alone, zeros, and lengths of 1e-3 and 1e3."""
    embeddings, labels = contract().batch()
    cases = [(embeddings, labels), (embeddings, 0 * labels), (embeddings[:4], torch.arange(4))]
    cases += [(embeddings[:1], labels[:1]), (embeddings[:2].repeat(8, 1), labels), (0 * embeddings, labels)]
    cases += [(1e-3 * embeddings, labels), (1e3 * embeddings, labels)]
    for points, classes in cases:
        leaf, loss = points.detach().to(dtype).requires_grad_(), contract().make()
        value = loss(leaf, classes)
        value.backward()
        found = [leaf.grad, *(each.grad for each in loss.parameters())]
        assert torch.isfinite(value) and all(torch.isfinite(each).all() for each in found)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_length_of_embeddings(contract):
    """It matters where the paper says so alone."""
    loss, (embeddings, labels) = contract().make(), contract().batch()
    same = torch.isclose(loss(7 * embeddings, labels), loss(embeddings, labels))
    assert same != (contract is TestSNRContrastiveContract)


@pytest.mark.parametrize("contract", PAIRS)
def test_others_may_come_in_any_order(contract):
    """As a cross-batch memory gives them: the batch's pairs with the columns permuted."""
    loss, (embeddings, labels) = contract().make(), contract().batch()
    points, (positive, negative) = loss.points(embeddings), pair_masks(labels)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
    value = loss.between(points, points[order], positive[:, order], negative[:, order])
    torch.testing.assert_close(value, loss.between(points, points, positive, negative))


LABELS = torch.arange(24) // 4


def cloud(seed, size=24):
    """Points of different lengths; items of one class lie somewhat nearer."""
    generator = torch.Generator().manual_seed(seed)
    centers = torch.randn(6, 8, dtype=torch.float64, generator=generator)
    points = centers[LABELS] + 1.2 * torch.randn(24, 8, dtype=torch.float64, generator=generator)
    return points[:size].requires_grad_()


def agree(ours, theirs, seed, labels=LABELS):
    """In value and gradients, those of parameters in their order included."""
    ours, one, two = ours.double(), cloud(seed, len(labels)), cloud(seed, len(labels))
    learned = list(theirs.parameters()) if isinstance(theirs, torch.nn.Module) else []
    value, expected = ours(one, labels), theirs(two, labels)
    torch.testing.assert_close(value, expected.reshape(()), rtol=1e-9, atol=1e-12)
    found = torch.autograd.grad(value, [one, *ours.parameters()])
    wanted = torch.autograd.grad(expected, [two, *learned])
    assert found[0].any()
    for mine, other in zip(found, wanted, strict=len(wanted) > 1):
        torch.testing.assert_close(mine, other.reshape(mine.shape), rtol=1e-7, atol=1e-9)


def mined_by_pml(alpha, beta, base, epsilon):
    loss, miner = pml.MultiSimilarityLoss(alpha=alpha, beta=beta, base=base), miners.MultiSimilarityMiner(epsilon)
    return lambda points, labels: loss(points, labels, miner(points, labels))


def snr_by_pml(pos_margin, neg_margin, weight):
    return pml.ContrastiveLoss(
        pos_margin=pos_margin,
        neg_margin=neg_margin,
        distance=pml_distances.SNRDistance(normalize_embeddings=False),
        embedding_regularizer=regularizers.ZeroMeanRegularizer(),
        embedding_reg_weight=weight,
    )


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("knobs", [(2, 50, 0.5, 0.1), (18, 75, 0.8, 0.4), (2, 50, 0.5, 0.0), (2, 50, 0.5, -0.4)])
def test_mined_multi_similarity_agrees_with_pytorch_metric_learning(knobs, seed):
    ours = MultiSimilarityMined(**dict(zip(("alpha", "beta", "base", "epsilon"), knobs, strict=True)))
    agree(ours, mined_by_pml(*knobs), seed)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("margin", "gamma"), [(0.4, 80), (0.25, 1), (0.0, 20), (1.0, 5)])
def test_circle_agrees_with_pytorch_metric_learning(margin, gamma, seed):
    agree(Circle(margin=margin, gamma=gamma), pml.CircleLoss(m=margin, gamma=gamma), seed)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("margin", "beta"), [(0.2, 1.2), (0.08, 0.9), (-0.1, 1.1), (2.0, 0.5)])
def test_margin_agrees_with_pytorch_metric_learning(margin, beta, seed):
    agree(Margin(margin=margin, beta=beta), pml.MarginLoss(margin=margin, beta=beta, learn_beta=True).double(), seed)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("labels", [LABELS, torch.tensor([0] * 7 + [1] * 3 + [2] + [4] * 6 + [5] * 7)])
def test_margin_per_class_agrees_with_pytorch_metric_learning(labels, seed):
    ours = MarginPerClass(margin=0.2, beta=1.0, num_classes=6).double()
    theirs = pml.MarginLoss(margin=0.2, beta=1.0, learn_beta=True, num_classes=6).double()
    with torch.no_grad():
        for beta in (ours.beta, theirs.beta):
            beta.copy_(torch.tensor([0.9, 1.0, 1.1, 1.2, 1.3, 1.4]))
    agree(ours, theirs, seed, labels)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("knobs", [(0.0, 1.0, 0.0), (0.3, 2.0, 0.15), (0.8, 3.0, 1.0)])
def test_snr_agrees_with_pytorch_metric_learning(knobs, seed):
    ours = SNRContrastive(**dict(zip(("pos_margin", "neg_margin", "regularizer"), knobs, strict=True)))
    agree(ours, snr_by_pml(*knobs), seed)


UNEVEN = torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 3])
"""Classes of 4, 3, 4 and 1 items."""


def unit_rows(points):
    return [row / row.norm() for row in points]


def pair_values(points, function):
    rows = unit_rows(points)
    return [[function(a, b) for b in rows] for a in rows]


def positives_of(label, anchor):
    return [j for j, each in enumerate(label) if each == label[anchor] and j != anchor]


def negatives_of(label, anchor):
    return [j for j, each in enumerate(label) if each != label[anchor]]


def mined(s, label, i, epsilon):
    positives, negatives = positives_of(label, i), negatives_of(label, i)
    if not positives or not negatives:
        return [], []
    top, bottom = max(s[i][n] for n in negatives), min(s[i][p] for p in positives)
    kept = [p for p in positives if s[i][p] - epsilon < top], [n for n in negatives if s[i][n] + epsilon > bottom]
    return kept if kept[0] and kept[1] else ([], [])


def mined_by_loops(points, labels, alpha=3.0, beta=20.0, base=0.6, epsilon=0.1):
    s, label, total = pair_values(points, torch.dot), labels.tolist(), 0.0
    for i in range(len(label)):
        positives, negatives = mined(s, label, i, epsilon)
        if positives:
            total = total + torch.log(1 + sum(torch.exp(-alpha * (s[i][p] - base)) for p in positives)) / alpha
            total = total + torch.log(1 + sum(torch.exp(beta * (s[i][n] - base)) for n in negatives)) / beta
    return total / len(label)


def circle_by_loops(points, labels, m=0.3, gamma=10.0):
    s, label, terms = pair_values(points, torch.dot), labels.tolist(), []
    for i in range(len(label)):
        positives, negatives = positives_of(label, i), negatives_of(label, i)
        if positives and negatives:
            pull = [max(0.0, 1 + m - s[i][p].item()) * (s[i][p] - 1 + m) for p in positives]
            push = [max(0.0, s[i][n].item() + m) * (s[i][n] - m) for n in negatives]
            product = sum(torch.exp(gamma * each) for each in push) * sum(torch.exp(-gamma * each) for each in pull)
            terms.append(torch.log(1 + product))
    return sum(terms) / len(terms)


def margin_by_loops(boundaries):
    def loss(points, labels, m=0.2):
        d, label, terms = pair_values(points, lambda a, b: torch.dist(a, b)), labels.tolist(), []
        for a in range(len(label)):
            for p in positives_of(label, a):
                for n in negatives_of(label, a):
                    beta = boundaries[label[a]]
                    terms += [d[a][p] - beta + m, beta - d[a][n] + m]
        kept = [term for term in terms if term > 0]
        return sum(kept) / len(kept)

    return loss


def snr_by_loops(points, labels, pos_margin=0.6, neg_margin=2.5, weight=0.3):
    label, pull, push = labels.tolist(), [], []
    for i in range(len(label)):
        ratio = [torch.var(points[j] - points[i]) / torch.var(points[i]) for j in range(len(label))]
        pull += [ratio[j] - pos_margin for j in positives_of(label, i)]
        push += [neg_margin - ratio[j] for j in negatives_of(label, i)]
    kept = [[term for term in terms if term > 0] for terms in (pull, push)]
    penalty = sum(row.sum().abs() for row in points) / len(label)
    return sum(sum(terms) / len(terms) for terms in kept) + weight * penalty


def cbml_by_loops(points, labels):
    a_p, b_p, a_n, b_n, epsilon, w, h = CBML_KNOBS.values()
    s, label, total = pair_values(points, torch.dot), labels.tolist(), 0.0
    for i in range(len(label)):
        positives, negatives = mined(s, label, i, epsilon)
        if positives:
            pos = [s[i][p] for p in positives_of(label, i)]
            neg = [s[i][n] for n in negatives_of(label, i)]
            mu = h * sum(pos) / len(pos) + (1 - h) * sum(neg) / len(neg)
            total = total + torch.log(1 + sum(torch.exp(-(s[i][p] - a_p) / b_p) for p in positives))
            total = total + torch.log(1 + sum(torch.exp((s[i][n] - a_n) / b_n) for n in negatives))
            total = total + w * sum((each - mu) ** 2 for each in neg)
    return total / len(label)


class Step(torch.autograd.Function):
    """1 from 0 on, and a slope of 10."""

    @staticmethod
    def forward(ctx, x):
        return (x >= 0).to(x.dtype)

    @staticmethod
    def backward(ctx, gradient):
        return 10 * gradient


def contextual_by_loops(points, labels):
    """Item by item, with numbers where the authors' code takes no gradient."""
    lam, gamma, tau, epsilon, m_p, m_n = CONTEXTUAL_KNOBS.values()
    s, label = pair_values(points, torch.dot), labels.tolist()
    n = range(len(label))
    square = [[2 - 2 * s[i][j] if i != j else torch.zeros_like(s[i][j]) for j in n] for i in n]

    def near(i, rank):
        limit = sorted(each.item() for each in square[i])[rank - 1] + epsilon
        return [Step.apply(limit - square[i][j]) for j in n]

    sizes = [label.count(each) for each in label]
    full, half = [near(i, sizes[i]) for i in n], [near(i, max(1, sizes[i] // 2)) for i in n]
    inside = [sum(row).item() for row in full]

    def weight(i, j):
        both = sum(full[i][k] * full[j][k] for k in n) / inside[i]
        neither = sum((1 - full[i][k]) * (1 - full[j][k]) for k in n) / (len(label) - inside[i])
        return (both + neither) / 2 * full[i][j]

    w = [[weight(i, j) for j in n] for i in n]
    mutual = [[half[i][k] * half[k][i] for k in n] for i in n]
    mean = [[sum(mutual[i][k] * w[k][j] for k in n) / sum(mutual[i]) for j in n] for i in n]
    context = (
        sum((float(label[i] == label[j]) - (mean[i][j] + mean[j][i]) / 2) ** 2 for i in n for j in n if i != j)
        / len(label) ** 2
    )
    level = (sum(sum(row) for row in s) / len(label) ** 2 - tau) ** 2
    pull = [m_p - s[i][j] for i in n for j in positives_of(label, i) if s[i][j] < m_p]
    push = [s[i][j] - m_n for i in n for j in negatives_of(label, i) if s[i][j] > m_n]
    contrast = sum(pull) / len(pull) + sum(push) / len(push)
    return lam * context + gamma * level + (1 - lam - gamma) * contrast


LOOPS = [
    (MultiSimilarityMined(alpha=3.0, beta=20.0, base=0.6, epsilon=0.1), mined_by_loops),
    (Circle(margin=0.3, gamma=10.0), circle_by_loops),
    (Margin(margin=0.2, beta=1.125), margin_by_loops([1.125] * 4)),
    (MarginPerClass(margin=0.2, beta=1.125, num_classes=4), margin_by_loops([1.125] * 4)),
    (SNRContrastive(pos_margin=0.6, neg_margin=2.5, regularizer=0.3), snr_by_loops),
    (CBML(**CBML_KNOBS), cbml_by_loops),
    (Contextual(**CONTEXTUAL_KNOBS), contextual_by_loops),
]


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize(("ours", "loops"), LOOPS)
def test_agrees_with_loops(ours, loops, seed):
    """With classes of different sizes, one of a single item."""
    agree(ours, loops, seed, UNEVEN)


def test_contextual_neighbours_as_sets():
    """The contextual similarity from Python sets, on classes of five."""
    knobs = {**CONTEXTUAL_KNOBS, "context_weight": 1.0, "mean_weight": 0.0, "epsilon": 0.4}
    points, label = cloud(5, 20), [0, 1, 2, 3] * 5
    rows = [[each / math.hypot(*row) for each in row] for row in points.tolist()]
    square = [[math.dist(a, b) ** 2 for b in rows] for a in rows]
    everyone = set(range(20))

    def near(i, rank):
        return {j for j in everyone if square[i][j] <= sorted(square[i])[rank - 1] + 0.4}

    full, half = [near(i, 5) for i in range(20)], [near(i, 2) for i in range(20)]
    w = [[0.0] * 20 for _ in range(20)]
    for i in everyone:
        for j in full[i]:
            neither = len((everyone - full[i]) & (everyone - full[j])) / (20 - len(full[i]))
            w[i][j] = (len(full[i] & full[j]) / len(full[i]) + neither) / 2
    mutual = [[k for k in half[i] if i in half[k]] for i in range(20)]
    mean = [[sum(w[k][j] for k in mutual[i]) / len(mutual[i]) for j in range(20)] for i in range(20)]
    gaps = [((label[i] == label[j]) - (mean[i][j] + mean[j][i]) / 2) ** 2 for i in everyone for j in everyone if i != j]
    assert max(len(each) for each in mutual) > 2
    assert Contextual(**knobs)(points, torch.tensor(label)).item() == pytest.approx(sum(gaps) / 400)


def test_contextual_without_context_is_contrastive():
    cosine = pml_distances.CosineSimilarity()
    knobs = {**CONTEXTUAL_KNOBS, "context_weight": 0.0, "mean_weight": 0.0}
    agree(Contextual(**knobs), pml.ContrastiveLoss(pos_margin=0.75, neg_margin=0.2, distance=cosine), 0)


def test_mining_with_a_wide_epsilon_keeps_all():
    one, two = (
        MultiSimilarityMined(alpha=2, beta=50, base=0.5, epsilon=2.1),
        MultiSimilarity(alpha=2, beta=50, base=0.5),
    )
    assert torch.equal(one(cloud(0), LABELS), two(cloud(0), LABELS))


def test_cbml_without_variance_is_mined_multi_similarity():
    """At temperatures of 1 and one base."""
    knobs = {"pos_base": 0.4, "pos_temperature": 1.0, "neg_base": 0.4, "neg_temperature": 1.0, "epsilon": 0.1}
    value = CBML(**knobs, variance_weight=0.0, pos_share=0.5)(cloud(0), LABELS)
    expected = MultiSimilarityMined(alpha=1.0, beta=1.0, base=0.4, epsilon=0.1)(cloud(0), LABELS)
    torch.testing.assert_close(value, expected)


def test_snr_ranks_as_the_euclidean_distance_where_sums_are_zero():
    points = cloud(0).detach()
    points = points - points.mean(dim=1, keepdim=True)
    ratio = (points[None] - points[:, None]).var(dim=2) / points.var(dim=1)[:, None]
    assert torch.equal(ratio.argsort(dim=1), torch.cdist(points, points).argsort(dim=1))


def circle(*degrees):
    angles = torch.tensor([math.radians(each) for each in degrees], dtype=torch.float64)
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def chord(degrees):
    return 2 * math.sin(math.radians(degrees) / 2)


def cosine(degrees):
    return math.cos(math.radians(degrees))


THREE, FIRST_TWO = circle(0, 60, 150), torch.tensor([0, 0, 1])
"""Positives 60° apart: cosine 1/2. Negatives 90° and 150° apart: cosines 0 and -√3/2. The third has no positive."""


def test_mined_multi_similarity_on_the_circle():
    """Within 0.6 of 1/2 lies 0, from 60°, but not -√3/2, from 0°: that anchor adds nothing."""
    value = MultiSimilarityMined(alpha=1, beta=2, base=0.3, epsilon=0.6)(3 * THREE, FIRST_TWO)
    expected = math.log(1 + math.exp(-(0.5 - 0.3))) + math.log(1 + math.exp(2 * (0 - 0.3))) / 2
    assert value.item() == pytest.approx(expected / 3)


def test_circle_on_the_circle():
    """At a margin of 1/4 the negative at cosine -√3/2 weighs nothing, and is one all the same: e^0."""
    pull = -8 * (1.25 - 0.5) * (0.5 - 0.75)
    first, second = math.log(1 + math.exp(pull)), math.log(1 + math.exp(pull + 8 * 0.25 * (0 - 0.25)))
    value = Circle(margin=0.25, gamma=8)(3 * THREE, FIRST_TWO)
    assert value.item() == pytest.approx((first + second) / 2)


def test_margin_on_the_circle():
    """Both positives are 0.1 too far, one negative 1.5 - √2 too near, the other far enough."""
    assert 1.2 - chord(150) + 0.3 < 0
    value = Margin(margin=0.3, beta=1.2)(3 * THREE, FIRST_TWO)
    assert value.item() == pytest.approx((0.1 + 0.1 + 1.5 - math.sqrt(2)) / 3)


def test_margin_per_class_on_the_circle():
    """Pairs 60° and 30° wide, boundaries 0.9 and 0.7; from 60° and 150° a negative is 90° away, all others farther."""
    loss = MarginPerClass(margin=0.55, beta=0.9, num_classes=3).double()
    with torch.no_grad():
        loss.beta.copy_(torch.tensor([0.9, 0.7, 5.0]))
    pulls = 2 * [1 - 0.9 + 0.55] + 2 * [chord(30) - 0.7 + 0.55]
    pushes = [0.9 - chord(90) + 0.55]
    assert 0.7 - chord(90) + 0.55 < 0 and 0.9 - chord(120) + 0.55 < 0
    value = loss(3 * circle(0, 60, 150, 180), torch.tensor([0, 0, 1, 1]))
    assert value.item() == pytest.approx((2 * sum(pulls) + sum(pushes)) / (2 * 4 + 1))


def test_snr_on_the_circle():
    """In two dimensions a variance is (x - y)² / 2; x - y is 1, at 60° (1 - √3)/2, and at 150° -(√3 + 1)/2."""
    a, b, c = 1.0, (1 - math.sqrt(3)) / 2, -(1 + math.sqrt(3)) / 2
    pull = ((a - b) ** 2 / a**2 - 0.5 + (a - b) ** 2 / b**2 - 0.5) / 2
    ratios = [(a - c) ** 2 / a**2, (a - c) ** 2 / c**2, (b - c) ** 2 / b**2, (b - c) ** 2 / c**2]
    push = [3 - each for each in ratios if each < 3]
    assert len(push) == 2
    penalty = (1 + (1 + math.sqrt(3)) / 2 + (math.sqrt(3) - 1) / 2) / 3
    value = SNRContrastive(pos_margin=0.5, neg_margin=3.0, regularizer=0.2)(THREE, FIRST_TWO)
    assert value.item() == pytest.approx(pull + sum(push) / 2 + 0.2 * penalty)


def test_cbml_on_the_circle():
    """As mined above, anchor 60° alone: its mean is 0.2·1/2 + 0.8·(-√3/4), over its negatives 0 and, at 210°, -√3/2."""
    knobs = {"pos_base": 0.7, "pos_temperature": 0.5, "neg_base": 0.9, "neg_temperature": 0.3}
    loss = CBML(**knobs, epsilon=0.6, variance_weight=2.0, pos_share=0.2)
    value = loss(3 * circle(0, 60, 150, 210), torch.tensor([0, 0, 1, 2]))
    negatives = [0.0, -math.sqrt(3) / 2]
    mean = 0.2 * 0.5 + 0.8 * sum(negatives) / 2
    pull, push = math.log(1 + math.exp(-(0.5 - 0.7) / 0.5)), math.log(1 + math.exp((0 - 0.9) / 0.3))
    assert value.item() == pytest.approx((pull + push + 2 * sum((each - mean) ** 2 for each in negatives)) / 4)


def test_contextual_on_the_circle():
    """Two nearest: {0, 20}, {20, 0}, {50, 20}, {100, 50}. J is 1 for 0 and 20, 1/4 for 20 and 50 and for 50 and 100."""
    knobs = {"context_weight": 0.5, "mean_weight": 0.2, "mean_similarity": 0.25, "epsilon": 0.0}
    value = Contextual(**knobs, pos_margin=0.9, neg_margin=0.5)(3 * circle(0, 20, 50, 100), torch.tensor([0, 0, 1, 1]))
    context = (2 * 0.75**2 + 2 * 0.25**2) / 16
    mean = (4 + 2 * sum(cosine(each) for each in (20, 50, 100, 30, 80, 50))) / 16
    pull, push = 0.9 - cosine(50), (cosine(50) + cosine(30) - 2 * 0.5) / 2
    assert cosine(20) > 0.9 and cosine(80) < 0.5
    assert value.item() == pytest.approx(0.5 * context + 0.2 * (mean - 0.25) ** 2 + 0.3 * (pull + push))
