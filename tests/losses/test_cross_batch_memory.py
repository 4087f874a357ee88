"""Cross-batch memory: what is compared, and how it resumes from a checkpoint."""

import copy
import math
from collections import deque

import pytest
import torch
from member_contracts import MemberContract
from memory_cases import BASES, batches, compiles, wrapped
from pytorch_metric_learning import losses as pml

from realitycheck.losses.members.circle import Circle
from realitycheck.losses.members.contrastive import Contrastive
from realitycheck.losses.members.margin import Margin
from realitycheck.losses.members.multi_similarity import MultiSimilarity
from realitycheck.losses.members.triplet import Triplet


class TestCrossBatchMemoryContract(MemberContract):
    def make(self):
        return wrapped(Contrastive(pos_margin=0.0, neg_margin=1.5), dims=self.dims, size=40, start=2)


class TestCrossBatchMemoryOfTripletsContract(MemberContract):
    def make(self):
        return wrapped(Triplet(margin=0.2), dims=self.dims, size=24)


class TestCrossBatchMemoryOfLearnedMarginContract(MemberContract):
    def make(self):
        return wrapped(Margin(margin=0.2, beta=1.2), dims=self.dims, size=16)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("base", BASES)
def test_compiles_as_one_graph(base, training):
    compiles(*(wrapped(base(), start=1).train(training) for _ in range(2)), backend="eager")


def test_compiled_gradients_are_those_of_the_memory_compared():
    """With a backward that computes anew what it needs, when the memory has already changed."""
    compiles(*(wrapped(BASES[0](), start=1) for _ in range(2)), backend="aot_eager_decomp_partition")


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_stay_finite(base, dtype):
    """With duplicates, one class only, no positives, one item alone, and zeros, before the memory begins and after."""
    points, labels, _ = batches(1, dtype=dtype)[0]
    cases = [(points, labels), (points, 0 * labels), (points, torch.arange(12)), (points[:1], labels[:1])]
    cases += [(points[:2].repeat(6, 1), labels), (0 * points, labels)]
    for start in (0, 1):
        loss = wrapped(base(), start=start)
        for batch, classes in cases:
            leaf = batch.clone().requires_grad_()
            value = loss(leaf, classes)
            value.backward()
            assert torch.isfinite(value) and torch.isfinite(leaf.grad).all()


THEIRS = [
    (lambda: Contrastive(pos_margin=0.2, neg_margin=1.3), lambda: pml.ContrastiveLoss(pos_margin=0.2, neg_margin=1.3)),
    (lambda: Triplet(margin=0.2), lambda: pml.TripletMarginLoss(margin=0.2)),
    (lambda: MultiSimilarity(alpha=2, beta=50, base=0.5), lambda: pml.MultiSimilarityLoss(alpha=2, beta=50, base=0.5)),
    (lambda: Circle(margin=0.4, gamma=10.0), lambda: pml.CircleLoss(m=0.4, gamma=10)),
    (lambda: Margin(margin=0.2, beta=1.25), lambda: pml.MarginLoss(margin=0.2, beta=1.25)),
]


