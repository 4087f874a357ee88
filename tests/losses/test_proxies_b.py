"""Large-margin softmax, SphereFace old and new, MagFace, L2-softmax, SGSL and ProxyGML."""

import copy
import math

import pytest
import torch
from matplotlib.mathtext import MathTextParser
from pytorch_metric_learning import losses as pml
from torch.nn import functional

from realitycheck.losses.arcface import ArcFace
from realitycheck.losses.ccl import CCL
from realitycheck.losses.hierarchical_proxy import HierarchicalProxy
from realitycheck.losses.hist import HIST
from realitycheck.losses.ibc import IBC
from realitycheck.losses.l2_softmax import L2Softmax
from realitycheck.losses.large_margin_softmax import LargeMarginSoftmax, widened
from realitycheck.losses.magface import MagFace
from realitycheck.losses.normalized_softmax import NormalizedSoftmax
from realitycheck.losses.proxy_gml import ProxyGML
from realitycheck.losses.sgsl import SGSL
from realitycheck.losses.sphereface import SphereFace
from realitycheck.losses.sphereface_r import SphereFaceR
from realitycheck.testing import LossContract

SIZES = {"num_classes": 6, "embedding_dim": 8}
LABELS = torch.arange(24) // 4
MAGFACE = {"lower_margin": 20.0, "margin_gap": 15.0, "lower_norm": 2.0, "upper_norm": 6.0, "norm_weight": 5.0}


def sizes(case):
    return {"num_classes": case.classes, "embedding_dim": case.dims}


class TestLargeMarginSoftmaxContract(LossContract):
    family = "proxies"
    stateful = True

    def make(self):
        return LargeMarginSoftmax(margin=3, lambda_min=1.0, **sizes(self))


class TestSphereFaceContract(LossContract):
    family = "proxies"
    stateful = True

    def make(self):
        return SphereFace(margin=4, lambda_min=5.0, **sizes(self))


class TestSphereFaceRContract(LossContract):
    family = "proxies"

    def make(self):
        return SphereFaceR(margin=1.7, scale=30.0, **sizes(self))


class TestMagFaceContract(LossContract):
    family = "proxies"

    def make(self):
        return MagFace(**MAGFACE, scale=20.0, **sizes(self))


class TestL2SoftmaxContract(LossContract):
    family = "proxies"

    def make(self):
        return L2Softmax(alpha=16.0, **sizes(self))


class TestSGSLContract(LossContract):
    family = "proxies"

    def make(self):
        return SGSL(smoothing=0.1, scale=30.0, center_weight=1.0, threshold=3.0, **sizes(self))


class TestProxyGMLContract(LossContract):
    family = "proxies"

    def make(self):
        return ProxyGML(ratio=0.6, centers=3, regularizer=0.3, **sizes(self))


CONTRACTS = [each for each in globals().values() if isinstance(each, type) and each.__name__.endswith("Contract")]
CONTRACTS.remove(LossContract)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_trains_as_one_graph(contract):
    """With its backward, which must not take a changed buffer for the one that the forward has read."""
    case = contract()
    (one, two), (embeddings, labels) = case.twins(), case.batch()
    compiled = torch.compile(one, backend="aot_eager", fullgraph=True)
    for _ in range(2):
        torch.testing.assert_close(case.step(compiled, embeddings, labels), case.step(two, embeddings, labels))


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("scale", [0.0, 1e-20, 1e4])
def test_gradients_stay_finite_in_bfloat16_and_at_odd_lengths(contract, scale):
    case = contract()
    loss, (embeddings, labels) = case.make(), case.batch()
    leaf = (scale * embeddings.detach()).bfloat16().requires_grad_()
    value = loss(leaf, labels)
    value.backward()
    assert value.isfinite()
    assert leaf.grad.isfinite().all()
    assert all(each.grad.isfinite().all() for each in loss.parameters())


DOCUMENTED = [CCL, HIST, IBC, HierarchicalProxy, L2Softmax, LargeMarginSoftmax, MagFace]


@pytest.mark.parametrize("cls", [*DOCUMENTED, ProxyGML, SGSL, SphereFace, SphereFaceR])
def test_formulas_can_be_drawn(cls):
    _, formula, _ = cls.__doc__.split("$$")
    MathTextParser("path").parse("$" + " ".join(formula.split()) + "$")


