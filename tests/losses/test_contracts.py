"""Every loss keeps the contract."""

import importlib
from pathlib import Path

import pytest
import torch
from torch._dynamo.exc import Unsupported

from realitycheck import losses
from realitycheck.catalog import resolve_loss
from realitycheck.losses.members.contrastive import Contrastive
from realitycheck.losses.members.multi_similarity import MultiSimilarity
from realitycheck.losses.members.normalized_softmax import NormalizedSoftmax
from realitycheck.losses.members.triplet import Triplet
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


class Branching(Contrastive):
    def forward(self, embeddings, labels):
        doubled = (labels == labels[0]).all()
        return super().forward(embeddings, labels) * (2 if doubled else 1)


class TestBranchingContract(LossContract):
    graph_breaks = "it branches on the labels"

    def make(self):
        return Branching(pos_margin=0.0, neg_margin=1.5)


def test_an_undeclared_break_in_the_graph_is_reported():
    case = TestBranchingContract()
    case.graph_breaks = ""
    with pytest.raises(Unsupported, match="branching"):
        case.test_is_one_graph()


class TestNormalizedSoftmaxContract(LossContract):
    family = "proxies"

    def make(self):
        return NormalizedSoftmax(temperature=0.05, num_classes=self.classes, embedding_dim=self.dims)


PAIRS = [
    contract
    for contract in LossContract.__subclasses__()
    if contract.__module__ == __name__ and contract.family == "pairs"
]


def written(contract):
    """Contracts of single losses below this one, without the abstract contracts between."""
    below = [leaf for inner in contract.__subclasses__() for leaf in written(inner)]
    return below or [contract]


def test_every_loss_of_the_menu_is_under_contract():
    for path in Path(__file__).parent.glob("test_*.py"):
        importlib.import_module(path.stem)
    under = {type(contract().make()) for contract in written(LossContract)}
    assert [name for name in losses.names() if resolve_loss(name)[0] not in under] == []


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
