"""Losses with a memory of earlier batches: what it holds, what is compared, and how it goes on after a checkpoint."""

import copy
import math
from collections import deque

import pytest
import torch
from matplotlib.mathtext import MathTextParser
from pytorch_metric_learning import losses as pml
from torch.nn import functional

from realitycheck.losses.cbml import CBML
from realitycheck.losses.circle import Circle
from realitycheck.losses.contrastive import Contrastive
from realitycheck.losses.cross_batch_memory import CrossBatchMemory
from realitycheck.losses.margin import Margin
from realitycheck.losses.memory import Memory
from realitycheck.losses.moco import MoCo
from realitycheck.losses.multi_similarity import MultiSimilarity
from realitycheck.losses.multi_similarity_mined import MultiSimilarityMined
from realitycheck.losses.snr_contrastive import SNRContrastive
from realitycheck.losses.triplet import Triplet
from realitycheck.testing import LossContract

CBML_KNOBS = {"pos_base": 0.5, "pos_temperature": 0.5, "neg_base": 0.4, "neg_temperature": 0.1}
CBML_KNOBS |= {"epsilon": 0.2, "variance_weight": 0.7, "pos_share": 0.3}

BASES = [
    lambda: Contrastive(pos_margin=0.2, neg_margin=1.3),
    lambda: Triplet(margin=0.2),
    lambda: MultiSimilarity(alpha=2.0, beta=50.0, base=0.5),
    lambda: Circle(margin=0.4, gamma=80.0),
    lambda: MultiSimilarityMined(alpha=2.0, beta=50.0, base=0.5, epsilon=0.1),
    lambda: Margin(margin=0.2, beta=1.2),
    lambda: SNRContrastive(pos_margin=0.1, neg_margin=2.0, regularizer=0.1),
    lambda: CBML(**CBML_KNOBS),
]


def wrapped(base, *, dims=8, size=20, weight=0.7, start=0):
    return CrossBatchMemory(base=base, embedding_dim=dims, memory_size=size, memory_weight=weight, memory_start=start)


class TestCrossBatchMemoryContract(LossContract):
    stateful = True

    def make(self):
        return wrapped(Contrastive(pos_margin=0.0, neg_margin=1.5), dims=self.dims, size=40, start=2)


class TestCrossBatchMemoryOfTripletsContract(LossContract):
    stateful = True

    def make(self):
        return wrapped(Triplet(margin=0.2), dims=self.dims, size=24)


class TestCrossBatchMemoryOfLearnedMarginContract(LossContract):
    stateful = True

    def make(self):
        return wrapped(Margin(margin=0.2, beta=1.2), dims=self.dims, size=16)


class TestMoCoContract(LossContract):
    stateful = True

    def make(self):
        return MoCo(temperature=0.1, momentum=0.999, queue_size=40, embedding_dim=self.dims)


CONTRACTS = [each for each in LossContract.__subclasses__() if each.__module__ == __name__]


@pytest.mark.parametrize("loss", [CrossBatchMemory, MoCo])
def test_formula_can_be_drawn(loss):
    _, formula, _ = loss.__doc__.split("$$")
    MathTextParser("path").parse("$" + " ".join(formula.split()) + "$")


def batches(count, *, sizes=(12,), dims=8, dtype=torch.float64):
    """Batches of points in six classes that come back, and a key near each point."""
    generator = torch.Generator().manual_seed(7)
    centers = torch.randn(6, dims, dtype=dtype, generator=generator)
    found = []
    for step in range(count):
        size = sizes[step % len(sizes)]
        labels = torch.randint(6, (size,), generator=generator)
        points, keys = (centers[labels] + torch.randn(size, dims, dtype=dtype, generator=generator) for _ in range(2))
        found.append((points, labels, keys))
    return found


def compiles(one, two, backend):
    """Values, gradients and memory, before it begins and after, are those of the same loss that is not compiled."""
    torch._dynamo.reset()
    compiled = torch.compile(one, backend=backend, fullgraph=True)
    for points, labels, keys in batches(5, dtype=torch.float32):
        left, right = points.clone().requires_grad_(), points.clone().requires_grad_()
        beside = {need.value: keys for need in one.needs}
        value, expected = compiled(left, labels, **beside), two(right, labels, **beside)
        torch.testing.assert_close(value, expected)
        torch.testing.assert_close(torch.autograd.grad(value, left), torch.autograd.grad(expected, right))
    torch.testing.assert_close(dict(one.named_buffers()), dict(two.named_buffers()))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("base", BASES)
def test_compiles_as_one_graph(base, training):
    compiles(*(wrapped(base(), start=1).train(training) for _ in range(2)), backend="eager")


@pytest.mark.parametrize("training", [True, False])
def test_moco_compiles_as_one_graph(training):
    knobs = {"temperature": 0.1, "momentum": 0.9, "queue_size": 20, "embedding_dim": 8}
    compiles(*(MoCo(**knobs).train(training) for _ in range(2)), backend="eager")


