"""The statistics of the benchmark of searches, on numbers worked out by hand."""

from __future__ import annotations

import math
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from realitycheck.protocol.space import Choice, LogUniform, Uniform

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
from search_cells import ORDER, Budget, Cell, write_files
from search_tables import share_on_bounds, spread_of

from realitycheck import verbs
from realitycheck.search.samplers.menu import MENU

SPACE = {"margin": Uniform(uniform=(0.0, 2.0)), "lr": LogUniform(log_uniform=(1e-5, 1e-2)), "n": Choice(choice=(2, 5))}


def test_the_part_of_the_seeds_is_taken_out():
    """Means 1, 3, 5: variance 4. Seeds differ by 2 in each search: variance 2, over two seeds 1. √(4 − 1) = √3."""
    spread = spread_of([[0.0, 2.0], [2.0, 4.0], [4.0, 6.0]])
    assert spread.means == (1.0, 3.0, 5.0) and spread.mean == 3.0
    assert spread.between == 2.0
    assert spread.seed == pytest.approx(math.sqrt(2))
    assert spread.search == pytest.approx(math.sqrt(3))


def test_the_interval_of_the_deviation_is_by_chi_square():
    """With two degrees of freedom chi-square is exponential: its quantile at p is −2 ln(1 − p)."""
    spread = spread_of([[1.0], [3.0], [5.0]])
    assert spread.low == pytest.approx(2 * math.sqrt(2 / (-2 * math.log(0.025))))
    assert spread.high == pytest.approx(2 * math.sqrt(2 / (-2 * math.log(0.975))))
    assert spread.search == spread.between == 2.0


def test_searches_closer_than_their_seeds_have_no_spread_of_their_own():
    assert spread_of([[0.0, 4.0], [1.0, 3.0]]).search == 0.0


def test_numbers_on_a_bound_are_counted_and_choices_are_not():
    inside, lowest, highest = {"margin": 1.0, "lr": 1e-3}, {"margin": 0.0, "lr": 1e-3}, {"margin": 1.0, "lr": 1e-2}
    assert share_on_bounds([one | {"n": 2} for one in (inside, lowest, highest, inside)], SPACE) == 0.5
    assert share_on_bounds([{"margin": 1.0, "lr": 1.001e-5, "n": 2}], SPACE) == 0.0
    assert share_on_bounds([], SPACE) is None


INSTALLED = dict.fromkeys(cell for cell, _ in ORDER if all(map(find_spec, MENU[cell.sampler].imports)))


@pytest.mark.parametrize("cell", INSTALLED, ids=lambda cell: cell.name)
def test_the_files_of_a_cell_are_valid(tmp_path, cell: Cell):
    read = verbs.open_study(write_files(tmp_path, cell, Budget(50)))
    assert (read.study.protocol.search.trials, read.study.protocol.search.sampler) == (50, cell.sampler)
    assert str(tmp_path) not in "".join(read.texts().values())
