"""Softmax and proxy losses: contracts, oracles, naive loops, and points of the plane by hand."""

import math

import pytest
import torch
from matplotlib.mathtext import MathTextParser
from pytorch_metric_learning import losses as pml
from pytorch_metric_learning.regularizers import SparseCentersRegularizer
from torch.func import functional_call
from torch.nn import functional

from realitycheck.losses.arcface import ArcFace
from realitycheck.losses.base import initialize
from realitycheck.losses.circle_class import CircleClass
from realitycheck.losses.cosface import CosFace
from realitycheck.losses.cosine_cross_entropy import CosineCrossEntropy
from realitycheck.losses.cross_entropy import CrossEntropy
from realitycheck.losses.euclidean_softmax import EuclideanSoftmax
from realitycheck.losses.normalized_softmax import NormalizedSoftmax
from realitycheck.losses.proxy_anchor import ProxyAnchor
from realitycheck.losses.proxy_nca import ProxyNCA
from realitycheck.losses.proxy_nca_pp import ProxyNCAPlusPlus
from realitycheck.losses.soft_triple import SoftTriple
from realitycheck.losses.warped_softmax import WarpedSoftmax
from realitycheck.testing import LossContract

SIZES = {"num_classes": 6, "embedding_dim": 8}
MANY = {"num_classes": 200, "embedding_dim": 50}
LABELS = torch.tensor([3, 0, 0, 1, 4, 2, 2, 3, 1, 0, 4, 4, 2, 3, 0, 1, 1, 4, 2, 3])
"""The last class has no item."""
WARP = {"temperature": 0.7, "point": 6.0, "inner_slope": 0.6, "outer_slope": 1.5, "handicap": 1.4}
CENTERS = {"centers": 3, "scale": 12.0, "gamma": 0.2, "margin": 0.05, "regularizer": 0.3}


def sizes(case):
    return {"num_classes": case.classes, "embedding_dim": case.dims}


class TestCrossEntropyContract(LossContract):
    family = "proxies"

    def make(self):
        return CrossEntropy(smoothing=0.1, **sizes(self))


class TestCosineCrossEntropyContract(LossContract):
    family = "proxies"

    def make(self):
        return CosineCrossEntropy(scale=20.0, **sizes(self))


class TestProxyNCAContract(LossContract):
    family = "proxies"

    def make(self):
        return ProxyNCA(scale=3.0, **sizes(self))


class TestProxyNCAPlusPlusContract(LossContract):
    family = "proxies"

    def make(self):
        return ProxyNCAPlusPlus(scale=9.0, **sizes(self))


class TestProxyAnchorContract(LossContract):
    family = "proxies"

    def make(self):
        return ProxyAnchor(margin=0.1, alpha=32.0, **sizes(self))


class TestCosFaceContract(LossContract):
    family = "proxies"

    def make(self):
        return CosFace(margin=0.35, scale=64.0, **sizes(self))


class TestArcFaceContract(LossContract):
    family = "proxies"

    def make(self):
        return ArcFace(margin=28.6, scale=64.0, **sizes(self))


class TestSoftTripleContract(LossContract):
    family = "proxies"

    def make(self):
        return SoftTriple(**CENTERS, **sizes(self))


class TestCircleClassContract(LossContract):
    family = "proxies"

    def make(self):
        return CircleClass(margin=0.25, gamma=64.0, **sizes(self))


class TestEuclideanSoftmaxContract(LossContract):
    family = "proxies"

    def make(self):
        return EuclideanSoftmax(temperature=2.0, **sizes(self))


class TestWarpedSoftmaxContract(LossContract):
    """Distances of the test batch are about √16, on both sides of the point."""

    family = "proxies"

    def make(self):
        return WarpedSoftmax(**(WARP | {"point": 4.0}), **sizes(self))


CONTRACTS = [each for each in globals().values() if isinstance(each, type) and each.__name__.endswith("Contract")]
CONTRACTS.remove(LossContract)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_formula_can_be_drawn(contract):
    _, formula, _ = type(contract().make()).__doc__.split("$$")
    MathTextParser("path").parse("$" + " ".join(formula.split()) + "$")


