"""Images of an evaluation that threads draw ahead are those of the store, and so are the embeddings."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from loss_trainers import recipe_with

from realitycheck.protocol.recipe import Augment
from realitycheck.stores.base import Facts
from realitycheck.stores.corruptions.corrupted_store import CorruptedStore
from realitycheck.stores.features import FeatureStore
from realitycheck.stores.pixels import SquareStore, WholeStore
from realitycheck.stores.resident import resident
from realitycheck.training import embed as embeddings
from realitycheck.training import evaluation_images
from realitycheck.training.embed import embed
from realitycheck.training.evaluation_images import images_in_batches, threads_draw

CPU, GPU = torch.device("cpu"), torch.device("cuda")
DRAW = np.random.default_rng(0)
FACTS = Facts(np.repeat(np.arange(5), 4), tuple("abcde"), "")
SIZES = DRAW.integers(28, 60, (20, 2))
STARTS = np.concatenate([[0], np.cumsum(SIZES.prod(axis=1) * 3)])
SQUARES = SquareStore(FACTS, DRAW.integers(0, 256, (20, 3, 28, 28), dtype=np.uint8))
STORES = {
    "squares": SQUARES,
    "whole": WholeStore(FACTS, DRAW.integers(0, 256, STARTS[-1], dtype=np.uint8), STARTS, SIZES),
    "features": FeatureStore(FACTS, DRAW.standard_normal((20, 2, 7), dtype=np.float32)),
    "corrupted": CorruptedStore(FACTS, SQUARES, "dropout-3"),
}
RECIPE = recipe_with(augment=Augment(shift=0, flip=0.5))
INDICES = np.array([3, 3, 0, 19, 7, 8, 9, 1, 2, 18, 4])


class Means(torch.nn.Module):
    """Stands for a model: the mean of each channel."""

    def forward(self, images):
        return images.float().flatten(2).mean(2)


@pytest.fixture
def threads(monkeypatch):
    monkeypatch.setattr(evaluation_images, "threads_draw", lambda store, device: True)


def batches(store, indices=INDICES, size=3):
    return [*images_in_batches(store, indices, size=size, recipe=RECIPE, device=CPU)]


@pytest.mark.parametrize("name", STORES)
def test_threads_draw_the_same_images(threads, name):
    store, before = STORES[name], threading.active_count()
    expected = store.plain(INDICES, recipe=RECIPE, device=CPU)
    drawn = batches(store)
    assert [len(images) for images in drawn] == [3, 3, 3, 2]
    assert torch.equal(torch.cat(drawn), expected)
    assert threading.active_count() == before
    assert batches(store, INDICES[:0]) == []


def test_so_the_embeddings_are_the_same(monkeypatch):
    monkeypatch.setattr(embeddings, "EVALUATION_BATCH", 4)
    heard = []
    ways = {"output": "embedder", "recipe": RECIPE, "device": CPU, "between": lambda: heard.append(0)}
    expected = embed(Means(), SQUARES, INDICES, **ways)
    monkeypatch.setattr(evaluation_images, "threads_draw", lambda store, device: True)
    assert torch.equal(embed(Means(), SQUARES, INDICES, **ways), expected)
    assert len(heard) == 2 * 3


def test_a_model_that_fails_leaves_no_thread(threads, monkeypatch):
    monkeypatch.setattr(embeddings, "EVALUATION_BATCH", 1)
    before = threading.active_count()
    with pytest.raises(IndexError):  # features have two axes
        embed(Means(), STORES["features"], INDICES, output="embedder", recipe=RECIPE, device=CPU)
    assert threading.active_count() == before


def test_threads_draw_for_a_gpu_that_has_no_pixels():
    assert threads_draw(SQUARES, GPU)
    assert not threads_draw(SQUARES, CPU)
    assert not threads_draw(resident(SQUARES, CPU, free=10**9), GPU)