@pytest.mark.parametrize(
    "make",
    [lambda: wrapped(BASES[0](), start=1), lambda: MoCo(temperature=0.1, momentum=0.9, queue_size=20, embedding_dim=8)],
)
def test_compiled_gradients_are_those_of_the_memory_compared(make):
    """With a backward that computes anew what it needs, when the memory has already changed."""
    compiles(make(), make(), backend="aot_eager_decomp_partition")


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_stay_finite(base, dtype):
    """With duplicates, one class only, no positives, one item alone, and zeros, before the memory begins and after."""
    points, labels, _ = batches(1, dtype=dtype)[0]
    cases = [(points, labels), (points, 0 * labels), (points, torch.arange(12)), (points[:1], labels[:1])]
    cases += [(points[:2].repeat(6, 1), labels), (0 * points, labels)]
    for start in (0, 1):
        loss = wrapped(base(), start=start)
        for each, classes in cases:
            leaf = each.clone().requires_grad_()
            value = loss(leaf, classes)
            value.backward()
            assert torch.isfinite(value) and torch.isfinite(leaf.grad).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_moco_gradients_stay_finite(dtype):
    points, labels, keys = batches(1, dtype=dtype)[0]
    loss = MoCo(temperature=0.001, momentum=0.9, queue_size=20, embedding_dim=8)
    cases = [(points[:1], labels[:1]), (points, 0 * labels), (points, torch.arange(12)), (points, labels)]
    cases += [(points[:2].repeat(6, 1), labels), (0 * points, labels)]
    for each, classes in cases:
        leaf = each.clone().requires_grad_()
        value = loss(leaf, classes, keys=keys[: len(each)])
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
        found, wanted = torch.autograd.grad(value, left), torch.autograd.grad(expected, right)
        torch.testing.assert_close(found, wanted, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("sizes", [(12,), (12, 5), (25, 3), (1,)])
@pytest.mark.parametrize("start", [0, 2])
@pytest.mark.parametrize("base", BASES)
def test_memory_as_a_queue_of_python(base, start, sizes):
    """Batches of different sizes, one larger than the memory; points, labels and owners stand in a deque."""
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
        unit = [[each / math.hypot(*row) for each in row] for row in points.tolist()]
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
    first, second = (each[0].requires_grad_() for each in batches(2))
    labels = torch.arange(12)
    loss(first, labels)
    loss(second, labels).backward()
    assert first.grad is None and second.grad.any()


def test_outside_of_training_the_memory_stays():
    loss = wrapped(Contrastive(pos_margin=0.0, neg_margin=1.5)).double()
    told = batches(3)
    for points, labels, _ in told[:2]:
        loss(points, labels)
    before = copy.deepcopy(loss.state_dict())
    one, two = (loss.eval()(*told[2][:2]) for _ in range(2))
    assert torch.equal(one, two) and not torch.equal(one, loss.base(*told[2][:2]))
    assert all(torch.equal(value, before[name]) for name, value in loss.state_dict().items())


def test_moco_outside_of_training_the_queue_stays():
    loss = MoCo(temperature=0.1, momentum=0.9, queue_size=20, embedding_dim=8).double()
    (points, labels, keys), (more, classes, others) = batches(2)
    loss(points, labels, keys=keys)
    before = copy.deepcopy(loss.state_dict())
    assert torch.equal(*(loss.eval()(more, classes, keys=others) for _ in range(2)))
    assert all(torch.equal(value, before[name]) for name, value in loss.state_dict().items())


@pytest.mark.parametrize("base", BASES[:4])
def test_resumes_with_the_same_bits_after_wrapping(base):
    told = batches(9, dtype=torch.float32)
    for cut in (1, 4, 6):
        first, second = wrapped(base(), start=2), wrapped(base(), start=2)
        for points, labels, _ in told[:cut]:
            first(points, labels)
        second.load_state_dict(copy.deepcopy(first.state_dict()))
        for points, labels, _ in told[cut:]:
            assert torch.equal(first(points, labels), second(points, labels))


def test_memory_holds_the_latest():
    """Seven places; what comes before the memory has begun is not held."""
    memory, kept, number = Memory(size=7, dims=1), deque(maxlen=7), 1
    for size, count in [(3, 0), (9, 0), (3, 1), (3, 1), (3, 1), (10, 1), (2, 1)]:
        points = torch.arange(number, number + size, dtype=torch.float32)[:, None]
        labels = torch.arange(number, number + size)
        number += size
        places = memory.write(points, labels, count=torch.tensor(count))
        kept.extend(labels.tolist() if count else [])
        assert sorted(memory.labels[memory.filled()].tolist()) == sorted(kept)
        assert memory.points[memory.filled(), 0].tolist() == memory.labels[memory.filled()].tolist()
        assert torch.equal(places, labels[:, None] == memory.labels)


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
        found, wanted = torch.autograd.grad(value, one), torch.autograd.grad(expected, two)
        torch.testing.assert_close(found, wanted, rtol=1e-7, atol=1e-9)


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
