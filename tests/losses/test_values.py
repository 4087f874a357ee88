"""Values and gradients against pytorch-metric-learning, naive loops, and points on the circle by hand."""

import math

import pytest
import torch
from pytorch_metric_learning import losses as pml

from realitycheck.losses.members.contrastive import Contrastive
from realitycheck.losses.members.multi_similarity import MultiSimilarity
from realitycheck.losses.members.normalized_softmax import NormalizedSoftmax
from realitycheck.losses.members.triplet import Triplet

LABELS = torch.arange(24) // 4


def cloud(seed):
    return torch.randn(24, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def circle(*degrees):
    """Points on the unit circle, but of different lengths: every loss here normalises."""
    angles = [math.radians(angle) for angle in degrees]
    points = [[scale * math.cos(a), scale * math.sin(a)] for scale, a in zip((1, 3, 0.5, 2), angles, strict=False)]
    return torch.tensor(points, dtype=torch.float64)


def chord(degrees):
    return 2 * math.sin(math.radians(degrees) / 2)


PAIRS = [
    (Contrastive(pos_margin=0.0, neg_margin=1.0), pml.ContrastiveLoss(pos_margin=0.0, neg_margin=1.0)),
    (Contrastive(pos_margin=0.3, neg_margin=1.6), pml.ContrastiveLoss(pos_margin=0.3, neg_margin=1.6)),
    (Contrastive(pos_margin=-0.2, neg_margin=2.0), pml.ContrastiveLoss(pos_margin=-0.2, neg_margin=2.0)),
    (Triplet(margin=0.05), pml.TripletMarginLoss(margin=0.05)),
    (Triplet(margin=-0.2), pml.TripletMarginLoss(margin=-0.2)),
    (Triplet(margin=1.5), pml.TripletMarginLoss(margin=1.5)),
    (MultiSimilarity(alpha=2, beta=50, base=0.5), pml.MultiSimilarityLoss(alpha=2, beta=50, base=0.5)),
    (MultiSimilarity(alpha=100, beta=0.01, base=1), pml.MultiSimilarityLoss(alpha=100, beta=0.01, base=1)),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_agrees_with_pytorch_metric_learning(ours, theirs, seed):
    one, two = cloud(seed), cloud(seed)
    value, expected = ours(one, LABELS), theirs(two, LABELS)
    torch.testing.assert_close(value, expected)
    value.backward()
    expected.backward()
    torch.testing.assert_close(one.grad, two.grad, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("temperature", [0.01, 0.05, 1.0])
def test_normalized_softmax_agrees_with_pytorch_metric_learning(temperature):
    ours = NormalizedSoftmax(temperature=temperature, num_classes=6, embedding_dim=8).double()
    theirs = pml.NormalizedSoftmaxLoss(num_classes=6, embedding_size=8, temperature=temperature).double()
    with torch.no_grad():
        theirs.W.copy_(ours.proxies.T)
    one, two = cloud(0), cloud(0)
    value, expected = ours(one, LABELS), theirs(two, LABELS)
    torch.testing.assert_close(value, expected)
    value.backward()
    expected.backward()
    torch.testing.assert_close(one.grad, two.grad)
    torch.testing.assert_close(ours.proxies.grad, theirs.W.grad.T)


def test_normalized_softmax_is_proxy_nca_plus_plus():
    """For unit vectors |x - p|² = 2 - 2 cos, so a scale of 1/(2T) gives the same function."""
    ours = NormalizedSoftmax(temperature=0.25, num_classes=6, embedding_dim=8).double()
    theirs = pml.ProxyNCALoss(num_classes=6, embedding_size=8, softmax_scale=2).double()
    with torch.no_grad():
        theirs.proxies.copy_(ours.proxies)
    torch.testing.assert_close(ours(cloud(0), LABELS), theirs(cloud(0), LABELS))


def nonzero_mean(terms):
    kept = [term for term in terms if term > 0]
    return sum(kept) / len(kept) if kept else 0.0


def loops():
    """Distances, similarities and labels of a small cloud as plain numbers."""
    points = [[value / math.hypot(*row) for value in row] for row in cloud(3)[:12].tolist()]
    distance = [[math.dist(a, b) for b in points] for a in points]
    similarity = [[sum(x * y for x, y in zip(a, b, strict=True)) for b in points] for a in points]
    return distance, similarity, LABELS[:12].tolist()


def test_contrastive_by_loops():
    distance, _, label = loops()
    n = range(len(label))
    pull = nonzero_mean(distance[i][j] - 0.4 for i in n for j in n if i != j and label[i] == label[j])
    push = nonzero_mean(1.3 - distance[i][j] for i in n for j in n if label[i] != label[j])
    value = Contrastive(pos_margin=0.4, neg_margin=1.3)(cloud(3)[:12], LABELS[:12])
    assert value.item() == pytest.approx(pull + push)


def test_triplet_by_loops():
    d, _, label = loops()
    n = range(len(label))
    pairs = [(a, p) for a in n for p in n if a != p and label[a] == label[p]]
    expected = nonzero_mean(d[a][p] - d[a][q] + 0.1 for a, p in pairs for q in n if label[q] != label[a])
    assert Triplet(margin=0.1)(cloud(3)[:12], LABELS[:12]).item() == pytest.approx(expected)


def test_multi_similarity_by_loops():
    _, s, label = loops()
    n = range(len(label))
    total = 0.0
    for i in n:
        pull = sum(math.exp(-3 * (s[i][j] - 0.6)) for j in n if j != i and label[j] == label[i])
        push = sum(math.exp(20 * (s[i][j] - 0.6)) for j in n if label[j] != label[i])
        total += math.log(1 + pull) / 3 + math.log(1 + push) / 20
    value = MultiSimilarity(alpha=3, beta=20, base=0.6)(cloud(3)[:12], LABELS[:12])
    assert value.item() == pytest.approx(total / 12)


def test_contrastive_on_the_circle():
    """Positives 60° apart (chord 1); negatives 90° and 150° apart, only the first nearer than 1.5."""
    value = Contrastive(pos_margin=0.25, neg_margin=1.5)(circle(0, 60, 150), torch.tensor([0, 0, 1]))
    assert value.item() == pytest.approx((1 - 0.25) + (1.5 - math.sqrt(2)))


def test_triplet_on_the_circle():
    """Anchors at 0° and 60°: 1 - chord(150°) + 0.5 is below 0 and does not count, 1 - √2 + 0.5 does."""
    assert 1 - chord(150) + 0.5 < 0
    value = Triplet(margin=0.5)(circle(0, 60, 150), torch.tensor([0, 0, 1]))
    assert value.item() == pytest.approx(1.5 - math.sqrt(2))


def test_multi_similarity_on_the_circle():
    """Similarities 1/2 (positives), 0 and -√3/2 (negatives); the third point has no positive."""
    value = MultiSimilarity(alpha=1, beta=2, base=0.5)(circle(0, 60, 150), torch.tensor([0, 0, 1]))
    far, near = math.exp(2 * (-math.sqrt(3) / 2 - 0.5)), math.exp(2 * (0 - 0.5))
    push = (math.log(1 + far) + math.log(1 + near) + math.log(1 + far + near)) / 2
    assert value.item() == pytest.approx((2 * math.log(2) + push) / 3)


def test_normalized_softmax_on_the_circle():
    """Proxies at 0° and 90°, one embedding at 60° of the second class: cosines 1/2 and √3/2."""
    loss = NormalizedSoftmax(temperature=0.5, num_classes=2, embedding_dim=2).double()
    with torch.no_grad():
        loss.proxies.copy_(torch.tensor([[3.0, 0.0], [0.0, 0.2]]))
    value = loss(circle(60), torch.tensor([1]))
    assert value.item() == pytest.approx(math.log(1 + math.exp(2 * (0.5 - math.sqrt(3) / 2))))
