"""The contract of a loss as tests."""

from __future__ import annotations

import copy
from abc import abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn

from realitycheck.losses.base import Need


class LossContract:
    """Tests of the interface `losses.base.Loss`.

    Attributes:
        family: `pairs` or `proxies`; labels of proxy losses are in 0..classes-1.
        numbered: whether a loss of pairs needs labels in 0..classes-1, too, because it has parameters of each class.
        draws: whether random numbers depend on the position in the batch, so that a permuted batch has another value.
        graph_breaks: reason for which `torch.compile` cannot capture one graph; empty if it can.
        classes: number of classes of the test batch; `make` should pass it as `num_classes`.
        per_class: items of each class in the test batch.
        dims: embedding dimensions; `make` should pass them as `embedding_dim`.
    """

    family: Literal["pairs", "proxies"] = "pairs"
    numbered = False
    draws = False
    graph_breaks = ""
    classes = 4
    per_class = 4
    dims = 16

    @abstractmethod
    def make(self) -> nn.Module:
        """Build a new loss, with settings under which every term has a gradient on the test batch."""

    def batch(self) -> tuple[Tensor, Tensor]:
        """Return seeded embeddings (B, D) that require a gradient, and labels (B,) in random order."""
        generator = torch.Generator().manual_seed(0)
        size = self.classes * self.per_class
        embeddings = torch.randn(size, self.dims, generator=generator).requires_grad_()
        return embeddings, (torch.arange(size) % self.classes)[torch.randperm(size, generator=generator)]

    def value(self, loss: nn.Module, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of a batch; features are the embeddings, and keys are close to them."""
        inputs = {Need.FEATURES: embeddings, Need.KEYS: (embeddings + 0.1).detach()}
        needs: frozenset[Need] = getattr(loss, "needs", frozenset())
        value: Tensor = loss(embeddings, labels, **{need.value: inputs[need] for need in sorted(needs)})
        return value

    def step(self, loss: nn.Module, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Do one step of gradient descent on the loss's parameters and return the value before it."""
        return self._outcome(loss, embeddings, labels)[0]

    def twins(self) -> tuple[nn.Module, nn.Module]:
        """Return two independent losses with the same state."""
        one, two = self.make(), self.make()
        two.load_state_dict(copy.deepcopy(one.state_dict()))
        return one, two

    def test_is_a_finite_scalar(self) -> None:
        """The value is a finite scalar in float32 and in bfloat16."""
        embeddings, labels = self.batch()
        for dtype in (torch.float32, torch.bfloat16):
            value = self.value(self.make(), embeddings.detach().to(dtype), labels)
            assert value.shape == (), f"expected a scalar, got shape {tuple(value.shape)} in {dtype}"
            assert torch.isfinite(value), f"expected a finite value, got {value.item()} in {dtype}"

    def test_gradients_reach_everything(self) -> None:
        """The embeddings and every parameter get a finite gradient that is not zero."""
        loss, (embeddings, labels) = self.make(), self.batch()
        self.value(loss, embeddings, labels).backward()  # type: ignore[no-untyped-call]
        for name, leaf in (("embeddings", embeddings), *loss.named_parameters()):
            assert leaf.grad is not None and leaf.grad.any(), f"no gradient reaches {name}"
            assert torch.isfinite(leaf.grad).all(), f"the gradient of {name} is not finite"

    def test_order_of_the_batch_does_not_matter(self) -> None:
        """A permuted batch has the same value up to rounding."""
        embeddings, labels = self.batch()
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
        if not self.draws:
            one, two = self.twins()
            torch.testing.assert_close(
                self.value(one, embeddings[order], labels[order]), self.value(two, embeddings, labels)
            )

    def test_without_positives(self) -> None:
        """The loss of a batch with one item of each class is finite."""
        self._stays_finite(self.batch()[0][: self.classes], torch.arange(self.classes))

    def test_one_item_alone(self) -> None:
        """The loss of a batch of one item is finite."""
        self._stays_finite(self.batch()[0][:1], torch.zeros(1, dtype=torch.int64))

    def test_one_class_only(self) -> None:
        """The loss of a batch of one class is finite."""
        embeddings, labels = self.batch()
        self._stays_finite(embeddings, torch.zeros_like(labels))

    def test_duplicates(self) -> None:
        """The loss is finite for items at distance zero, within a class and between classes."""
        embeddings, labels = self.batch()
        self._stays_finite(embeddings[:2].repeat(len(labels) // 2, 1), labels)

    def test_large_labels(self) -> None:
        """Losses on pairs depend only on which labels are equal, for labels up to 2^62."""
        if self.family == "pairs" and not self.numbered:
            (one, two), (embeddings, labels) = self.twins(), self.batch()
            torch.testing.assert_close(self.value(one, embeddings, 2**62 - labels), self.value(two, embeddings, labels))

    def test_resumes_at_any_step_with_the_same_bits(self) -> None:
        """A second loss with the state of the first one continues with the same bits after any step."""
        embeddings, labels = self.batch()
        batches = [embeddings.roll(shift, dims=1) + shift / 7 for shift in range(6)]
        for cut in (0, 1, 4):
            first, second = self.make(), self.make()
            for batch in batches[:cut]:
                self.step(first, batch, labels)
            second.load_state_dict(copy.deepcopy(first.state_dict()))
            for batch in batches[cut:]:
                one, two = self.step(first, batch, labels), self.step(second, batch, labels)
                assert torch.equal(one, two), f"resumed after {cut} steps: {two.item()} instead of {one.item()}"

    def test_is_one_graph(self) -> None:
        """`torch.compile` captures one graph, with the same values, gradients and state, in training and evaluation.

        Losses with buffers are tested with a compiled backward, which must not read a changed buffer.
        """
        if not self.graph_breaks:
            torch.compiler.reset()  # the number of cached graphs of a `forward` is limited, and losses can share it
            (one, two), (embeddings, labels) = self.twins(), self.batch()
            backend = "aot_eager" if any(True for _ in one.buffers()) else "eager"
            compiled: nn.Module = torch.compile(one, backend=backend, fullgraph=True)  # type: ignore[assignment]
            for shift in range(5):
                for loss in (one, two):
                    loss.train(shift < 4)
                points = embeddings.roll(shift, dims=1)
                actual, expected = self._outcome(compiled, points, labels), self._outcome(two, points, labels)
                torch.testing.assert_close(actual, expected)
            torch.testing.assert_close(dict(one.state_dict()), dict(two.state_dict()))

    def _outcome(self, loss: nn.Module, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor | None]:
        """Do one step of gradient descent; return the value before it and its gradient by the embeddings."""
        leaf = embeddings.detach().requires_grad_()
        value = self.value(loss, leaf, labels)
        loss.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for parameter in loss.parameters():
                if parameter.grad is not None:
                    parameter.sub_(0.1 * parameter.grad)
        return value.detach(), leaf.grad

    def _stays_finite(self, embeddings: Tensor, labels: Tensor) -> None:
        leaf = embeddings.detach().requires_grad_()
        value = self.value(self.make(), leaf, labels)
        assert torch.isfinite(value), f"expected a finite value, got {value.item()}"
        if value.requires_grad:
            value.backward()  # type: ignore[no-untyped-call]
        assert leaf.grad is None or torch.isfinite(leaf.grad).all(), "the gradient is not finite"
