"""Numbers and their nouns."""

from __future__ import annotations

import pytest

from realitycheck.verbs.words import counted


@pytest.mark.parametrize(("count", "told"), [(0, "0 losses"), (1, "1 loss"), (2, "2 losses"), (1200, "1,200 losses")])
def test_counted(count, told):
    assert counted(count, "loss", "losses") == told
