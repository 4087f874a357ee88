"""Contracts of the losses of the menu, in addition to the public contract."""

import inspect

import pytest
import torch
from matplotlib.mathtext import MathTextParser

from realitycheck.losses.base import initialize
from realitycheck.losses.parts.pairs import PairLoss, pair_masks
from realitycheck.testing import LossContract


class MemberContract(LossContract):
    def sizes(self):
        return {"num_classes": self.classes, "embedding_dim": self.dims}

    def test_formula_can_be_drawn(self):
        before, formula, after = inspect.getdoc(type(self.make())).split("$$")
        assert before.strip() and "Args:" in after
        MathTextParser("path").parse("$" + " ".join(formula.split()) + "$")

    def test_nothing_changes_outside_of_training(self):
        loss, (embeddings, labels) = self.make(), self.batch()
        self.value(loss, embeddings, labels)
        before = {name: value.clone() for name, value in loss.state_dict().items()}
        loss.eval()
        assert torch.equal(self.value(loss, embeddings, labels), self.value(loss, embeddings, labels))
        assert all(torch.equal(value, before[name]) for name, value in loss.state_dict().items())


class VectorContract(MemberContract):
    """Losses with class vectors or layers, which get a gradient from every batch."""

    @pytest.mark.parametrize("length", [0.0, 1e-20, 1e4])
    @pytest.mark.parametrize("size", [1, 16])
    def test_gradients_stay_finite_in_bfloat16_and_at_odd_lengths(self, length, size):
        loss, (embeddings, labels) = self.make(), self.batch()
        leaf = (length * embeddings.detach()[:size]).bfloat16().requires_grad_()
        value = loss(leaf, labels[:size])
        value.backward()
        assert value.isfinite()
        assert leaf.grad.isfinite().all()
        assert all(parameter.grad.isfinite().all() for parameter in loss.parameters())
        assert all(buffer.isfinite().all() for buffer in loss.buffers())


class ProxyContract(VectorContract):
    """Losses with `proxies` as their only vectors."""

    family = "proxies"
    length_matters = False  # nothing is normalised

    @pytest.mark.parametrize("side", [1, -1])
    def test_gradients_stay_finite_on_the_proxies_and_opposite(self, side):
        """Distances of exactly 0, cosines of exactly 1 and -1: square roots have no finite slope there."""
        loss, labels = self.make(), torch.arange(self.classes)
        torch.nn.init.eye_(loss.proxies)
        leaf = (side * loss.proxies.detach()[: self.classes]).clone().requires_grad_()
        value = loss(leaf, labels)
        value.backward()
        assert value.isfinite()
        assert leaf.grad.isfinite().all()
        assert all(parameter.grad.isfinite().all() for parameter in loss.parameters())

    def test_length_matters_where_nothing_is_normalised(self):
        loss, (embeddings, labels) = self.make(), self.batch()
        assert self.length_matters != torch.isclose(loss(3 * embeddings, labels), loss(embeddings, labels)).item()
        assert self.length_matters == (loss.keeps_init == ("proxies",))

    def test_proxies_are_drawn_by_the_protocol_unless_kept(self):
        loss = self.make()
        before = loss.proxies.detach().clone()
        initialize(loss, rule="unit_norm", generator=torch.Generator().manual_seed(0))
        drawn = not torch.equal(before, loss.proxies)
        assert drawn == (not loss.keeps_init)


class NetworkContract(VectorContract):
    """Losses with a network over the batch, with labels that number the classes."""

    numbered = True
    drawn = frozenset()  # what the protocol draws anew: class vectors with a meaningless length

    def test_networks_keep_their_initial_values(self):
        loss = self.make()
        before = {name: parameter.clone() for name, parameter in loss.named_parameters()}
        initialize(loss, rule="standard_normal", generator=torch.Generator().manual_seed(0))
        assert self.drawn == {
            name for name, parameter in loss.named_parameters() if not torch.equal(parameter, before[name])
        }


class PairContract(MemberContract):
    length_matters = False  # the paper compares embeddings as they are

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_gradients_stay_finite(self, dtype):
        """With duplicates, one class only, no positives, one item alone, zeros, and lengths of 1e-3 and 1e3."""
        embeddings, labels = self.batch()
        cases = [(embeddings, labels), (embeddings, 0 * labels), (embeddings[:4], torch.arange(4))]
        cases += [(embeddings[:1], labels[:1]), (embeddings[:2].repeat(8, 1), labels), (0 * embeddings, labels)]
        cases += [(1e-3 * embeddings, labels), (1e3 * embeddings, labels)]
        for points, classes in cases:
            leaf, loss = points.detach().to(dtype).requires_grad_(), self.make()
            value = loss(leaf, classes)
            value.backward()
            actual = [leaf.grad, *(parameter.grad for parameter in loss.parameters())]
            assert torch.isfinite(value) and all(torch.isfinite(gradient).all() for gradient in actual)

    def test_length_of_embeddings(self):
        loss, (embeddings, labels) = self.make(), self.batch()
        same = torch.isclose(loss(7 * embeddings, labels), loss(embeddings, labels))
        assert same != self.length_matters

    def test_others_may_come_in_any_order(self):
        """As a cross-batch memory gives them: the batch's pairs with the columns permuted."""
        loss, (embeddings, labels) = self.make(), self.batch()
        if isinstance(loss, PairLoss):
            points, (positive, negative) = loss.points(embeddings), pair_masks(labels)
            order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
            value = loss.between(points, points[order], positive[:, order], negative[:, order])
            torch.testing.assert_close(value, loss.between(points, points, positive, negative))
