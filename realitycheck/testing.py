"""Contracts as tests: sub-class one in a test file, give it a `make`, and pytest checks your plug-in.

class TestMyLoss(LossContract):
    def make(self):
        return MyLoss(margin=0.1)
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from realitycheck.datasets.base import Dataset
from realitycheck.losses.base import Need


class LossContract:
    """What every loss must keep; `losses.base.Loss` says it in words.

    Attributes:
        family: `pairs` or `proxies`; labels of proxy losses must lie in 0..classes-1.
        numbered: whether labels must do so in a loss of pairs, too, because it has parts for each class.
        draws: whether it draws at random by the place in the batch, so that a permuted batch has another value.
        classes: classes of the test batch, and what `make` should pass as `num_classes`.
        per_class: items of each class in the test batch.
        dims: embedding dimensions, and what `make` should pass as `embedding_dim`.
    """

    family: Literal["pairs", "proxies"] = "pairs"
    numbered = False
    draws = False
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
        value = self.value(loss, embeddings.detach().requires_grad_(), labels)
        loss.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for parameter in loss.parameters():
                if parameter.grad is not None:
                    parameter.sub_(0.1 * parameter.grad)
        return value.detach()

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

    def _stays_finite(self, embeddings: Tensor, labels: Tensor) -> None:
        leaf = embeddings.detach().requires_grad_()
        value = self.value(self.make(), leaf, labels)
        assert torch.isfinite(value), f"must be finite; got {value.item()}"
        if value.requires_grad:
            value.backward()  # type: ignore[no-untyped-call]
        assert leaf.grad is None or torch.isfinite(leaf.grad).all(), "the gradient is not finite"


class DatasetContract:
    """What every dataset must keep; `datasets.base.Dataset` says it in words.

    Attributes:
        size: pixels of a side at which images are asked for.
    """

    size = 28

    @abstractmethod
    def make(self) -> Dataset:
        """The dataset, opened anew."""

    def test_classes_and_labels_agree(self) -> None:
        """Names are sorted and different, labels are int64, and no class is empty."""
        dataset = self.make()
        assert list(dataset.classes) == sorted(set(dataset.classes))
        assert dataset.labels.dtype == np.int64 and dataset.labels.ndim == 1
        assert np.array_equal(np.unique(dataset.labels), np.arange(len(dataset.classes)))

    def test_images_come_as_asked(self) -> None:
        """Square uint8 images with the declared channels, in the order of the indices, repeated or not."""
        dataset = self.make()
        asked = [len(dataset.labels) - 1, 0, 0]
        last, first, again = dataset.images(asked, size=self.size)
        assert last.shape == first.shape == (dataset.channels, self.size, self.size)
        assert last.dtype == first.dtype == np.uint8
        assert np.array_equal(first, again)
        assert np.array_equal(last, next(iter(dataset.images(asked[:1], size=self.size))))

    def test_is_the_same_twice(self) -> None:
        """Opened again: the same classes, labels and fingerprint."""
        one, two = self.make(), self.make()
        assert (one.classes, one.fingerprint) == (two.classes, two.fingerprint)
        assert np.array_equal(one.labels, two.labels)

    def test_credit_is_one_line(self) -> None:
        """It is printed under tables."""
        assert len(self.make().credit.splitlines()) <= 1
