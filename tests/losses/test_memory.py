"""A memory of the latest items."""

from collections import deque

import torch

from realitycheck.losses.parts.memory import Memory


def test_memory_holds_the_latest():
    """Seven places; what comes before the memory has begun is not held."""
    memory, kept, number = Memory(size=7, dims=1), deque(maxlen=7), 1
    for size, count in [(3, 0), (9, 0), (3, 1), (3, 1), (3, 1), (10, 1), (2, 1)]:
        points = torch.arange(number, number + size, dtype=torch.float32)[:, None]
        labels = torch.arange(number, number + size)
        number += size
        places = memory.write(points, labels, count=torch.tensor(count))
        kept.extend(labels.tolist() if count else [])
        assert sorted(memory.labels[memory.filled()].tolist()) == sorted(kept)
        assert memory.points[memory.filled(), 0].tolist() == memory.labels[memory.filled()].tolist()
        assert torch.equal(places, labels[:, None] == memory.labels)
