"""The contract of executors on a Ray cluster; skipped where Ray is not installed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from ray_cluster import VARIABLES, cluster

from realitycheck.executors.menu import MENU, Resources
from realitycheck.testing import ExecutorContract

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of one cluster for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in VARIABLES.items():
            patch.setenv(name, value)
        with cluster(node_cache=tmp_path_factory.mktemp("node")) as address:
            yield address


class TestRay(ExecutorContract):
    @pytest.fixture(autouse=True)
    def _joined(self, address):
        self.address = address

    def make(self, *, deadline):
        return MENU["ray"].build(
            Resources(
                devices=[None] * 2,
                memory=None,
                deadline=deadline,
                preload=["realitycheck.testing.contract_jobs"],
                pins={},
                address=self.address,
            )
        )
