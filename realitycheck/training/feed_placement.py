"""Where a run's images are and who draws its batches: on a GPU they are resident, or drawn ahead by a thread."""

from __future__ import annotations

import torch

from realitycheck.protocol.recipe import Recipe
from realitycheck.stores.base import Store
from realitycheck.stores.resident import resident
from realitycheck.training.batches import ClassBatches
from realitycheck.training.feed import Feed


def feed_of(recipe: Recipe, store: Store, batches: ClassBatches, augment_seed: int, device: torch.device) -> Feed:
    """Return the feed of a run.

    On a CPU batches are drawn by the thread that computes, because a run has the threads of its recipe. On a GPU the
    store is copied there once, where it fits and its batches can be made there with the same bytes; where not, a thread
    draws the next block while the GPU computes. The batches are the same in each case.
    """
    if device.type != "cuda":
        return Feed(recipe, store, batches, augment_seed, device)
    free, _ = torch.cuda.mem_get_info(device)
    try:
        kept = resident(store, recipe, device, free=free)
    except torch.OutOfMemoryError:  # another process took the memory in between
        kept = store
    return Feed(recipe, kept, batches, augment_seed, device, ahead=kept is store)
