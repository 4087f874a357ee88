"""The table of growth in docs/performance.md is that of the measurement; its exponents are those of scipy."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

DOCS = Path(__file__).parents[1] / "docs"
MEASURED = json.loads((DOCS / "measured" / "growth.json").read_text(encoding="utf-8"))


def table() -> list[list[str]]:
    text = (DOCS / "performance.md").read_text(encoding="utf-8")
    lines = text.split("<!-- growth -->")[1].split("<!-- end of growth -->")[0].strip().splitlines()[2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def test_every_measurement_has_a_row_with_its_ends_and_its_exponent():
    rows = table()
    assert len(rows) == len(MEASURED["rows"]) == 6
    for (_, first, low, last, high, slope), row in zip(rows, MEASURED["rows"].values(), strict=True):
        sizes, seconds = [int(size) for size in row], list(row.values())
        assert (number(first), number(last)) == (sizes[0], sizes[-1])
        assert (number(low), number(high)) == pytest.approx((seconds[0], seconds[-1]), rel=0.005)
        half = len(sizes) // 2
        fit = stats.linregress(np.log(sizes[half:]), np.log(seconds[half:]))
        assert number(slope) == pytest.approx(fit.slope, abs=0.005)


def test_the_page_names_the_commit_of_the_measurement():
    text = (DOCS / "performance.md").read_text(encoding="utf-8").split("## Growth")[1]
    assert re.findall(r"commit ([0-9a-f]{7})", text) == [MEASURED["commit"]]
