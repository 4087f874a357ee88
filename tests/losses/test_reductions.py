"""A loss at the values of a reduction is the other loss: the same value, and the same gradients."""

import pytest
import torch

from realitycheck import losses
from realitycheck.losses.reductions import REDUCTIONS, reductions

C, D = 5, 6
POINT, SLOPES = {"temperature": 3.0, "point": 3.0, "handicap": 1.5}, {"inner_slope": 0.4, "outer_slope": 1.7}
TRIPLET = {"margin": 0.2}
ABLATION = {**POINT, **SLOPES, "scale": 0.9}
WEIGHTS = {"positive_threshold": 0.9, "negative_threshold": 0.5}

CASES = {
    "cosface": [({"scale": 8.0}, {"temperature": 1 / 8})],
    "arcface": [({"scale": 8.0}, {"temperature": 1 / 8})],
    "arcface_periodic": [({"scale": 8.0}, {"temperature": 1 / 8})],
    "sphereface_r": [({"scale": 8.0}, {"temperature": 1 / 8})],
    "magface": [({"scale": 8.0, "lower_norm": 0.5, "upper_norm": 4.0}, {"temperature": 1 / 8})],
    "soft_triple": [
        ({"scale": 8.0, "gamma": 0.3, "regularizer": 0.2}, {"temperature": 1 / 8}),
        ({"scale": 8.0, "gamma": 0.3, "regularizer": 0.2, "margin": 0.1}, {"scale": 8.0, "margin": 0.1}),
    ],
    "proxy_gml": [({}, {"temperature": 1.0})],
    "warped_softmax": [(POINT, {"temperature": 3.0})],
    "softmax_ablation": [
        (ABLATION, {"temperature": 3.0}),
        ({**ABLATION, "outer_slope": 1.7}, {"temperature": 3.0}),
        ({**ABLATION, "inner_slope": 0.4}, {"temperature": 3.0}),
        (ABLATION, {"temperature": 3.0}),
        (ABLATION, {**POINT, **SLOPES}),
    ],
    "roadmap": [
        (
            {"temperature": 0.01, "rho": 100.0, "delta": 0.05, "pos_margin": 0.9, "neg_margin": 0.6},
            {"pos_margin": 0.9, "neg_margin": 0.6},
        )
    ],
    "cross_batch_memory(triplet)": [({**TRIPLET, "memory_size": 32, "memory_start": 0}, TRIPLET)],
    "hierarchical_proxy(normalized_softmax)": [
        ({"temperature": 0.2, "clusters": 2, "recluster_every": 3}, {"temperature": 0.2})
    ],
    "threshold_consistent_margin(triplet)": [({**TRIPLET, **WEIGHTS}, TRIPLET)],
}
"""Name → for each of its reductions, the other knobs of the loss, and all knobs of what it becomes by its formula."""

PAIRS = [
    (name, reduction, other, *knobs)
    for name, cases in CASES.items()
    for (reduction, other), knobs in zip(reductions(name), cases, strict=True)
]


def batch():
    drawn = torch.Generator().manual_seed(7)
    embeddings = torch.randn(12, D, generator=drawn, dtype=torch.float64)
    return embeddings, torch.arange(12) % 4


def outcome(loss, vectors):
    """The value, the gradient of the embeddings, and that of the class vectors where there are any."""
    loss = loss.double()
    own = {name: parameter for name, parameter in loss.named_parameters() if name.split(".")[-1] == "proxies"}
    with torch.no_grad():
        for parameter in own.values():
            parameter.copy_(vectors[: len(parameter)])
    embeddings, labels = batch()
    embeddings.requires_grad_()
    value = loss(embeddings, labels)
    value.backward()
    first = next(iter(own.values()), None)
    return [value.detach(), embeddings.grad, *([] if first is None else [first.grad])]


def test_every_reduction_has_a_case():
    assert {name.partition("(")[0] for name in CASES} == set(REDUCTIONS)


@pytest.mark.parametrize(("name", "reduction", "other", "knobs", "becomes"), PAIRS)
def test_the_reduced_loss_is_the_other_loss(name, reduction, other, knobs, becomes):
    vectors = torch.randn(C, D, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    sizes = {"num_classes": C, "embedding_dim": D}
    one = losses.build(name, **sizes, **{**knobs, **reduction.at})
    two = losses.build(other, **sizes, **becomes)
    for first, second in zip(outcome(one, vectors), outcome(two, vectors), strict=True):
        torch.testing.assert_close(first, second, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "reduction", "other", "knobs", "becomes"), PAIRS)
def test_with_another_value_it_is_not(name, reduction, other, knobs, becomes):
    """Each number of a reduction is needed: away from it, the two losses differ."""
    vectors = torch.randn(C, D, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    sizes = {"num_classes": C, "embedding_dim": D}
    two = outcome(losses.build(other, **sizes, **becomes), vectors)[0]
    for knob, value in reduction.at.items():
        if isinstance(value, str) or knob == "centers":
            continue  # another number of centres needs other class vectors
        moved = value - 0.5 if (knob, value) in (("ratio", 1), ("mix", 1), ("inner_slope", 1)) else value + 0.5
        one = losses.build(name, **sizes, **{**knobs, **reduction.at, knob: 30 * moved if value == 0 else moved})
        assert abs(outcome(one, vectors)[0] - two) > 1e-6, knob