@pytest.mark.parametrize("contract", CONTRACTS)
def test_trains_as_one_graph(contract):
    case = contract()
    (one, two), (embeddings, labels) = case.twins(), case.batch()
    compiled = torch.compile(one, backend="eager", fullgraph=True)
    for _ in range(2):
        torch.testing.assert_close(case.step(compiled, embeddings, labels), case.step(two, embeddings, labels))


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("length", [0.0, 1e-20, 1e4])
def test_gradients_stay_finite_in_bfloat16_and_at_odd_lengths(contract, length):
    case = contract()
    loss, (embeddings, labels) = case.make(), case.batch()
    leaf = (length * embeddings.detach()).bfloat16().requires_grad_()
    value = loss(leaf, labels)
    value.backward()
    assert value.isfinite()
    assert leaf.grad.isfinite().all()
    assert all(each.grad.isfinite().all() for each in loss.parameters())


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("side", [1, -1])
def test_gradients_stay_finite_on_the_proxies_and_opposite(contract, side):
    """Distances of exactly 0, cosines of exactly 1 and -1: square roots have no finite slope there."""
    case = contract()
    loss, labels = case.make(), torch.arange(case.classes)
    torch.nn.init.eye_(loss.proxies)
    leaf = (side * loss.proxies.detach()[: case.classes]).clone().requires_grad_()
    value = loss(leaf, labels)
    value.backward()
    assert value.isfinite()
    assert leaf.grad.isfinite().all()
    assert all(each.grad.isfinite().all() for each in loss.parameters())


@pytest.mark.parametrize("contract", CONTRACTS)
def test_length_matters_where_nothing_is_normalised(contract):
    case = contract()
    loss, (embeddings, labels) = case.make(), case.batch()
    matters = isinstance(loss, CrossEntropy | EuclideanSoftmax)
    assert matters != torch.isclose(loss(3 * embeddings, labels), loss(embeddings, labels)).item()
    assert matters == (loss.keeps_init == ("proxies",))


@pytest.mark.parametrize("contract", CONTRACTS)
def test_proxies_are_drawn_by_the_protocol_unless_kept(contract):
    loss = contract().make()
    before = loss.proxies.detach().clone()
    initialize(loss, rule="unit_norm", generator=torch.Generator().manual_seed(0))
    drawn = not torch.equal(before, loss.proxies)
    assert drawn == (not loss.keeps_init)


class TestFirstProxies:
    """What the authors' code draws: entries' standard deviation, or the bound of a uniform distribution."""

    @pytest.mark.parametrize(
        ("cls", "knobs", "deviation"),
        [
            (ProxyNCA, {"scale": 1.0}, 1 / 8),
            (ProxyNCAPlusPlus, {"scale": 1.0}, 1 / 8),
            (ProxyAnchor, {"margin": 0.1, "alpha": 32.0}, math.sqrt(2 / 200)),
            (ArcFace, {"margin": 28.6, "scale": 64.0}, 0.01),
            (EuclideanSoftmax, {"temperature": 1.0}, math.sqrt(2 / 200)),
            (WarpedSoftmax, WARP, math.sqrt(2 / 200)),
        ],
    )
    def test_normal(self, cls, knobs, deviation):
        entries = cls(**knobs, **MANY).proxies
        assert entries.std().item() == pytest.approx(deviation, rel=0.05)
        assert entries.abs().max() > 3 * deviation

    @pytest.mark.parametrize(
        ("cls", "knobs", "bound"),
        [
            (CrossEntropy, {"smoothing": 0.1}, 1 / math.sqrt(50)),
            (CosFace, {"margin": 0.35, "scale": 64.0}, math.sqrt(6 / 250)),
            (CircleClass, {"margin": 0.25, "gamma": 256.0}, 1 / math.sqrt(50)),
            (SoftTriple, CENTERS, 1 / math.sqrt(600)),
        ],
    )
    def test_uniform(self, cls, knobs, bound):
        entries = cls(**knobs, **MANY).proxies
        assert entries.abs().max().item() == pytest.approx(bound, rel=0.01)
        assert entries.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.05)

    def test_unit(self):
        lengths = CosineCrossEntropy(scale=64.0, **MANY).proxies.norm(dim=1)
        torch.testing.assert_close(lengths, torch.ones(200))


