"""Every executor of the menu keeps the contract."""

from __future__ import annotations

import pytest

from realitycheck.executors.inline import InlineExecutor
from realitycheck.executors.local import LocalExecutor
from realitycheck.executors.menu import MENU, Resources
from realitycheck.testing import ExecutorContract


class TestInlineExecutor(ExecutorContract):
    isolated = False

    def make(self):
        return InlineExecutor(device=None)


class TestLocalExecutor(ExecutorContract):
    def make(self):
        return LocalExecutor(
            devices=[None] * 2, memory=None, deadline=60.0, preload=["realitycheck.testing.executor_contract"], pins={}
        )


@pytest.mark.parametrize("name", sorted(MENU))
def test_the_menu_builds_what_it_names(name):
    executor = MENU[name].build(Resources(devices=[None] * 3, memory=None, deadline=10.0, preload=(), pins={}))
    assert isinstance(executor, {"local": LocalExecutor, "inline": InlineExecutor}[name])
    assert executor.free == {"local": 3, "inline": 1}[name]
    executor.close()
