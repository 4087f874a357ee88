"""MoCo: its queue by loops, and points on the circle."""

import copy
import math
from collections import deque

import pytest
import torch
from member_contracts import MemberContract
from memory_cases import batches, compiles
from torch.nn import functional

from realitycheck.losses.members.moco import MoCo


class TestMoCoContract(MemberContract):
    def make(self):
        return MoCo(temperature=0.1, momentum=0.999, queue_size=40, embedding_dim=self.dims)


@pytest.mark.parametrize("training", [True, False])
def test_moco_compiles_as_one_graph(training):
    knobs = {"temperature": 0.1, "momentum": 0.9, "queue_size": 20, "embedding_dim": 8}
    compiles(*(MoCo(**knobs).train(training) for _ in range(2)), backend="eager")


def test_compiled_gradients_are_those_of_the_memory_compared():
    """With a backward that computes anew what it needs, when the memory has already changed."""
    knobs = {"temperature": 0.1, "momentum": 0.9, "queue_size": 20, "embedding_dim": 8}
    compiles(MoCo(**knobs), MoCo(**knobs), backend="aot_eager_decomp_partition")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_moco_gradients_stay_finite(dtype):
    points, labels, keys = batches(1, dtype=dtype)[0]
    loss = MoCo(temperature=0.001, momentum=0.9, queue_size=20, embedding_dim=8)
    cases = [(points[:1], labels[:1]), (points, 0 * labels), (points, torch.arange(12)), (points, labels)]
    cases += [(points[:2].repeat(6, 1), labels), (0 * points, labels)]
    for batch, classes in cases:
        leaf = batch.clone().requires_grad_()
        value = loss(leaf, classes, keys=keys[: len(batch)])
        value.backward()
        assert torch.isfinite(value) and torch.isfinite(leaf.grad).all()


def test_moco_outside_of_training_the_queue_stays():
    loss = MoCo(temperature=0.1, momentum=0.9, queue_size=20, embedding_dim=8).double()
    (points, labels, keys), (more, classes, others) = batches(2)
    loss(points, labels, keys=keys)
    before = copy.deepcopy(loss.state_dict())
    assert torch.equal(*(loss.eval()(more, classes, keys=others) for _ in range(2)))
    assert all(torch.equal(value, before[name]) for name, value in loss.state_dict().items())


def moco_by_loops(query, labels, fresh, queue, temperature=0.3):
    """Item by item: log-probability of each key of its class against all of other classes."""
    others = [*zip(fresh, labels, strict=True), *queue]
    total = 0.0
    for row, label in zip(query, labels, strict=True):
        scores = [(torch.dot(row / row.norm(), key / key.norm()) / temperature, other) for key, other in others]
        wrong = sum(torch.exp(score) for score, other in scores if other != label)
        terms = [torch.log(torch.exp(score) / (torch.exp(score) + wrong)) for score, other in scores if other == label]
        total = total - sum(terms) / len(terms)
    return total / len(query)


@pytest.mark.parametrize("sizes", [(12,), (12, 5), (25, 3)])
def test_moco_by_loops(sizes):
    loss, queue = MoCo(temperature=0.3, momentum=0.9, queue_size=20, embedding_dim=8).double(), deque(maxlen=20)
    for points, labels, keys in batches(5, sizes=sizes):
        one, two = points.clone().requires_grad_(), points.clone().requires_grad_()
        queue.extend(zip(keys, labels.tolist(), strict=True))
        earlier = list(queue)[: max(0, len(queue) - len(keys))]
        value, expected = loss(one, labels, keys=keys), moco_by_loops(two, labels.tolist(), keys, earlier)
        torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-12)
        actual, wanted = torch.autograd.grad(value, one), torch.autograd.grad(expected, two)
        torch.testing.assert_close(actual, wanted, rtol=1e-7, atol=1e-9)


def test_moco_of_single_items_is_cross_entropy():
    """Each item's own key against all other keys of the batch and of the queue: InfoNCE."""
    loss, queue = (
        MoCo(temperature=0.07, momentum=0.9, queue_size=30, embedding_dim=8).double(),
        torch.zeros(0, 8).double(),
    )
    for step, (points, _, keys) in enumerate(batches(4)):
        queue = torch.cat([queue, keys])[-30:]  # the keys of the batch are the last
        candidates = functional.normalize(torch.cat([keys, queue[:-12]]), dim=1)
        logits = functional.normalize(points, dim=1) @ candidates.T / 0.07
        value = loss(points, torch.arange(12) + 12 * step, keys=keys)
        torch.testing.assert_close(value, functional.cross_entropy(logits, torch.arange(12)))


def test_moco_on_the_circle():
    """First one class: 0. Then an item at 90°, its key at 60°; a queue of it, 0° and 180°: cosines √3/2, 0 and 0."""
    loss = MoCo(temperature=0.5, momentum=0.9, queue_size=3, embedding_dim=2).double()
    axis = torch.tensor([[2.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    assert loss(axis, torch.tensor([3, 3]), keys=axis).item() == 0
    item, key = torch.tensor([[[0.0, 4.0]], [[1.0, math.sqrt(3)]]], dtype=torch.float64)
    value = loss(item, torch.tensor([1]), keys=key)
    assert value.item() == pytest.approx(math.log(1 + 2 * math.exp((0 - math.sqrt(3) / 2) / 0.5)))


def test_moco_keys_carry_no_gradient():
    points, labels, keys = batches(1)[0]
    leaf, copied = points.requires_grad_(), keys.requires_grad_()
    MoCo(temperature=0.3, momentum=0.9, queue_size=20, embedding_dim=8).double()(leaf, labels, keys=copied).backward()
    assert leaf.grad.any() and copied.grad is None