def cloud(seed, rows=20, lengths=None):
    points = torch.randn(rows, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return points if lengths is None else points * torch.logspace(*lengths, rows, dtype=torch.float64)[:, None]


def with_proxies(loss, proxies):
    loss = loss.double()
    with torch.no_grad():
        loss.proxies.copy_(proxies)
    return loss


def agree(ours, theirs, *, points=None, rtol=1e-7, atol=1e-9):
    """Value, and gradient by the embeddings and by the proxies, which the oracle takes as an argument."""
    points = cloud(0, lengths=(-2, 2)) if points is None else points
    one, two = points.clone().requires_grad_(), points.clone().requires_grad_()
    proxies = ours.proxies.detach().clone().requires_grad_()
    ours.zero_grad()
    value, expected = ours(one, LABELS), theirs(two, proxies)
    torch.testing.assert_close(value, expected)
    value.backward()
    expected.backward()
    assert one.grad.any() and proxies.grad.any()
    torch.testing.assert_close(slope(one), slope(two), rtol=rtol, atol=atol)
    torch.testing.assert_close(slope(ours.proxies), slope(proxies), rtol=rtol, atol=atol)


def slope(leaf):
    """Its gradient by relative steps: short vectors have steep gradients."""
    return leaf.grad * leaf.detach().norm(dim=1, keepdim=True)


def library(loss, name, *, transposed):
    """A loss of pytorch-metric-learning as a function of points and proxies."""
    loss = loss.double()
    return lambda points, proxies: functional_call(
        loss, {name: proxies.T if transposed else proxies}, (points, LABELS), strict=False
    )


PML = [
    *(
        (CosFace(margin=m, scale=s, **SIZES), pml.CosFaceLoss(6, 8, margin=m, scale=s), "W")
        for m, s in [(0.0, 1.0), (0.35, 64.0), (0.9, 7.0)]
    ),
    *(
        (ArcFace(margin=m, scale=s, **SIZES), pml.ArcFaceLoss(6, 8, margin=m, scale=s), "W")
        for m, s in [(0.0, 1.0), (28.6, 64.0), (70.0, 7.0), (90.0, 30.0)]
    ),
    *(
        (ProxyNCAPlusPlus(scale=a, **SIZES), pml.ProxyNCALoss(6, 8, softmax_scale=a), "proxies")
        for a in (0.5, 9.0, 40.0)
    ),
    *(
        (ProxyAnchor(margin=m, alpha=a, **SIZES), pml.ProxyAnchorLoss(6, 8, margin=m, alpha=a), "proxies")
        for m, a in [(0.0, 1.0), (0.1, 32.0), (0.5, 128.0)]
    ),
    *(
        (NormalizedSoftmax(temperature=t, **SIZES), pml.NormalizedSoftmaxLoss(6, 8, temperature=t), "W")
        for t in (0.05, 1.0)
    ),
    *(
        (CosineCrossEntropy(scale=1 / t, **SIZES), pml.NormalizedSoftmaxLoss(6, 8, temperature=t), "W")
        for t in (0.05, 1.0)
    ),
    *(
        (
            SoftTriple(centers=k, scale=12.0, gamma=g, margin=0.05, regularizer=0.0, **SIZES),
            pml.SoftTripleLoss(6, 8, centers_per_class=k, la=12.0, gamma=g, margin=0.05),
            "fc",
        )
        for k, g in [(1, 0.1), (2, 0.1), (5, 50.0)]
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "name"), PML)
def test_agrees_with_pytorch_metric_learning(ours, theirs, name):
    """Lengths of proxies from 0.001 to 1000, of embeddings from 0.01 to 100; none matters."""
    ours = with_proxies(ours, cloud(1, rows=len(ours.proxies), lengths=(-3, 3)))
    agree(ours, library(theirs, name, transposed=name != "proxies"))


@pytest.mark.parametrize("centers", [2, 5])
def test_soft_triple_with_regularizer_agrees_with_pytorch_metric_learning(centers):
    """There 1e-7 is added to squared distances."""
    ours = SoftTriple(**(CENTERS | {"centers": centers}), **SIZES)
    theirs = pml.SoftTripleLoss(
        6,
        8,
        centers_per_class=centers,
        la=12.0,
        gamma=0.2,
        margin=0.05,
        weight_regularizer=SparseCentersRegularizer(6, centers),
        weight_reg_weight=0.3,
    )
    ours = with_proxies(ours, cloud(1, rows=6 * centers))
    agree(ours, library(theirs, "fc", transposed=True), rtol=1e-5, atol=1e-6)


def mean(terms):
    terms = list(terms)
    return sum(terms) / len(terms)


def cosine(point, proxy):
    return point @ proxy / (point.norm() * proxy.norm())


def softmax(logit):
    """Mean cross entropy item by item, from a function of the embedding, a proxy, and whether it is the own one."""

    def loss(points, proxies):
        total = 0.0
        for point, label in zip(points, LABELS.tolist(), strict=True):
            logits = [logit(point, each, own=c == label) for c, each in enumerate(proxies)]
            total = total - torch.log(torch.exp(logits[label]) / sum(torch.exp(each) for each in logits))
        return total / len(points)

    return loss


def by_cosine(function):
    return softmax(lambda point, proxy, own: function(cosine(point, proxy), own))


def arcface(margin, scale):
    def logit(s, own):
        theta, m = torch.arccos(s), math.radians(margin)
        widened = torch.cos(theta + m) if theta + m < math.pi else s - m * math.sin(m)
        return scale * (widened if own else s)

    return by_cosine(logit)


def circle(margin, gamma):
    def logit(s, own):
        weight = max(1 + margin - s.item(), 0) if own else max(s.item() + margin, 0)
        return gamma * weight * (s - (1 - margin if own else margin))

    return by_cosine(logit)


def proxy_nca(scale):
    def loss(points, proxies):
        total = 0.0
        for point, label in zip(points, LABELS.tolist(), strict=True):
            near = [torch.exp(-scale * (point / point.norm() - each / each.norm()).square().sum()) for each in proxies]
            total = total - torch.log(near[label] / sum(each for c, each in enumerate(near) if c != label))
        return total / len(points)

    return loss


def proxy_anchor(margin, alpha):
    def loss(points, proxies):
        pull, push = [], []
        for c, proxy in enumerate(proxies):
            s = [cosine(point, proxy) for point in points]
            mine = [torch.exp(-alpha * (s[i] - margin)) for i in range(len(s)) if LABELS[i] == c]
            pull += [torch.log(1 + sum(mine))] if mine else []
            push += [torch.log(1 + sum(torch.exp(alpha * (s[i] + margin)) for i in range(len(s)) if LABELS[i] != c))]
        assert len(pull) == 5 and len(push) == 6
        return mean(pull) + mean(push)

    return loss


def soft_triple(centers, scale, gamma, margin, regularizer):
    def loss(points, proxies):
        total, apart = 0.0, []
        for point, label in zip(points, LABELS.tolist(), strict=True):
            logits = []
            for c in range(6):
                s = [cosine(point, each) for each in proxies[c * centers : (c + 1) * centers]]
                weight = [torch.exp(each / gamma) for each in s]
                relaxed = sum(w * each for w, each in zip(weight, s, strict=True)) / sum(weight)
                logits.append(scale * (relaxed - (margin if c == label else 0)))
            total = total - torch.log(torch.exp(logits[label]) / sum(torch.exp(each) for each in logits))
        for j, one in enumerate(proxies):
            for k, two in enumerate(proxies[:j]):
                if j // centers == k // centers:
                    apart.append((one / one.norm() - two / two.norm()).norm())
        return total / len(points) + regularizer * sum(apart) / (6 * centers * (centers - 1))

    return loss


def smoothed(smoothing, bias):
    def loss(points, proxies):
        total = 0.0
        for point, label in zip(points, LABELS.tolist(), strict=True):
            logits = [point @ each + b for each, b in zip(proxies, bias, strict=True)]
            log = [each - torch.log(sum(torch.exp(other) for other in logits)) for each in logits]
            total = total - sum((1 - smoothing if c == label else smoothing / 5) * log[c] for c in range(6))
        return total / len(points)

    return loss


def euclidean(temperature):
    return softmax(lambda point, proxy, own: -temperature * (point - proxy).norm())


LOOPS = [
    (CosineCrossEntropy(scale=20.0, **SIZES), by_cosine(lambda s, own: 20.0 * s)),
    (NormalizedSoftmax(temperature=0.05, **SIZES), by_cosine(lambda s, own: s / 0.05)),
    (ProxyNCAPlusPlus(scale=9.0, **SIZES), by_cosine(lambda s, own: -9.0 * (2 - 2 * s))),
    (CosFace(margin=0.35, scale=64.0, **SIZES), by_cosine(lambda s, own: 64.0 * (s - 0.35 if own else s))),
    (ArcFace(margin=28.6, scale=20.0, **SIZES), arcface(28.6, 20.0)),
    (ArcFace(margin=80.0, scale=20.0, **SIZES), arcface(80.0, 20.0)),
    (CircleClass(margin=0.25, gamma=128.0, **SIZES), circle(0.25, 128.0)),
    (CircleClass(margin=0.0, gamma=30.0, **SIZES), circle(0.0, 30.0)),
    (CircleClass(margin=0.8, gamma=30.0, **SIZES), circle(0.8, 30.0)),
    (ProxyNCA(scale=1.0, **SIZES), proxy_nca(1.0)),
    (ProxyNCA(scale=9.0, **SIZES), proxy_nca(9.0)),
    (ProxyAnchor(margin=0.1, alpha=32.0, **SIZES), proxy_anchor(0.1, 32.0)),
    (SoftTriple(**CENTERS, **SIZES), soft_triple(**CENTERS)),
]


@pytest.mark.parametrize(("ours", "loop"), LOOPS)
def test_agrees_with_loops(ours, loop):
    """Proxies of lengths from 0.001 to 1000."""
    agree(with_proxies(ours, cloud(1, rows=len(ours.proxies), lengths=(-3, 3))), loop)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.8])
