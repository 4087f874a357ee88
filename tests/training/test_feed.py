"""Batches that are drawn in blocks are those of the definition, drawn one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from realitycheck.plan.seeds import derive
from realitycheck.protocol.read import read_protocol
from realitycheck.protocol.recipe import Augment, Crop
from realitycheck.stores.base import Facts
from realitycheck.stores.features import FeatureStore
from realitycheck.stores.pixels import SquareStore, WholeStore
from realitycheck.training import feed
from realitycheck.training.batches import MPerClassBatches, StreamBatches
from realitycheck.training.feed import Feed

QUICK = read_protocol(Path(__file__).parents[2] / "protocols" / "quick.yaml").value
SIZES = (3, 5, 4, 6, 3)
LABELS = np.repeat(np.arange(5), SIZES)
FACTS = Facts(LABELS, tuple("abcde"), "")
PIXELS = np.random.default_rng(0).integers(0, 256, (21, 1, 6, 5), dtype=np.uint8)
FEATURES = np.random.default_rng(0).standard_normal((21, 2, 7), dtype=np.float32)
SHIFT, CROP = Augment(shift=2, flip=0.5), Augment(shift=0, flip=0.5, crop=Crop(scale=(0.3, 1.0), ratio=(0.75, 1.3)))


def feed_of(store, augment, kind=MPerClassBatches):
    recipe = QUICK.recipe.model_copy(update={"augment": augment, "image_size": 4})
    batches = kind(labels=LABELS, classes=(0, 1, 3, 4), shape={"classes": 3, "per_class": 2}, seed=11)
    return Feed(recipe, store, batches, 12, torch.device("cpu"))


def naive_draw(iteration):
    """The definition: an order of the classes, then a key for every place of every chosen class's list."""
    generator = torch.Generator().manual_seed(derive(11, iteration))
    chosen = torch.randperm(4, generator=generator)[:3].tolist()
    keys = torch.rand((3, 6), generator=generator).tolist()
    picked = []
    for label, row in zip(chosen, keys, strict=True):
        images = np.flatnonzero(np.equal(LABELS, (0, 1, 3, 4)[label]))
        places = sorted(range(len(images)), key=row.__getitem__)[:2]
        picked += [int(images[place]) for place in places]
    return picked, [label for label in chosen for _ in range(2)]


def naive_shifts(indices, iteration, names=()):
    generator = torch.Generator().manual_seed(derive(12, iteration, *names))
    top, left = (torch.randint(5, (6, 1), generator=generator).flatten().tolist() for _ in range(2))
    flipped = (torch.rand((6, 1), generator=generator) < 0.5).flatten().tolist()
    padded = np.pad(PIXELS, ((0, 0), (0, 0), (2, 2), (2, 2)))
    for index, down, right, mirrored in zip(indices, top, left, flipped, strict=True):
        cut = padded[index, :, down : down + 6, right : right + 5]
        yield cut[:, :, ::-1] if mirrored else cut


@pytest.mark.parametrize("length", [1, 3, 64])
def test_a_block_holds_the_batches_of_the_definition(monkeypatch, length):
    monkeypatch.setattr(feed, "LONGEST_BLOCK", length)
    ours = feed_of(SquareStore(FACTS, PIXELS), SHIFT)
    for iteration in (0, 1, 2, 3, 4, 5, 6, 2, 70, 71):  # also back, as after a resume, and far ahead
        images, labels = ours.batch(iteration, view="batch")
        keys, again = ours.batch(iteration, view="keys")
        indices, expected = naive_draw(iteration)
        assert labels.tolist() == again.tolist() == expected
        assert np.array_equal(images.numpy(), np.stack(list(naive_shifts(indices, iteration))))
        assert np.array_equal(keys.numpy(), np.stack(list(naive_shifts(indices, iteration, ("keys",)))))


@pytest.mark.parametrize("store", ["features", "square", "whole"])
@pytest.mark.parametrize("kind", [MPerClassBatches, StreamBatches])
def test_blocks_do_not_change_a_batch(monkeypatch, store, kind):
    starts = np.arange(22) * 30
    stores = {
        "features": FeatureStore(FACTS, FEATURES),
        "square": SquareStore(FACTS, PIXELS),
        "whole": WholeStore(FACTS, PIXELS.ravel(), starts, np.tile([6, 5], (21, 1))),
    }
    blocks = feed_of(stores[store], CROP, kind)
    drawn = [blocks.batch(iteration, view="batch") for iteration in range(9)]
    monkeypatch.setattr(feed, "LONGEST_BLOCK", 1)
    single = feed_of(stores[store], CROP, kind)
    for iteration, (images, labels) in enumerate(drawn):
        expected = single.batch(iteration, view="batch")
        assert torch.equal(images, expected[0]) and torch.equal(labels, expected[1])
    assert len({tuple(labels.tolist()) for _, labels in drawn}) > 1


def test_features_of_a_batch_are_those_of_the_images_or_of_their_mirror_images():
    ours = feed_of(FeatureStore(FACTS, FEATURES), Augment(shift=0, flip=0.5))
    for iteration in range(5):
        features, _ = ours.batch(iteration, view="batch")
        generator = torch.Generator().manual_seed(derive(12, iteration))
        mirrored = (torch.rand(6, generator=generator) < 0.5).tolist()
        for row, index, view in zip(features.numpy(), naive_draw(iteration)[0], mirrored, strict=True):
            assert np.array_equal(row, FEATURES[index, int(view)])


def test_the_bytes_of_a_block_are_bounded(monkeypatch):
    monkeypatch.setattr(feed, "BLOCK_BYTES", 3 * 6 * 30)  # three batches of six images of 30 bytes
    ours, asked = feed_of(SquareStore(FACTS, PIXELS), SHIFT), []
    draw = ours.batches.draw_block
    monkeypatch.setattr(ours.batches, "draw_block", lambda iterations: asked.append(iterations) or draw(iterations))
    for iteration in range(8):
        ours.batch(iteration, view="batch")
    assert asked == [range(1), range(1, 4), range(4, 7), range(7, 10)]
