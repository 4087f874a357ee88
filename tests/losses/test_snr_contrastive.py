"""SNR contrastive loss: an oracle, loops, and points on the circle."""

import math

import pytest
import torch
from member_contracts import PairContract
from pair_cases import FIRST_TWO, THREE, UNEVEN, agree, cloud, negatives_of, positives_of
from pytorch_metric_learning import distances as pml_distances
from pytorch_metric_learning import losses as pml
from pytorch_metric_learning import regularizers

from realitycheck.losses.members.snr_contrastive import SNRContrastive
from realitycheck.losses.members.snr_contrastive_normalized import SNRContrastiveNormalized


class TestSNRContrastiveContract(PairContract):
    length_matters = True

    def make(self):
        return SNRContrastive(pos_margin=0.1, neg_margin=2.0, regularizer=0.1)


class TestSNRContrastiveNormalizedContract(PairContract):
    length_matters = True  # in the penalty

    def make(self):
        return SNRContrastiveNormalized(pos_margin=0.1, neg_margin=2.0, regularizer=0.1)


def snr_by_pml(pos_margin, neg_margin, weight, *, normalized=False):
    return pml.ContrastiveLoss(
        pos_margin=pos_margin,
        neg_margin=neg_margin,
        distance=pml_distances.SNRDistance(normalize_embeddings=normalized),
        embedding_regularizer=regularizers.ZeroMeanRegularizer(),
        embedding_reg_weight=weight,
    )


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("knobs", [(0.0, 1.0, 0.0), (0.3, 2.0, 0.15), (0.8, 3.0, 1.0)])
def test_snr_agrees_with_pytorch_metric_learning(knobs, seed):
    ours = SNRContrastive(**dict(zip(("pos_margin", "neg_margin", "regularizer"), knobs, strict=True)))
    agree(ours, snr_by_pml(*knobs), seed)


@pytest.mark.parametrize("knobs", [(0.0, 1.0, 0.0), (0.3, 2.0, 0.15)])
def test_the_normalised_form_agrees_with_pytorch_metric_learning(knobs):
    ours = SNRContrastiveNormalized(**dict(zip(("pos_margin", "neg_margin", "regularizer"), knobs, strict=True)))
    agree(ours, snr_by_pml(*knobs, normalized=True), 0)


def snr_by_loops(points, labels, pos_margin=0.6, neg_margin=2.5, weight=0.3):
    label, pull, push = labels.tolist(), [], []
    for i in range(len(label)):
        ratio = [torch.var(points[j] - points[i]) / torch.var(points[i]) for j in range(len(label))]
        pull += [ratio[j] - pos_margin for j in positives_of(label, i)]
        push += [neg_margin - ratio[j] for j in negatives_of(label, i)]
    kept = [[term for term in terms if term > 0] for terms in (pull, push)]
    penalty = sum(row.sum().abs() for row in points) / len(label)
    return sum(sum(terms) / len(terms) for terms in kept) + weight * penalty


@pytest.mark.parametrize("seed", [3, 4])
def test_agrees_with_loops(seed):
    """With classes of different sizes, one of a single item."""
    agree(SNRContrastive(pos_margin=0.6, neg_margin=2.5, regularizer=0.3), snr_by_loops, seed, UNEVEN)


def test_snr_ranks_as_the_euclidean_distance_where_sums_are_zero():
    points = cloud(0).detach()
    points = points - points.mean(dim=1, keepdim=True)
    ratio = (points[None] - points[:, None]).var(dim=2) / points.var(dim=1)[:, None]
    assert torch.equal(ratio.argsort(dim=1), torch.cdist(points, points).argsort(dim=1))


def test_snr_on_the_circle():
    """In two dimensions a variance is (x - y)² / 2; x - y is 1, at 60° (1 - √3)/2, and at 150° -(√3 + 1)/2."""
    a, b, c = 1.0, (1 - math.sqrt(3)) / 2, -(1 + math.sqrt(3)) / 2
    pull = ((a - b) ** 2 / a**2 - 0.5 + (a - b) ** 2 / b**2 - 0.5) / 2
    ratios = [(a - c) ** 2 / a**2, (a - c) ** 2 / c**2, (b - c) ** 2 / b**2, (b - c) ** 2 / c**2]
    push = [3.5 - ratio for ratio in ratios if ratio < 3.5]
    assert len(push) == 2
    penalty = (1 + (1 + math.sqrt(3)) / 2 + (math.sqrt(3) - 1) / 2) / 3
    value = SNRContrastive(pos_margin=0.5, neg_margin=3.5, regularizer=0.2)(THREE, FIRST_TWO)
    assert value.item() == pytest.approx(pull + sum(push) / 2 + 0.2 * penalty)