def test_cross_entropy_agrees_with_loops(smoothing):
    ours = with_proxies(CrossEntropy(smoothing=smoothing, **SIZES), cloud(1, rows=6, lengths=(-2, 0)))
    torch.nn.init.uniform_(ours.bias, -2, 2)
    bias = ours.bias.detach().clone().requires_grad_()
    agree(ours, smoothed(smoothing, bias), points=cloud(0, lengths=(-1, 1)))
    torch.testing.assert_close(ours.bias.grad, bias.grad)


def test_cross_entropy_is_that_of_a_linear_layer():
    ours = CrossEntropy(smoothing=0.0, **SIZES).double()
    layer = torch.nn.Linear(8, 6).double()
    with torch.no_grad():
        ours.proxies.copy_(layer.weight)
        ours.bias.copy_(layer.bias)
    torch.testing.assert_close(ours(cloud(0), LABELS), functional.cross_entropy(layer(cloud(0)), LABELS))


@pytest.mark.parametrize("temperature", [0.1, 2.0])
def test_euclidean_softmax_agrees_with_loops(temperature):
    """Proxies of lengths from about 0.03 to 30."""
    ours = with_proxies(EuclideanSoftmax(temperature=temperature, **SIZES), cloud(1, rows=6, lengths=(-2, 1)))
    agree(ours, euclidean(temperature), points=cloud(0, lengths=(-1, 1)))


