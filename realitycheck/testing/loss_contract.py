"""What every loss must keep, as tests."""

from __future__ import annotations

import copy
from abc import abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn

from realitycheck.losses.base import Need


class LossContract:
    """What every loss must keep; `losses.base.Loss` says it in words.

    Attributes:
        family: `pairs` or `proxies`; labels of proxy losses must lie in 0..classes-1.
        numbered: whether labels must do so in a loss of pairs, too, because it has parts for each class.
        draws: whether it draws at random by the place in the batch, so that a permuted batch has another value.
        graph_breaks: why `torch.compile` cannot capture it as one graph; empty, as it should be, where it can.
        classes: classes of the test batch, and what `make` should pass as `num_classes`.
        per_class: items of each class in the test batch.
        dims: embedding dimensions, and what `make` should pass as `embedding_dim`.
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
        """A new loss with settings under which every term of the test batch can be at work."""

    def batch(self) -> tuple[Tensor, Tensor]:
        """Seeded embeddings (B, D), leaves that want a gradient, and labels (B,) in mixed order."""
        generator = torch.Generator().manual_seed(0)
        size = self.classes * self.per_class
        embeddings = torch.randn(size, self.dims, generator=generator).requires_grad_()
        return embeddings, (torch.arange(size) % self.classes)[torch.randperm(size, generator=generator)]

    def value(self, loss: nn.Module, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The loss of a batch, with what it needs beside: features are the embeddings again, keys lie near them."""
        beside = {Need.FEATURES: embeddings, Need.KEYS: (embeddings + 0.1).detach()}
        needs: frozenset[Need] = getattr(loss, "needs", frozenset())
        found: Tensor = loss(embeddings, labels, **{need.value: beside[need] for need in sorted(needs)})
        return found

    def step(self, loss: nn.Module, embeddings: Tensor, labels: Tensor) -> Tensor:
        """One step of gradient descent on the loss's own parameters; the value before it."""
        return self._outcome(loss, embeddings, labels)[0]

    def twins(self) -> tuple[nn.Module, nn.Module]:
        """Two losses in one state: what one call changes, the other has not seen."""
        one, two = self.make(), self.make()
        two.load_state_dict(copy.deepcopy(one.state_dict()))
        return one, two

    def test_is_a_finite_scalar(self) -> None:
        """In float32 and in bfloat16."""
        embeddings, labels = self.batch()
        for dtype in (torch.float32, torch.bfloat16):
            value = self.value(self.make(), embeddings.detach().to(dtype), labels)
            assert value.shape == (), f"must be a scalar; got shape {tuple(value.shape)} in {dtype}"
            assert torch.isfinite(value), f"must be finite; got {value.item()} in {dtype}"

    def test_gradients_reach_everything(self) -> None:
        """The embeddings and every parameter get a finite gradient that is not zero."""
        loss, (embeddings, labels) = self.make(), self.batch()
        self.value(loss, embeddings, labels).backward()  # type: ignore[no-untyped-call]
        for name, leaf in (("embeddings", embeddings), *loss.named_parameters()):
            assert leaf.grad is not None and leaf.grad.any(), f"no gradient reaches {name}"
            assert torch.isfinite(leaf.grad).all(), f"the gradient of {name} is not finite"

    def test_order_of_the_batch_does_not_matter(self) -> None:
        """A permuted batch has the same value, to rounding."""
        embeddings, labels = self.batch()
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
        if not self.draws:
            one, two = self.twins()
            torch.testing.assert_close(
                self.value(one, embeddings[order], labels[order]), self.value(two, embeddings, labels)
            )

    def test_without_positives(self) -> None:
        """One item of each class: nothing to pull together, and no crash."""
        self._stays_finite(self.batch()[0][: self.classes], torch.arange(self.classes))

    def test_one_item_alone(self) -> None:
        """No pair at all, and no crash."""
        self._stays_finite(self.batch()[0][:1], torch.zeros(1, dtype=torch.int64))

    def test_one_class_only(self) -> None:
        """Nothing to push apart, and no crash."""
        embeddings, labels = self.batch()
        self._stays_finite(embeddings, torch.zeros_like(labels))

    def test_duplicates(self) -> None:
        """Items at distance zero, within a class and between classes."""
        embeddings, labels = self.batch()
        self._stays_finite(embeddings[:2].repeat(len(labels) // 2, 1), labels)

    def test_large_labels(self) -> None:
        """Losses on pairs see only which labels are equal, up to 2^62."""
        if self.family == "pairs" and not self.numbered:
            (one, two), (embeddings, labels) = self.twins(), self.batch()
            torch.testing.assert_close(self.value(one, embeddings, 2**62 - labels), self.value(two, embeddings, labels))

    def test_resumes_at_any_step_with_the_same_bits(self) -> None:
        """A second loss with the first one's state goes on as the first one does, wherever it was cut."""
        embeddings, labels = self.batch()
        batches = [embeddings.roll(shift, dims=1) + shift / 7 for shift in range(6)]
        for cut in (0, 1, 4):
            first, second = self.make(), self.make()
            for each in batches[:cut]:
                self.step(first, each, labels)
            second.load_state_dict(copy.deepcopy(first.state_dict()))
            for each in batches[cut:]:
                one, two = self.step(first, each, labels), self.step(second, each, labels)
                assert torch.equal(one, two), (
                    f"cut after {cut} steps, it goes on with {two.item()} instead of {one.item()}"
                )

    def test_is_one_graph(self) -> None:
        """`torch.compile` breaks it nowhere, and what it gives, learns and keeps is the same, in training and after.

        With a compiled backward where there are buffers: it must not take a changed one for what the forward has read.
        """
        if not self.graph_breaks:
            torch.compiler.reset()  # only so many graphs of one `forward` are kept, and losses may share it
            (one, two), (embeddings, labels) = self.twins(), self.batch()
            backend = "aot_eager" if any(True for _ in one.buffers()) else "eager"
            compiled: nn.Module = torch.compile(one, backend=backend, fullgraph=True)  # type: ignore[assignment]
            for shift in range(5):
                for each in (one, two):
                    each.train(shift < 4)
                points = embeddings.roll(shift, dims=1)
                found, expected = self._outcome(compiled, points, labels), self._outcome(two, points, labels)
                torch.testing.assert_close(found, expected)
            torch.testing.assert_close(dict(one.state_dict()), dict(two.state_dict()))

    def _outcome(self, loss: nn.Module, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor | None]:
        """One step of gradient descent; the value before it, and its gradient by the embeddings."""
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
        assert torch.isfinite(value), f"must be finite; got {value.item()}"
        if value.requires_grad:
            value.backward()  # type: ignore[no-untyped-call]
        assert leaf.grad is None or torch.isfinite(leaf.grad).all(), "the gradient is not finite"
