"""Written gradients: finite differences, and autograd on the helpers' values."""

import pytest
import torch

from realitycheck.losses.members.contrastive import Contrastive
from realitycheck.losses.members.contrastive_cosine import ContrastiveCosine
from realitycheck.losses.members.contrastive_squared import ContrastiveSquared
from realitycheck.losses.members.generalized_lifted import GeneralizedLifted
from realitycheck.losses.members.lifted_structure import LiftedStructure
from realitycheck.losses.members.margin import Margin
from realitycheck.losses.members.margin_per_class import MarginPerClass
from realitycheck.losses.members.multi_similarity import MultiSimilarity
from realitycheck.losses.members.multi_similarity_mined import MultiSimilarityMined
from realitycheck.losses.members.nt_xent import NTXent
from realitycheck.losses.members.sup_con import SupCon
from realitycheck.losses.members.triplet import Triplet
from realitycheck.losses.members.triplet_batch_hard import TripletBatchHard
from realitycheck.losses.members.triplet_semihard import TripletSemihard
from realitycheck.losses.parts import slopes
from realitycheck.losses.parts.proxies import cosines

LOSSES = {
    "contrastive": Contrastive(pos_margin=0.1, neg_margin=1.5),
    "contrastive_cosine": ContrastiveCosine(pos_margin=0.9, neg_margin=0.0),
    "contrastive_squared": ContrastiveSquared(margin=1.5),
    "generalized_lifted": GeneralizedLifted(neg_margin=1.0),
    "lifted_structure": LiftedStructure(neg_margin=1.0),
    "margin": Margin(margin=0.3, beta=1.1),
    "margin_per_class": MarginPerClass(margin=0.3, beta=1.1, num_classes=5),
    "multi_similarity": MultiSimilarity(alpha=2.0, beta=5.0, base=0.5),
    "multi_similarity_mined": MultiSimilarityMined(alpha=2.0, beta=5.0, base=0.5, epsilon=0.3),
    "nt_xent": NTXent(temperature=0.3),
    "sup_con": SupCon(temperature=0.3),
    "triplet": Triplet(margin=0.3),
    "triplet_batch_hard": TripletBatchHard(margin=0.8),
    "triplet_semihard": TripletSemihard(margin=0.8),
}
LABELS = torch.tensor([0, 1, 2, 0, 1, 3, 2, 0, 4, 3])


def points(seed, count=10):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 6, generator=generator, dtype=torch.float64).requires_grad_()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_finite_differences(name, seed):
    loss = LOSSES[name].double()
    inputs = (points(seed), *loss.parameters())
    assert torch.autograd.gradcheck(lambda batch, *_: loss(batch, LABELS), inputs, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "margin_per_class"])
def test_gradients_against_other_points_are_finite_differences(name):
    loss, labels = LOSSES[name].double(), torch.arange(13) % 5
    same, compared = LABELS[:, None] == labels, torch.rand(10, 13, generator=torch.Generator().manual_seed(2)) < 0.8
    masks = same & compared, ~same & compared
    assert torch.autograd.gradcheck(lambda a, b: loss.between(a, b, *masks), (points(3), points(4, 13)), atol=1e-6)


def with_masks(seed):
    generator = torch.Generator().manual_seed(seed)
    values = 3 * torch.randn(7, 9, generator=generator, dtype=torch.float64)
    mask = torch.rand(7, 9, generator=generator) < 0.4
    mask[2] = False
    return values, mask


def over_rows(function):
    """A naive version: `function` of the list of the row's values under the mask, 0 for an empty row."""

    def of(values, mask):
        rows = [row[chosen] for row, chosen in zip(values, mask, strict=True)]
        return torch.stack([function(row) if len(row) else row.sum() for row in rows])[:, None]

    return of


NAIVE = {
    "log_one_plus_sum_exp": over_rows(lambda row: row.exp().sum().log1p()),
    "log_sum_exp": over_rows(lambda row: row.exp().sum().log()),
    "largest": over_rows(lambda row: row.max()),
    "row_mean": over_rows(lambda row: row.mean()),
}


@pytest.mark.parametrize("name", NAIVE)
def test_values_and_slopes_of_rows(name):
    values, mask = with_masks(5)
    leaf = values.clone().requires_grad_()
    expected = NAIVE[name](leaf, mask)
    value, slope = getattr(slopes, name)(values.clone(), mask.double())
    filled = mask.any(dim=1)
    torch.testing.assert_close(value[filled], expected[filled].detach())
    torch.testing.assert_close(slope[filled], torch.autograd.grad(expected.sum(), leaf)[0][filled])
    assert slope.isfinite().all() and value.isfinite().all()


def test_the_mean_over_terms_above_zero():
    values, mask = with_masks(6)
    leaf = values.clone().requires_grad_()
    above = leaf[mask & (values > 0)]
    value, slope = slopes.hinge_mean(values.clone(), mask.double())
    torch.testing.assert_close(value, above.mean().detach())
    torch.testing.assert_close(slope, torch.autograd.grad(above.mean(), leaf)[0])


def test_a_mean_without_terms_is_zero_without_a_slope():
    value, slope = slopes.hinge_mean(torch.full((2, 3), -1.0), torch.ones(2, 3))
    assert value == 0 and not slope.any()
    value, slope = slopes.masked_mean(torch.ones(2, 3), torch.zeros(2, 3))
    assert value == 0 and not slope.any()


def test_gradients_of_cosines_are_finite_differences():
    assert torch.autograd.gradcheck(cosines, (points(5), points(6, 4)), atol=1e-6)


def test_cosines_of_a_row_of_zeros_are_zero_with_a_finite_gradient():
    rows = torch.zeros(2, 3, requires_grad=True)
    values = cosines(rows, torch.eye(3))
    values.sum().backward()
    assert not values.any() and rows.grad.isfinite().all()