class TestArcFacePastPi:
    """Own angles of 175°, 160° and 60° with a margin of 30°: the first two pass 180°."""

    def batch(self):
        angles = [math.radians(each) for each in (175, 160, 60)]
        points = torch.tensor([[math.cos(a), math.sin(a)] for a in angles], dtype=torch.float64)
        return points.requires_grad_(), torch.zeros(3, dtype=torch.int64)

    def make(self, margin):
        loss = ArcFace(margin=margin, scale=3.0, num_classes=2, embedding_dim=2)
        return with_proxies(loss, torch.tensor([[2.0, 0.0], [0.0, 0.5]]))

    def test_by_hand(self):
        m = math.radians(30)
        own = [math.cos(math.radians(each)) - m * math.sin(m) for each in (175, 160)] + [0.0]
        other = [math.cos(math.radians(each)) for each in (85, 70, 30)]
        expected = sum(math.log(1 + math.exp(3 * (b - a))) for a, b in zip(own, other, strict=True)) / 3
        assert self.make(30.0)(*self.batch()).item() == pytest.approx(expected)

    def test_agrees_with_pytorch_metric_learning(self):
        theirs = pml.ArcFaceLoss(2, 2, margin=30.0, scale=3.0).double()
        with torch.no_grad():
            theirs.W.copy_(torch.tensor([[2.0, 0.0], [0.0, 0.5]]))
        (one, labels), (two, _) = self.batch(), self.batch()
        ours = self.make(30.0)
        value, expected = ours(one, labels), theirs(two, labels)
        torch.testing.assert_close(value, expected)
        value.backward()
        expected.backward()
        torch.testing.assert_close(one.grad, two.grad)
        torch.testing.assert_close(ours.proxies.grad, theirs.W.grad.T)

    def test_the_logit_falls_with_the_angle_on_both_sides(self):
        degrees = torch.linspace(0, 180, 721, dtype=torch.float64)
        points = torch.stack([degrees.deg2rad().cos(), degrees.deg2rad().sin()], dim=1)
        loss = with_proxies(
            ArcFace(margin=30.0, scale=1.0, num_classes=2, embedding_dim=2), torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
        )
        values = torch.stack([loss(each[None], torch.tensor([0])) for each in points])
        assert (values.diff() > 0).all()


