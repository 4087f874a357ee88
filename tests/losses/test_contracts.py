"""Every loss keeps the contract, and compiles as one graph."""

import importlib
from pathlib import Path

import pytest
import torch

from realitycheck import losses
from realitycheck.catalog import resolve_loss
from realitycheck.losses.contrastive import Contrastive
from realitycheck.losses.multi_similarity import MultiSimilarity
from realitycheck.losses.normalized_softmax import NormalizedSoftmax
from realitycheck.losses.triplet import Triplet
from realitycheck.testing import LossContract


class TestContrastiveContract(LossContract):
    def make(self):
        return Contrastive(pos_margin=0.0, neg_margin=1.5)


class TestTripletContract(LossContract):
    def make(self):
        return Triplet(margin=0.2)


class TestMultiSimilarityContract(LossContract):
    def make(self):
        return MultiSimilarity(alpha=2.0, beta=50.0, base=0.5)


class TestNormalizedSoftmaxContract(LossContract):
    family = "proxies"

    def make(self):
        return NormalizedSoftmax(temperature=0.05, num_classes=self.classes, embedding_dim=self.dims)


CONTRACTS = [each for each in LossContract.__subclasses__() if each.__module__ == __name__]
PAIRS = [contract for contract in CONTRACTS if contract.family == "pairs"]


def test_every_loss_of_the_menu_is_under_contract():
    for path in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(path.stem)
    under = {type(contract().make()) for contract in LossContract.__subclasses__()}
    assert [name for name in losses.names() if resolve_loss(name)[0] not in under] == []


@pytest.mark.parametrize("contract", CONTRACTS)
def test_compiles_as_one_graph(contract):
    case = contract()
    loss, (embeddings, labels) = case.make(), case.batch()
    compiled = torch.compile(loss, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(embeddings, labels), loss(embeddings, labels))


@pytest.mark.parametrize("contract", PAIRS)
def test_length_of_embeddings_does_not_matter(contract):
    case = contract()
    loss, (embeddings, labels) = case.make(), case.batch()
    torch.testing.assert_close(loss(7 * embeddings, labels), loss(embeddings, labels))


@pytest.mark.parametrize("contract", PAIRS)
def test_nothing_to_compare_gives_zero_without_gradient(contract):
    """One item alone has no pair."""
    embeddings, labels = contract().batch()
    leaf = embeddings[:1].detach().requires_grad_()
    value = contract().make()(leaf, labels[:1])
    value.backward()
    assert value.item() == 0
    assert not leaf.grad.any()
