"""The mirror against a float64 loop over rows, and the rate of failed limits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from realitycheck.metrics.neighbors.points import prepare
from realitycheck.metrics.neighbors.search import nearest_blocks
from realitycheck.metrics.neighbors.symmetric_tiles import Mirror, tile_order
from realitycheck.metrics.neighbors.tiles import Tiles


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def normal(n, d):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(n * d))


def whole(n, d, *, low, high):
    return torch.randint(low, high, (n, d), generator=torch.Generator().manual_seed(n * d)).float()


def in_tiles(rows, *, k, tile):
    wanted = torch.full((len(rows),), k)
    tiles = Tiles(rows=tile, columns=tile, mirror=tile, pairs=2**20, numbers=2**16)
    result = torch.empty(len(rows), k, dtype=torch.int64)
    for block in nearest_blocks(rows, wanted=wanted, kind=None, distance="euclidean", tiles=tiles):
        result[block.query] = block.nearest
    return result.numpy()


LARGE = {
    "random": normal(700, 8),
    "grid": whole(700, 4, low=-3, high=4),
    "few distinct": whole(700, 2, low=-2, high=3),
    "duplicated": normal(350, 3).repeat(2, 1),
    "shifted": 100 + normal(700, 8),
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("k", [1, 5, 60])
def test_the_mirror_and_the_sheets_equal_the_loop_over_rows(name, k):
    """Whole numbers and few dimensions: these float64 distances are exact, or far from any tie."""
    rows = LARGE[name].double()
    far = torch.stack([(rows - row).square().sum(1) for row in rows]).fill_diagonal_(torch.inf)
    expected = far.argsort(dim=1, stable=True)[:, :k].numpy()
    for tile in (50, 128, 512):
        actual = in_tiles(LARGE[name], k=k, tile=tile)
        np.testing.assert_array_equal(actual, expected)


def test_the_mirror_proves_nearly_every_row():
    rows = normal(3000, 8)
    points = prepare(rows, distance="cosine")
    mirror = Mirror(points, wanted=30 * (torch.arange(3000) < 2900), rows=256)
    done = []
    failed = exhaust(mirror.shortlists(), done)
    assert len(failed) < 0.03 * 2900
    assert sorted(torch.cat([*done, failed]).tolist()) == list(range(2900))


def exhaust(generator, queries):
    while True:
        try:
            queries.append(next(generator).query)
        except StopIteration as stop:
            return stop.value


def test_the_order_has_a_sample_first_and_both_parts_decrease():
    """3,000 items in blocks of 128: an eighth is 375, so that three blocks are the sample."""
    wanted = torch.arange(3000) % 40
    order = tile_order(wanted, rows=128)
    assert sorted(order.tolist()) == list(range(3000))
    for part in (order[:384], order[384:]):
        assert (wanted[part].diff() <= 0).all()
    assert len(set(wanted[order[:384]].tolist())) == 40
    assert tile_order(wanted, rows=0).tolist() == sorted(range(3000), key=lambda item: -(item % 40))


def test_a_limit_within_the_band_of_the_last_wanted_proves_no_row(monkeypatch):
    """An item above such a limit can be nearer than the last one below it."""
    points = prepare(normal(700, 8), distance="euclidean")
    products = (points.left @ points.right.T).fill_diagonal_(torch.inf)
    limits = products.kthvalue(5, dim=1).values + points.band / 2
    mirror = Mirror(points, wanted=torch.full((700,), 5), rows=128)
    monkeypatch.setattr(mirror, "_limits", lambda low: limits[low : low + 128].numpy())
    assert len(exhaust(mirror.shortlists(), [])) == 700