def arrows(*degrees, lengths=None):
    """Vectors of the plane at these angles."""
    lengths = lengths or [1.0] * len(degrees)
    return torch.tensor(
        [[r * math.cos(math.radians(a)), r * math.sin(math.radians(a))] for a, r in zip(degrees, lengths, strict=True)],
        dtype=torch.float64,
    )


class TestOnTheCircle:
    """Proxies at 0° and 90°, of lengths 3 and 0.2; an embedding at 60°, of length 7, of the second class."""

    NEAR, FAR = math.sqrt(3) / 2, 1 / 2

    def value(self, cls, label=1, **knobs):
        loss = with_proxies(cls(**knobs, num_classes=2, embedding_dim=2), arrows(0, 90, lengths=(3.0, 0.2)))
        return loss(arrows(60, lengths=(7.0,)), torch.tensor([label])).item()

    def test_normalised_softmax(self):
        expected = math.log(1 + math.exp((self.FAR - self.NEAR) / 0.4))
        assert self.value(NormalizedSoftmax, temperature=0.4) == pytest.approx(expected)

    def test_cosine_cross_entropy(self):
        expected = math.log(1 + math.exp(5 * (self.FAR - self.NEAR)))
        assert self.value(CosineCrossEntropy, scale=5.0) == pytest.approx(expected)

    def test_proxy_nca(self):
        """Squared chords of 30° and 60°; nearer to its own, so that the value is negative."""
        near, far = (2 * math.sin(math.radians(15))) ** 2, 1.0
        assert self.value(ProxyNCA, scale=4.0) == pytest.approx(4 * (near - far))
        assert self.value(ProxyNCA, scale=4.0) < 0
        assert self.value(ProxyNCA, label=0, scale=4.0) == pytest.approx(4 * (far - near))

    def test_proxy_nca_pp(self):
        near, far = (2 * math.sin(math.radians(15))) ** 2, 1.0
        assert self.value(ProxyNCAPlusPlus, scale=4.0) == pytest.approx(math.log(1 + math.exp(4 * (near - far))))

    def test_proxy_anchor(self):
        """The first proxy has no positive and one negative, the second one positive and no negative."""
        pull = math.log(1 + math.exp(-5 * (self.NEAR - 0.1)))
        push = math.log(1 + math.exp(5 * (self.FAR + 0.1)))
        assert self.value(ProxyAnchor, margin=0.1, alpha=5.0) == pytest.approx(pull + push / 2)

    def test_cosface(self):
        expected = math.log(1 + math.exp(5 * (self.FAR - self.NEAR + 0.3)))
        assert self.value(CosFace, margin=0.3, scale=5.0) == pytest.approx(expected)

    def test_arcface(self):
        """An angle of 30°, widened by 15° to 45°."""
        expected = math.log(1 + math.exp(5 * (self.FAR - math.sqrt(1 / 2))))
        assert self.value(ArcFace, margin=15.0, scale=5.0) == pytest.approx(expected)

    def test_circle_class(self):
        own = (1.2 - self.NEAR) * (self.NEAR - 0.8)
        other = (self.FAR + 0.2) * (self.FAR - 0.2)
        assert self.value(CircleClass, margin=0.2, gamma=5.0) == pytest.approx(
            math.log(1 + math.exp(5 * (other - own)))
        )

    def test_cross_entropy(self):
        """Products 7·3·½ and 7·0.2·√3/2; smoothing splits the target 0.9 to 0.1."""
        far, near = 21 * self.FAR, 1.4 * self.NEAR
        own = math.log(1 + math.exp(far - near))
        expected = 0.9 * own + 0.1 * (own + near - far)
        assert self.value(CrossEntropy, smoothing=0.1) == pytest.approx(expected)

    def test_euclidean_softmax(self):
        """By the law of cosines."""
        far = math.sqrt(49 + 9 - 2 * 21 * self.FAR)
        near = math.sqrt(49 + 0.04 - 2 * 1.4 * self.NEAR)
        assert self.value(EuclideanSoftmax, temperature=0.5) == pytest.approx(
            math.log(1 + math.exp(0.5 * (near - far)))
        )

    def test_soft_triple(self):
        """Centres at 0° and 120°, and at 90° and 30°, two of each class; both of the second are 30° away."""
        loss = SoftTriple(centers=2, scale=5.0, gamma=0.5, margin=0.1, regularizer=0.3, num_classes=2, embedding_dim=2)
        loss = with_proxies(loss, arrows(0, 120, 90, 30, lengths=(3.0, 0.2, 9.0, 0.01)))
        value = loss(arrows(60, lengths=(7.0,)), torch.tensor([1])).item()
        entropy = math.log(1 + math.exp(5 * (self.FAR - self.NEAR + 0.1)))
        apart = 2 * math.sin(math.radians(60)) + 2 * math.sin(math.radians(30))
        assert value == pytest.approx(entropy + 0.3 * apart / 4)