@pytest.mark.parametrize("size", [12, 36, 20])
@pytest.mark.parametrize(("ours", "theirs"), THEIRS)
def test_memory_term_agrees_with_pytorch_metric_learning(ours, theirs, size):
    """Theirs is the memory term alone; the memory fills, wraps around, and is not always a multiple of the batch."""
    one, two = wrapped(ours(), size=size).double(), pml.CrossBatchMemory(theirs(), embedding_size=8, memory_size=size)
    for points, labels, _ in batches(7):
        left, right = points.clone().requires_grad_(), points.clone().requires_grad_()
        value = one(left, labels) - one.base(left, labels)
        expected = 0.7 * two(right, labels)
        torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-12)
        actual, wanted = torch.autograd.grad(value, left), torch.autograd.grad(expected, right)
        torch.testing.assert_close(actual, wanted, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("sizes", [(12,), (12, 5), (25, 3), (1,)])
@pytest.mark.parametrize("start", [0, 2])
@pytest.mark.parametrize("base", BASES)
def test_memory_as_a_queue_of_python(base, start, sizes):
    """Batches of different sizes, one larger than the memory; points, labels and owners are in a deque."""
    loss, queue = wrapped(base(), start=start).double(), deque(maxlen=20)
    for step, (points, labels, _) in enumerate(batches(8, sizes=sizes)):
        expected, raw = loss.base(points, labels), loss.base.points(points)
        if step >= start:
            queue.extend(zip(raw, labels.tolist(), [(step, item) for item in range(len(labels))], strict=True))
            same = torch.tensor([[one == two for _, two, _ in queue] for one in labels.tolist()])
            other = torch.tensor([[owner != (step, item) for *_, owner in queue] for item in range(len(labels))])
            others = torch.stack([point for point, *_ in queue])
            expected = expected + 0.7 * loss.base.between(raw, others, same & other, ~same & other)
        torch.testing.assert_close(loss(points, labels), expected, rtol=1e-9, atol=1e-12)


def test_contrastive_memory_by_loops():
    """All of it in plain numbers: a memory of 30, batches of 12, in the memory from the third on."""
    loss, queue = wrapped(Contrastive(pos_margin=0.2, neg_margin=1.3), size=30, start=2).double(), []

    def contrast(rows, others):
        pull = [math.dist(a, b) - 0.2 for i, a, x in rows for j, b, y in others if x == y and i != j]
        push = [1.3 - math.dist(a, b) for _, a, x in rows for _, b, y in others if x != y]
        kept = [[term for term in terms if term > 0] for terms in (pull, push)]
        return sum(sum(terms) / len(terms) for terms in kept)

    for step, (points, labels, _) in enumerate(batches(6)):
        unit = [[value / math.hypot(*row) for value in row] for row in points.tolist()]
        rows = [((step, item), row, label) for item, (row, label) in enumerate(zip(unit, labels.tolist(), strict=True))]
        expected = contrast(rows, rows)
        if step >= 2:
            queue = (queue + rows)[-30:]
            expected += 0.7 * contrast(rows, queue)
        assert loss(points, labels).item() == pytest.approx(expected)


def test_cross_batch_memory_on_the_circle():
    """A memory of 0° and 60°, one class, meets 90° of another: the negatives' chords are √2 and 1/2·(√6 - √2)."""
    loss = wrapped(Contrastive(pos_margin=0.0, neg_margin=1.5), dims=2, size=3, weight=2.0).double()
    first = torch.tensor([[3.0, 0.0], [0.5, math.sqrt(3) / 2]], dtype=torch.float64)
    assert loss(first, torch.tensor([4, 4])).item() == pytest.approx(1 + 2 * 1)  # the pair in the batch and in memory
    near, far = 2 * math.sin(math.radians(15)), math.sqrt(2)
    value = loss(torch.tensor([[0.0, 5.0]], dtype=torch.float64), torch.tensor([1]))
    assert value.item() == pytest.approx(2 * ((1.5 - near) + (1.5 - far)) / 2)


@pytest.mark.parametrize("base", BASES)
def test_without_weight_it_is_the_base_loss(base):
    loss = wrapped(base(), weight=0.0).double()
    for points, labels, _ in batches(3):
        assert torch.equal(loss(points, labels), loss.base(points, labels))


def test_no_gradient_reaches_earlier_batches():
    loss = wrapped(Contrastive(pos_margin=0.0, neg_margin=1.5)).double()
    first, second = (batch[0].requires_grad_() for batch in batches(2))
    labels = torch.arange(12)
    loss(first, labels)
    loss(second, labels).backward()
    assert first.grad is None and second.grad.any()


def test_outside_of_training_the_memory_stays():
    loss = wrapped(Contrastive(pos_margin=0.0, neg_margin=1.5)).double()
    drawn = batches(3)
    for points, labels, _ in drawn[:2]:
        loss(points, labels)
    before = copy.deepcopy(loss.state_dict())
    one, two = (loss.eval()(*drawn[2][:2]) for _ in range(2))
    assert torch.equal(one, two) and not torch.equal(one, loss.base(*drawn[2][:2]))
    assert all(torch.equal(value, before[name]) for name, value in loss.state_dict().items())


@pytest.mark.parametrize("base", BASES[:4])
def test_resumes_with_the_same_bits_after_wrapping(base):
    drawn = batches(9, dtype=torch.float32)
    for cut in (1, 4, 6):
        first, second = wrapped(base(), start=2), wrapped(base(), start=2)
        for points, labels, _ in drawn[:cut]:
            first(points, labels)
        second.load_state_dict(copy.deepcopy(first.state_dict()))
        for points, labels, _ in drawn[cut:]:
            assert torch.equal(first(points, labels), second(points, labels))