def cloud(seed):
    return torch.randn(24, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def arrows(*degrees, lengths=None):
    """Vectors of the plane at these angles."""
    lengths = lengths or [1.0] * len(degrees)
    return torch.tensor(
        [[r * math.cos(math.radians(a)), r * math.sin(math.radians(a))] for a, r in zip(degrees, lengths, strict=True)],
        dtype=torch.float64,
    )


def with_proxies(loss, proxies):
    loss = loss.double()
    with torch.no_grad():
        loss.proxies.copy_(proxies)
    return loss


def agree(ours, theirs, *, points=None, rtol=1e-7, atol=1e-9):
    """Value and gradient by the embeddings."""
    points = cloud(0) if points is None else points
    one, two = points.detach().clone().requires_grad_(), points.detach().clone().requires_grad_()
    value, expected = ours(one, LABELS), theirs(two, LABELS)
    torch.testing.assert_close(value, expected)
    value.backward()
    expected.backward()
    torch.testing.assert_close(one.grad, two.grad, rtol=rtol, atol=atol)


def settled(loss):
    """The loss long after its annealing: λ is below 2e-15."""
    loss.steps.fill_(2**62)
    return loss


def naive(embeddings, proxies, own_logit, logit):
    """Mean cross entropy from two functions of (embedding, class vector), item by item."""
    total = 0.0
    for point, label in zip(embeddings, LABELS.tolist(), strict=True):
        logits = [logit(point, each) for each in proxies]
        logits[label] = own_logit(point, proxies[label])
        total = total + torch.stack(logits).logsumexp(dim=0) - logits[label]
    return total / len(embeddings)


def angle(point, vector):
    return torch.arccos(point @ vector / (point.norm() * vector.norm()))


def psi(theta, margin):
    k = math.floor(margin * theta.item() / math.pi)
    return (-1) ** k * torch.cos(margin * theta) - 2 * k


class TestLargeMargins:
    MARGINS = (1, 2, 3, 4)

    @pytest.mark.parametrize("margin", MARGINS)
    @pytest.mark.parametrize(
        ("ours", "theirs"), [(LargeMarginSoftmax, "LargeMarginSoftmax"), (SphereFace, "SphereFace")]
    )
    @pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")
    def test_agree_with_pytorch_metric_learning_after_annealing(self, ours, theirs, margin):
        loss = settled(ours(margin=margin, lambda_min=0.0, **SIZES).double())
        other = getattr(pml, f"{theirs}Loss")(num_classes=6, embedding_size=8, margin=margin).double()
        with torch.no_grad():
            other.W.copy_(loss.proxies.T)
        agree(loss, other)
        torch.testing.assert_close(loss.proxies.grad, other.W.grad.T, rtol=1e-7, atol=1e-9)

    @pytest.mark.parametrize("cls", [LargeMarginSoftmax, SphereFace])
    def test_by_loops_while_annealing(self, cls):
        """The third step: λ = 1000 / 1.36, or 800 where that is the least."""
        for least, weight in ((0.0, 1000 / 1.36), (800.0, 800.0)):
            loss = cls(margin=3, lambda_min=least, **SIZES).double()
            loss.steps.fill_(2)

            def scale(point, vector, cls=cls):
                return point.norm() * (vector.norm() if cls is LargeMarginSoftmax else 1)

            def own(point, vector, weight=weight, scale=scale):
                theta = angle(point, vector)
                return scale(point, vector) * (weight * theta.cos() + psi(theta, 3)) / (1 + weight)

            def other(point, vector, scale=scale):
                return scale(point, vector) * angle(point, vector).cos()

            vectors = loss.proxies.detach()
            agree(loss, lambda points, labels, v=vectors, o=own, f=other: naive(points, v, o, f))

    def test_margin_one_is_plain_softmax(self):
        loss = LargeMarginSoftmax(margin=1, lambda_min=0.0, **SIZES).double()
        agree(loss, lambda points, labels: functional.cross_entropy(points @ loss.proxies.T, labels))

    def test_margin_one_of_sphereface_is_softmax_of_unit_vectors(self):
        loss = SphereFace(margin=1, lambda_min=0.0, **SIZES).double()
        unit = functional.normalize(loss.proxies.detach(), dim=1)
        agree(loss, lambda points, labels: functional.cross_entropy(points @ unit.T, labels))

    def test_annealing_counts_training_steps_only(self):
        loss = SphereFace(margin=2, lambda_min=5.0, **SIZES)
        points = cloud(0).float()
        for _ in range(3):
            loss(points, LABELS)
        loss.eval()(points, LABELS)
        assert loss.steps.item() == 3

    @pytest.mark.parametrize("margin", (*MARGINS, 5))
    def test_psi_falls_from_1_without_a_jump(self, margin):
        theta = torch.linspace(0, math.pi, 2001, dtype=torch.float64)
        values = widened(theta.cos(), margin)
        expected = torch.stack([psi(each, margin) for each in theta])
        torch.testing.assert_close(values, expected)
        assert (values.diff() <= 1e-12).all()
        assert values[-1].item() == pytest.approx(1 - 2 * margin)

    def test_sphereface_on_the_circle(self):
        """Lengths 3 and 2; own angles 60° (2θ = 120°) and 150° (2θ = 300°, one turn on); first step, λ = 1000/1.12."""
        loss = with_proxies(
            SphereFace(margin=2, lambda_min=5.0, num_classes=2, embedding_dim=2), arrows(0, 90, lengths=(5.0, 0.1))
        )
        value = loss(arrows(60, 240, lengths=(3.0, 2.0)), torch.tensor([0, 1]))
        weight = 1000 / 1.12
        near = 3 * (weight * 0.5 + math.cos(math.radians(120))) / (1 + weight)
        far = 2 * (weight * math.cos(math.radians(150)) - math.cos(math.radians(300)) - 2) / (1 + weight)
        others = 3 * math.cos(math.radians(30)), 2 * math.cos(math.radians(240))
        expected = (math.log(1 + math.exp(others[0] - near)) + math.log(1 + math.exp(others[1] - far))) / 2
        assert value.item() == pytest.approx(expected)

    def test_large_margin_softmax_on_the_circle(self):
        """As above, and class vectors of lengths 5 and 0.1."""
        loss = with_proxies(
            LargeMarginSoftmax(margin=2, lambda_min=900.0, num_classes=2, embedding_dim=2),
            arrows(0, 90, lengths=(5.0, 0.1)),
        )
        value = loss(arrows(60, lengths=(3.0,)), torch.tensor([0]))
        near = 15 * (900 * 0.5 - 0.5) / 901
        assert value.item() == pytest.approx(math.log(1 + math.exp(0.3 * math.cos(math.radians(30)) - near)))


class TestSphereFaceR:
    @pytest.mark.parametrize("margin", [1.0, 1.5, 1.7, 2.5, 4.0])
    def test_by_loops(self, margin):
        """The margin's share of the logits is a constant to the gradient."""
        loss = SphereFaceR(margin=margin, scale=12.0, **SIZES).double()

        def own(point, vector):
            theta = angle(point, vector)
            return 12 * (theta.cos() + (psi(theta, margin) - theta.cos()).detach())

        def other(point, vector):
            return 12 * angle(point, vector).cos()

        agree(loss, lambda points, labels: naive(points, loss.proxies.detach(), own, other))

    def test_margin_one_is_normalised_softmax(self):
        loss = SphereFaceR(margin=1.0, scale=4.0, **SIZES)
        agree(loss.double(), with_proxies(NormalizedSoftmax(temperature=0.25, **SIZES), loss.proxies))

    def test_on_the_circle(self):
        """Own angle 60°, 1.5 times as wide 90°; other angle 30°."""
        loss = with_proxies(SphereFaceR(margin=1.5, scale=2.0, num_classes=2, embedding_dim=2), arrows(0, 90))
        value = loss(arrows(60, lengths=(7.0,)), torch.tensor([0]))
        assert value.item() == pytest.approx(math.log(1 + math.exp(2 * math.cos(math.radians(30)))))


class TestMagFace:
    def make(self, **changed):
        return MagFace(**(MAGFACE | changed), scale=10.0, **SIZES).double()

    def test_is_arcface_where_nothing_depends_on_length(self):
        """And where every own cosine is above 0: embeddings about their class vectors."""
        vectors = cloud(1).detach()[:6]
        points = cloud(0) + 2 * vectors[LABELS]
        ours = with_proxies(self.make(lower_margin=25.0, margin_gap=0.0, norm_weight=0.0), vectors)
        assert ((points * vectors[LABELS]).sum(dim=1) > 0).all()
        agree(ours, with_proxies(ArcFace(margin=25.0, scale=10.0, **SIZES), vectors), points=points)
        theirs = pml.ArcFaceLoss(num_classes=6, embedding_size=8, margin=25.0, scale=10.0).double()
        with torch.no_grad():
            theirs.W.copy_(vectors.T)
        agree(ours, theirs, points=points)

    def test_without_margins_is_normalised_softmax(self):
        ours = self.make(lower_margin=0.0, margin_gap=0.0, norm_weight=0.0)
        agree(ours, with_proxies(NormalizedSoftmax(temperature=0.1, **SIZES), ours.proxies))

    def test_by_loops(self):
        """Some lengths are below 2, some above 6, and some own cosines below 0."""
        loss = self.make()
        points = cloud(0) * torch.linspace(0.5, 3, 24, dtype=torch.float64)[:, None]
        lengths = points.norm(dim=1)
        assert (lengths < 2).any() and (lengths > 6).any()

        def own(point, vector):
            length = point.norm().clamp(2, 6)
            theta = angle(point, vector)
            margin = math.radians(20) + math.radians(15) * (length - 2) / 4
            return 10 * (torch.cos(theta + margin) if theta < math.pi / 2 else theta.cos())

        def other(point, vector):
            return 10 * angle(point, vector).cos()

        def theirs(points, labels):
            reward = sum(1 / each.norm().clamp(2, 6) + each.norm().clamp(2, 6) / 36 for each in points) / len(points)
            return naive(points, loss.proxies.detach(), own, other) + 5 * reward

        agree(loss, theirs, points=points)

    def test_on_the_circle(self):
        """Length 4 is half way from 2 to 6: a margin of 20° + 15°/2."""
        loss = MagFace(**MAGFACE, scale=3.0, num_classes=2, embedding_dim=2)
        value = with_proxies(loss, arrows(0, 90))(arrows(30, lengths=(4.0,)), torch.tensor([0]))
        near, far = math.cos(math.radians(57.5)), math.cos(math.radians(60))
        assert value.item() == pytest.approx(math.log(1 + math.exp(3 * (far - near))) + 5 * (1 / 4 + 4 / 36))

    def test_lengths_beyond_the_bounds_have_no_gradient(self):
        point = arrows(30, lengths=(9.0,)).requires_grad_()
        loss = MagFace(**MAGFACE, scale=3.0, num_classes=2, embedding_dim=2)
        with_proxies(loss, arrows(0, 90))(point, torch.tensor([0])).backward()
        assert (point.grad @ arrows(30).T).item() == pytest.approx(0, abs=1e-12)


class TestL2Softmax:
    def test_by_loops(self):
        loss = L2Softmax(alpha=5.0, **SIZES).double()
        with torch.no_grad():
            loss.bias.copy_(torch.linspace(-1, 1, 6))
        bias = {tuple(each.tolist()): b for each, b in zip(loss.proxies, loss.bias.detach(), strict=True)}

        def logit(point, vector):
            return 5 * vector @ (point / point.norm()) + bias[tuple(vector.tolist())]

        agree(loss, lambda points, labels: naive(points, loss.proxies.detach(), logit, logit))

    def test_of_unit_vectors_is_normalised_softmax(self):
        unit = functional.normalize(cloud(1).detach()[:6], dim=1)
        ours = with_proxies(L2Softmax(alpha=5.0, **SIZES), unit)
        agree(ours, with_proxies(NormalizedSoftmax(temperature=0.2, **SIZES), unit))

    def test_on_the_circle(self):
        loss = with_proxies(L2Softmax(alpha=4.0, num_classes=2, embedding_dim=2), arrows(0, 90, lengths=(1.0, 2.0)))
        with torch.no_grad():
            loss.bias.copy_(torch.tensor([0.25, -0.5]))
        value = loss(arrows(60, lengths=(9.0,)), torch.tensor([0]))
        assert value.item() == pytest.approx(
            math.log(1 + math.exp(8 * math.cos(math.radians(30)) - 0.5 - (4 * 0.5 + 0.25)))
        )


class TestSGSL:
    def make(self, threshold=3.0, std=0.1, **changed):
        knobs = {"smoothing": 0.2, "scale": 30.0, "center_weight": 0.7} | changed
        loss = SGSL(**knobs, threshold=threshold, **SIZES)
        return with_proxies(loss, std * torch.randn(6, 8, generator=torch.Generator().manual_seed(1)))

    @staticmethod
    def entropy(points, proxies, smoothing):
        total = 0.0
        for point, label in zip(points, LABELS.tolist(), strict=True):
            logits = proxies @ point
            log = logits - logits.logsumexp(dim=0)
            total = total - sum((1 - smoothing if c == label else smoothing / 5) * log[c] for c in range(6))
        return total / len(points)

    @staticmethod
    def center(points, proxies):
        total = 0.0
        for point, label in zip(points, LABELS.tolist(), strict=True):
            s = [angle(point, each).cos() for each in proxies.detach()]
            rest = sum(torch.exp(30 * each) for c, each in enumerate(s) if c != label)
            total = total + torch.log(1 + torch.exp(rest.log() / 30 - s[label]))
        return total / len(points)

    @pytest.mark.parametrize(("std", "on"), [(0.1, 1), (3.0, 0)])
    def test_by_loops_on_both_sides_of_the_switch(self, std, on):
        loss = self.make(std=std)
        assert (self.entropy(cloud(0), loss.proxies, 0.2) <= 3) == on
        copied = copy.deepcopy(loss.proxies)

        def theirs(points, labels):
            return self.entropy(points, copied, 0.2) + on * 0.7 * self.center(points, copied)

        agree(loss, theirs)
        torch.testing.assert_close(loss.proxies.grad, copied.grad)

    def test_below_a_threshold_of_0_is_smoothed_softmax(self):
        loss = self.make(threshold=0.0, smoothing=0.0)
        agree(loss, lambda points, labels: functional.cross_entropy(points @ loss.proxies.T, labels))

    def test_on_the_circle(self):
        """Two classes: the log-sum over the only other class is its similarity."""
        loss = SGSL(smoothing=0.25, scale=7.0, center_weight=2.0, threshold=3.0, num_classes=2, embedding_dim=2)
        value = with_proxies(loss, arrows(0, 90, lengths=(0.5, 0.5)))(arrows(60, lengths=(2.0,)), torch.tensor([0]))
        near, far = math.cos(math.radians(60)), math.cos(math.radians(30))
        own = math.log(1 + math.exp(far - near))
        entropy = 0.75 * own + 0.25 * (own + near - far)
        assert value.item() == pytest.approx(entropy + 2 * math.log(1 + math.exp(far - near)))


class TestProxyGML:
    @staticmethod
    def theirs(points, proxies, *, kept, centers, regularizer):
        """Item by item, with Python's sort."""
        unit = [each / each.norm() for each in proxies]
        classes = range(len(unit) // centers)
        total = 0.0
        for point, label in zip(points, LABELS.tolist(), strict=True):
            s = [point @ each / point.norm() for each in unit]
            order = sorted(range(len(s)), key=lambda j, s=s, y=label: (j // centers != y, -s[j].item()))[:kept]
            scores = {c: sum(s[j] for j in order if j // centers == c) for c in {j // centers for j in order}}
            total = total + torch.stack(list(scores.values())).logsumexp(dim=0) - scores[label]
        between = 0.0
        for j, each in enumerate(unit):
            r = [sum(each @ unit[c * centers + k] for k in range(centers)) for c in classes]
            between = between + torch.stack(r).logsumexp(dim=0) - r[j // centers]
        return total / len(points) + regularizer * between / len(unit)

    @pytest.mark.parametrize(("ratio", "kept"), [(0.3, 6), (0.5, 9), (1.0, 18), (0.01, 4)])
    def test_by_loops(self, ratio, kept):
        """⌈r·18⌉ proxies, and one more than a class has at the least."""
        loss = ProxyGML(ratio=ratio, centers=3, regularizer=0.3, **SIZES).double()
        copied = copy.deepcopy(loss.proxies)
        agree(loss, lambda points, labels: self.theirs(points, copied, kept=kept, centers=3, regularizer=0.3))
        torch.testing.assert_close(loss.proxies.grad, copied.grad)

    def test_with_one_proxy_each_and_all_kept_is_normalised_softmax(self):
        ours = ProxyGML(ratio=1.0, centers=1, regularizer=0.0, **SIZES).double()
        agree(ours, with_proxies(NormalizedSoftmax(temperature=1.0, **SIZES), ours.proxies))

    def test_on_the_circle(self):
        """Classes at 0° and 30°, 90° and 120°, 200° and 240°: beside class 2, 30° and 90° are nearest to 50°."""
        loss = ProxyGML(ratio=4 / 6, centers=2, regularizer=0.0, num_classes=3, embedding_dim=2)
        value = with_proxies(loss, arrows(0, 30, 90, 120, 200, 240))(arrows(50, lengths=(3.0,)), torch.tensor([2]))
        own = math.cos(math.radians(150)) + math.cos(math.radians(190))
        others = math.exp(math.cos(math.radians(20))) + math.exp(math.cos(math.radians(40)))
        assert value.item() == pytest.approx(math.log(math.exp(own) + others) - own)
