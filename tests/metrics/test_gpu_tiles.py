"""What a GPU does, on a CPU: its tiles and torch's operations give the result of the CPU, in few operations."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
import torch
from host_reads import HostReads
from torch.utils._python_dispatch import TorchDispatchMode

from realitycheck.metrics.neighbors import selection
from realitycheck.metrics.neighbors.packed import fits
from realitycheck.metrics.neighbors.search import nearest, nearest_blocks
from realitycheck.metrics.neighbors.tiles import Tiles
from realitycheck.metrics.retrieval import scores, scores_in_tiles

DISTANCES = ("cosine", "euclidean")
N = 2311
"""Prime, and enough for the mirror on the CPU."""

FREE = 2**37


@pytest.fixture(autouse=True)
def as_on_a_gpu(monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield lambda: monkeypatch.setattr(selection, "by_numpy", lambda values: False)
    torch.set_num_threads(before)


def normal(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def bits(n, d):
    return torch.randint(0, 2, (n, d), generator=torch.Generator().manual_seed(d)).float()


def classes(count):
    return torch.arange(N) * 7 % count


ROWS = {
    "clusters": normal(23, 24)[classes(23)] + normal(N, 24, 1),
    "many ties": bits(N, 8),
    "few distinct rows": normal(9, 13)[torch.arange(N) % 9],
    "duplicates": torch.cat([normal(N - 400, 11), normal(N - 400, 11)[:400]]),
    "one row": torch.full((N, 5), 0.1),
    "far rows": torch.cat([normal(N - 2, 16), 1e6 * normal(2, 16)]),
}
LABELS = {
    "classes of a hundred": classes(23),
    "two classes": classes(2),
    "pairs and singletons": torch.where(torch.arange(N) < 301, torch.arange(N), 301 + torch.arange(N) // 2),
    "unequal classes": (torch.arange(N).float().sqrt()).long(),
}
TILES = {
    "large": Tiles.on_gpu(N, free=FREE),
    "little memory": Tiles.on_gpu(N, free=0),
    "several parts": Tiles(rows=700, columns=100, mirror=0, pairs=9000, numbers=1000),
}
CASES = [*itertools.product(ROWS, ["classes of a hundred"]), *itertools.product(["clusters"], LABELS)]


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize(("rows", "labels"), CASES)
def test_scores_are_those_of_the_cpu(as_on_a_gpu, rows, labels, distance):
    expected = scores(ROWS[rows], LABELS[labels], distance=distance)
    as_on_a_gpu()
    assert scores_in_tiles(ROWS[rows], LABELS[labels], distance=distance, tiles=TILES["large"]) == expected


@pytest.mark.parametrize("tiles", TILES)
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("rows", ROWS)
def test_so_is_the_order_of_the_neighbours(as_on_a_gpu, rows, distance, tiles):
    expected = nearest(ROWS[rows], k=13, distance=distance)
    as_on_a_gpu()
    actual = torch.empty_like(expected)
    wanted = torch.full((N,), 13)
    for block in nearest_blocks(ROWS[rows], wanted=wanted, kind=None, distance=distance, tiles=TILES[tiles]):
        actual[block.query] = block.nearest
    assert torch.equal(actual, expected)


@pytest.mark.parametrize("items", [1, 2, 3, 63, 64, 65, 1000, 1023, 1025, 1537, 2049])
@pytest.mark.parametrize("distance", DISTANCES)
def test_any_number_of_items(as_on_a_gpu, items, distance):
    rows = bits(items + 1, 12)
    expected = nearest(rows, k=items, distance=distance) if items < 70 else nearest(rows, k=9, distance=distance)
    as_on_a_gpu()
    wanted = torch.full((items + 1,), expected.shape[1])
    (block,) = nearest_blocks(
        rows, wanted=wanted, kind=None, distance=distance, tiles=Tiles.on_gpu(items + 1, free=FREE)
    )
    assert torch.equal(block.nearest[block.query.argsort()], expected)


@pytest.mark.parametrize("items", [1, 1000, 6050, 60_502, 65_536, 65_537, 1_000_003, 2**25 - 1])
@pytest.mark.parametrize("free", [0, 2**30, 2**34, FREE])
def test_the_memory_is_bounded_and_the_numbers_fit(items, free):
    tiles = Tiles.on_gpu(items, free=free)
    least = Tiles.on_cpu(items)
    assert tiles.rows == 16 or 4 * tiles.rows * items <= min(2**31, free // 8)
    assert tiles.pairs == least.pairs or 60 * tiles.pairs <= free // 8
    assert tiles.numbers == least.numbers or 16 * tiles.numbers <= free // 8
    assert fits(rows=tiles.rows, items=items)


def test_the_tiles_of_a_gpu_take_its_free_memory_and_what_torch_holds(monkeypatch):
    device = torch.device("cuda", 0)
    memory = {"mem_get_info": (2**30, 2**40), "memory_reserved": 2**32, "memory_allocated": 2**31}
    for name, value in memory.items():
        monkeypatch.setattr(torch.cuda, name, lambda _, value=value: value)
    assert Tiles.fitting(60_502, device=device) == Tiles.on_gpu(60_502, free=2**30 + 2**32 - 2**31)
    assert Tiles.fitting(60_502, device=torch.device("cpu")) == Tiles.on_cpu(60_502)


class Operations(TorchDispatchMode):
    """Counts operations that are not views: each starts one or a few kernels on a GPU."""

    def __init__(self):
        super().__init__()
        self.names = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if not func.is_view:
            self.names[func._schema.name] += 1
        return func(*args, **(kwargs or {}))


def work(labels, *, rows, distance):
    """Operations and waits of the host of a score in blocks of this many queries."""
    large = TILES["large"]
    tiles = Tiles(rows=rows, columns=large.columns, mirror=0, pairs=large.pairs, numbers=large.numbers)
    operations, waits = Operations(), HostReads()
    with waits, operations:
        scores_in_tiles(ROWS["clusters"], labels, distance=distance, tiles=tiles)
    return operations.names, len(waits.found)


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_block_is_few_operations_and_few_waits(as_on_a_gpu, distance):
    as_on_a_gpu()
    labels = LABELS["pairs and singletons"]
    once, waits = work(labels, rows=N, distance=distance)
    assert once["aten::mm"] == 1
    assert once["aten::scatter_"] == 1
    assert once.total() < 300
    assert waits < 25
    again, more = work(labels, rows=-(-(N - 301) // 7), distance=distance)
    assert again["aten::mm"] == 7
    assert (again.total() - once.total()) / 6 < 150
    assert (more - waits) / 6 <= 9


def test_equal_rows_are_not_compared_one_by_one(as_on_a_gpu):
    as_on_a_gpu()
    operations, waits = Operations(), HostReads()
    with waits, operations:
        scores_in_tiles(ROWS["one row"], LABELS["classes of a hundred"], distance="cosine", tiles=TILES["large"])
    assert operations.names.total() < 300
    assert len(waits.found) < 40
