"""Numbers and their nouns."""

from __future__ import annotations

import pytest

from realitycheck.cli.plan_summary import counted, rough


@pytest.mark.parametrize(("count", "told"), [(0, "0 losses"), (1, "1 loss"), (2, "2 losses"), (1200, "1,200 losses")])
def test_counted(count, told):
    assert counted(count, "loss", "losses") == told


@pytest.mark.parametrize(
    ("value", "told"), [(174_321.0, "170,000"), (1049.0, "1,000"), (12.4, "12"), (0.0341, "0.034"), (0.0, "0")]
)
def test_rough(value, told):
    assert rough(value) == told