def test_proxy_nca_pp_of_one_item_is_a_softplus_of_proxy_nca():
    """-log(a / (a + b)) = log(1 + b/a)."""
    proxies = cloud(1, rows=6)
    classic = with_proxies(ProxyNCA(scale=3.0, **SIZES), proxies)
    plus = with_proxies(ProxyNCAPlusPlus(scale=3.0, **SIZES), proxies)
    for point, label in zip(cloud(0), LABELS, strict=True):
        one = classic(point[None], label[None])
        torch.testing.assert_close(plus(point[None], label[None]), functional.softplus(one))


class Unweighted(CircleClass):
    def weights(self, similarity, own):
        return torch.ones_like(similarity)


@pytest.mark.parametrize("margin", [0.0, 0.25, 0.5])
def test_circle_without_weights_is_cosface(margin):
    """Its two thresholds, 1 - m and m, are 1 - 2m apart; m = ½ gives the cosine cross entropy."""
    proxies = cloud(1, rows=6)
    ours = with_proxies(Unweighted(margin=margin, gamma=9.0, **SIZES), proxies)
    theirs = with_proxies(CosFace(margin=1 - 2 * margin, scale=9.0, **SIZES), proxies)
    agree(ours, library_like(theirs))
    if margin == 0.5:
        agree(ours, library_like(with_proxies(CosineCrossEntropy(scale=9.0, **SIZES), proxies)))


def library_like(loss):
    return lambda points, proxies: functional_call(loss, {"proxies": proxies}, (points, LABELS), strict=False)


def test_soft_triple_of_equal_centres_is_cosface():
    """And centres at one place are at distance 0."""
    one = cloud(1, rows=6)
    ours = with_proxies(SoftTriple(**CENTERS, **SIZES), one.repeat_interleave(3, dim=0))
    theirs = with_proxies(CosFace(margin=0.05, scale=12.0, **SIZES), one)
    value = ours(cloud(0), LABELS)
    torch.testing.assert_close(value, theirs(cloud(0), LABELS))
    value.backward()
    assert ours.proxies.grad.isfinite().all()


def test_large_scales_stay_finite():
    """Float32 holds e^88; scales are searched up to 500."""
    points = cloud(0).float()
    for loss in (
        CosFace(margin=1.0, scale=500.0, **SIZES),
        ArcFace(margin=90.0, scale=500.0, **SIZES),
        CosineCrossEntropy(scale=500.0, **SIZES),
        ProxyNCA(scale=250.0, **SIZES),
        ProxyNCAPlusPlus(scale=250.0, **SIZES),
        ProxyAnchor(margin=0.5, alpha=500.0, **SIZES),
        CircleClass(margin=1.0, gamma=1000.0, **SIZES),
        SoftTriple(centers=2, scale=500.0, gamma=0.001, margin=1.0, regularizer=1.0, **SIZES),
    ):
        leaf = points.clone().requires_grad_()
        value = loss(leaf, LABELS)
        value.backward()
        assert value.isfinite() and leaf.grad.isfinite().all() and loss.proxies.grad.isfinite().all()
