"""Landscapes of every loss with class vectors, on a grid."""

from __future__ import annotations

import pytest
from losses.test_landscapes import WITHOUT_VECTORS, compare_with_differences

from realitycheck.losses import landscapes
from realitycheck.losses.menu import MENU

NAMES = [name for name, entry in MENU.items() if entry.family == "proxies" and not entry.wraps]


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT_VECTORS])
def test_values_and_slopes_on_a_grid(monkeypatch, name, classes):
    monkeypatch.setattr(landscapes, "STEPS", 1)
    compare_with_differences(name, classes=classes, points=4)
