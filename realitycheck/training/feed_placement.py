"""Where a run's images are and who draws its batches: on a GPU they are resident, or drawn ahead by threads."""

from __future__ import annotations

import torch

from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.stores.resident import resident_where_it_fits
from realitycheck.training.batches import ClassBatches
from realitycheck.training.feed import Feed


def feed_of(recipe: Recipe, store: Store, batches: ClassBatches, augment_seed: int, device: torch.device) -> Feed:
    """Return the feed of a run.

    On a CPU batches are drawn by the thread that computes, because a run has the threads of its recipe. On a GPU the
    store is copied there once, where it fits and its batches can be made there with the same bytes; where not, threads
    draw the next blocks while the GPU computes. The batches are the same in each case.

    RandAugment works on the CPU; its results are those of one library on every machine.
    """
    if device.type != "cuda":
        return Feed(recipe, store, batches, augment_seed, device)
    kept = store if recipe.augment.rand_augment is not None else resident_where_it_fits(store, device)
    return Feed(recipe, kept, batches, augment_seed, device, ahead=kept is store)
