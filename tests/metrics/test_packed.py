"""Packed integers against Python's sort of tuples."""

import random

import pytest
import torch

from realitycheck.metrics.neighbors.packed import fits, item_bits, item_of, pack, row_of, value_of

VALUES = [-3.4e38, -1.5, -1.0, -1e-45, 0.0, 1e-45, 2.0**-126, 1.0, 1.0 + 2.0**-23, 3.4e38, float("inf")]


@pytest.mark.parametrize("items", [1, 2, 5, 512, 2**22])
def test_integers_sort_as_tuples_and_give_them_back(items):
    draw = random.Random(items)
    rows = [(draw.randrange(512), draw.choice(VALUES), draw.randrange(items)) for _ in range(3000)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    row, item = torch.tensor(columns[0]), torch.tensor(columns[2])
    value = torch.tensor(columns[1], dtype=torch.float32)
    bits = item_bits(items)
    packed = pack(row, value, item, bits=bits).sort().values
    actual = zip(*(part(packed, bits=bits).tolist() for part in (row_of, value_of, item_of)), strict=True)
    assert list(actual) == sorted(zip(columns[0], value.tolist(), columns[2], strict=True))


def test_a_negative_value_of_any_row_is_above_the_rows_before_it():
    packed = pack(torch.tensor([0, 1]), torch.tensor([float("inf"), -3.4e38]), torch.tensor([7, 0]), bits=3)
    assert packed[0] < packed[1]


@pytest.mark.parametrize(("rows", "items", "expected"), [(512, 2**22, True), (512, 2**22 + 1, False), (1, 2**31, True)])
def test_rows_and_items_that_fit(rows, items, expected):
    """63 bits without the sign, of which 32 are the product's: 9 of 512 rows leave 22."""
    assert fits(rows=rows, items=items) is expected
