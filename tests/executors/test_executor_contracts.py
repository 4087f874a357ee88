"""Every executor of the menu keeps the contract.

`work` is no executor: it is a process around the executor `local`, which keeps the contract for it. What it adds to
that, leases and leaving, has tests of its own, see docs/cluster.md. The executor of `ray` keeps it on nodes within this
process here, and on those of Ray in `tests/extended/test_ray_contract.py`.
"""

from __future__ import annotations

from contextlib import nullcontext
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from nearby_nodes import Nearby, executor_over

from realitycheck.cli import main
from realitycheck.executors.inline import InlineExecutor
from realitycheck.executors.local import LocalExecutor
from realitycheck.executors.menu import MENU, Resources
from realitycheck.executors.remote import RemoteExecutor
from realitycheck.testing import ExecutorContract


class TestInlineExecutor(ExecutorContract):
    isolated = False

    def make(self, *, deadline):
        return InlineExecutor(device=None)


class TestLocalExecutor(ExecutorContract):
    def make(self, *, deadline):
        return LocalExecutor(
            devices=[None] * 2,
            memory=None,
            deadline=deadline,
            preload=["realitycheck.testing.contract_jobs"],
            pins={},
        )


class TestRemoteExecutor(ExecutorContract):
    """On nodes within this process; on those of Ray in `tests/extended/test_ray_contract.py`."""

    @pytest.fixture(autouse=True)
    def _of_nodes(self, tmp_path):
        self.root = tmp_path / "node"

    def make(self, *, deadline):
        transport = Nearby(self.root, deadline=deadline, preload=("realitycheck.testing.contract_jobs",))
        return executor_over(transport, slots=2)


KINDS = {"local": (LocalExecutor, 3), "inline": (InlineExecutor, 1), "ray": (RemoteExecutor, 3)}
"""Name → class, and how many jobs at a time where three slots are stated."""


@pytest.mark.parametrize("name", sorted(MENU))
def test_the_menu_builds_what_it_names(name):
    if name == "ray" and find_spec("ray") is None:
        pytest.skip("ray is not installed")
    executor = MENU[name].build(Resources(devices=[None] * 3, memory=None, deadline=10.0, preload=(), pins={}))
    kind, room = KINDS[name]
    assert isinstance(executor, kind)
    assert executor.free == room
    assert executor.here == (name != "ray") == (not MENU[name].elsewhere)
    executor.close()


def test_a_worker_drives_the_local_executor(monkeypatch, tmp_path):
    """So the contract of `local` is that of `work`."""
    given = {}
    read = SimpleNamespace(study=SimpleNamespace(study="small"), source="small.yaml")
    monkeypatch.setattr(main, "load", lambda study: read)
    monkeypatch.setattr(main.verbs, "changed_sources", lambda read: [])
    monkeypatch.setattr(main, "display", lambda study, live, mode: nullcontext(SimpleNamespace(runs=None, making=None)))
    monkeypatch.setattr(main.verbs, "run_study", lambda read, **options: given.update(options) or stopped())
    with pytest.raises(KeyboardInterrupt):
        main.work(tmp_path, until=None, workers=1, device="auto", deadline=1.0, checkpoint_every="off")
    assert given and given.get("executor", "local") == "local"


def stopped():
    raise KeyboardInterrupt
