"""Batches that are drawn ahead by threads, or from pixels on a device, are those of the CPU, byte for byte."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from loss_trainers import recipe_with

from realitycheck.protocol.recipe import Augment, Crop, RandAugment
from realitycheck.stores import resident as residency
from realitycheck.stores.base import Facts
from realitycheck.stores.features import FeatureStore
from realitycheck.stores.pixels import SquareStore, WholeStore
from realitycheck.stores.resident import LARGEST_SHARE, resident
from realitycheck.training import feed as feeds
from realitycheck.training import feed_placement
from realitycheck.training.batches import MPerClassBatches, StreamBatches
from realitycheck.training.feed import Feed

LABELS = np.repeat(np.arange(5), 4)
FACTS = Facts(LABELS, tuple("abcde"), "")
CPU = torch.device("cpu")
DRAW = np.random.default_rng(0)
SIZES = DRAW.integers(28, 60, (20, 2))
STARTS = np.concatenate([[0], np.cumsum(SIZES.prod(axis=1) * 3)])
STORES = {
    "squares": SquareStore(FACTS, DRAW.integers(0, 256, (20, 3, 33, 33), dtype=np.uint8)),
    "whole": WholeStore(FACTS, DRAW.integers(0, 256, STARTS[-1], dtype=np.uint8), STARTS, SIZES),
    "features": FeatureStore(FACTS, DRAW.standard_normal((20, 2, 7), dtype=np.float32)),
}
SHIFT = Augment(shift=2, flip=0.5)
CROP = Augment(shift=0, flip=0.5, crop=Crop(scale=(0.16, 1.0), ratio=(0.75, 1.33)))
CHANGED = Augment(shift=2, flip=0.5, rand_augment=RandAugment(operations=2, magnitude=9))
CASES = [("squares", SHIFT), ("squares", CROP), ("whole", SHIFT), ("whole", CROP), ("features", SHIFT)]


def feed_of(store, augment, *, kind=MPerClassBatches, ahead=False):
    batches = kind(labels=LABELS, classes=(0, 1, 3, 4), shape={"classes": 3, "per_class": 2}, seed=11)
    return Feed(recipe_with(augment=augment), store, batches, 12, CPU, ahead=ahead)


def batches_of(feed, iterations=range(9)):
    return [tensor for at in iterations for view in ("batch", "keys") for tensor in feed.batch(at, view=view)]


def same(one, two):
    return all(torch.equal(first, second) for first, second in zip(one, two, strict=True))


@pytest.mark.parametrize(("name", "augment"), CASES)
def test_a_resident_store_gives_the_same_bytes(name, augment):
    store, recipe = STORES[name], recipe_with(augment=augment)
    moved = resident(store, CPU, free=10**9)
    assert moved is not store
    assert (store.resident, moved.resident) == (False, True)
    assert resident(moved, CPU, free=10**9) is moved
    assert moved.channels == store.channels
    assert same(batches_of(feed_of(moved, augment)), batches_of(feed_of(store, augment)))
    every = np.arange(20)
    assert same([moved.plain(every, recipe=recipe, device=CPU)], [store.plain(every, recipe=recipe, device=CPU)])


def test_what_does_not_fit_stays():
    store = STORES["squares"]
    least = int(store.images.nbytes / LARGEST_SHARE)
    assert resident(store, CPU, free=least) is not store
    assert resident(store, CPU, free=least - 1) is store


@pytest.mark.parametrize("kind", [MPerClassBatches, StreamBatches])
@pytest.mark.parametrize(("name", "augment"), [*CASES, ("squares", CHANGED)])
def test_threads_draw_the_same_batches(name, augment, kind):
    order = (*range(9), 3, 4, 70, 71)  # also back, as after a resume, and far ahead
    feed = feed_of(STORES[name], augment, kind=kind, ahead=True)
    expected = feed_of(STORES[name], augment, kind=kind)
    before = threading.active_count()
    assert same(batches_of(feed, order), batches_of(expected, order))
    assert {view: block.iterations for view, block in feed._blocks.items()} == {
        view: block.iterations for view, block in expected._blocks.items()
    }
    feed.close()
    assert threading.active_count() == before


def test_the_next_blocks_are_drawn_while_this_one_is_used(monkeypatch):
    drawn, store = [], STORES["squares"]

    def note(self, iterations, view, place):
        drawn.append((iterations.start, len(iterations), threading.current_thread() is threading.main_thread()))
        return own(self, iterations, view, place)

    own = Feed._drawn
    monkeypatch.setattr(Feed, "_drawn", note)
    monkeypatch.setattr(feeds, "DRAWERS", 3)
    feed = feed_of(store, SHIFT, ahead=True)
    feed.batch(0, view="batch")
    feed.close()
    length = drawn[1][1]
    begun = [(1 + number * length, length, False) for number in range(4)]
    assert sorted(drawn) == [(0, 1, True), *begun[:3]]
    feed.batch(1, view="batch")
    feed.close()
    assert sorted(drawn) == [(0, 1, True), *begun]


def test_blocks_are_drawn_at_the_same_time(monkeypatch):
    """Each thread waits for all others, outside of the lock for the order of the images."""
    together, own = threading.Barrier(3, timeout=30), SquareStore.drawn_block

    def met(self, *asked, **options):
        if threading.current_thread() is not threading.main_thread():
            together.wait()
        return own(self, *asked, **options)

    monkeypatch.setattr(SquareStore, "drawn_block", met)
    monkeypatch.setattr(feeds, "DRAWERS", 3)
    monkeypatch.setattr(feeds, "LONGEST_BLOCK", 1)
    feed, expected = feed_of(STORES["squares"], SHIFT, ahead=True), feed_of(STORES["squares"], SHIFT)
    assert same(feed.batch(0, view="batch"), expected.batch(0, view="batch"))
    feed.close()
    assert not together.broken


def test_an_exception_of_the_thread_reaches_the_loop(monkeypatch):
    feed, own = feed_of(STORES["squares"], SHIFT, ahead=True), Feed._drawn

    def broken(self, iterations, view, place):
        if iterations.start == 0:
            return own(self, iterations, view, place)
        raise OSError("the disk is gone")

    monkeypatch.setattr(Feed, "_drawn", broken)
    feed.batch(0, view="batch")
    with pytest.raises(OSError, match="the disk is gone"):
        feed.batch(1, view="batch")
    feed.close()


def placed(monkeypatch, augment, *, free, error=None):
    """The feed of a GPU, as it would be there."""
    moves = residency.resident

    def move(store, device, *, free):
        if error:
            raise error
        return moves(store, CPU, free=free)

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, free))
    monkeypatch.setattr(residency, "resident", move)
    store = STORES["squares"]
    return feed_placement.feed_of(recipe_with(augment=augment), store, None, 12, torch.device("cuda")), store


def test_a_gpu_holds_the_pixels_or_gets_them_from_threads(monkeypatch):
    feed, store = placed(monkeypatch, SHIFT, free=10**9)
    assert (feed.store is store, feed.ahead) == (False, False)
    feed, store = placed(monkeypatch, SHIFT, free=1000)
    assert (feed.store is store, feed.ahead) == (True, True)
    feed, store = placed(monkeypatch, SHIFT, free=10**9, error=torch.OutOfMemoryError("full"))
    assert (feed.store is store, feed.ahead) == (True, True)


def test_rand_augment_stays_on_the_cpu(monkeypatch):
    feed, store = placed(monkeypatch, CHANGED, free=10**9)
    assert (feed.store is store, feed.ahead) == (True, True)


def test_a_cpu_draws_in_its_own_thread():
    feed = feed_placement.feed_of(recipe_with(augment=SHIFT), STORES["squares"], None, 12, CPU)
    assert (feed.store is STORES["squares"], feed.ahead) == (True, False)
