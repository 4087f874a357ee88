"""The contract on a Ray cluster of this machine; skipped where Ray is not installed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from ray_cluster import VARIABLES, cluster

from realitycheck.errors import InputError
from realitycheck.executors.menu import MENU, Resources
from realitycheck.executors.on_ray import prepare_environment, require_ray
from realitycheck.testing import ExecutorContract

installed = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")


def executor(*, deadline, code=(), address="auto", devices=2):
    return MENU["ray"].build(
        Resources(
            devices=[None] * devices,
            memory=None,
            deadline=deadline,
            preload=["realitycheck.testing.executor_contract"],
            pins={},
            address=address,
            code=dict(code),
        )
    )


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of one cluster for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in VARIABLES.items():
            patch.setenv(name, value)
        with cluster(node_cache=tmp_path_factory.mktemp("node")) as address:
            yield address


@installed
class TestRay(ExecutorContract):
    @pytest.fixture(autouse=True)
    def _joined(self, address):
        self.address = address

    def make(self, *, deadline):
        return executor(deadline=deadline, address=self.address)


def test_without_the_package_the_message_names_the_extra(monkeypatch):
    monkeypatch.setattr("realitycheck.executors.on_ray.find_spec", lambda name: None)
    with pytest.raises(InputError) as error:
        executor(deadline=1.0)
    assert [problem.code for problem in error.value.problems] == ["executor-package-missing"]
    assert "realitycheck[ray]" in str(error.value)


def test_the_address_of_a_ray_client_is_refused(monkeypatch):
    monkeypatch.setattr("realitycheck.executors.on_ray.find_spec", lambda name: object())
    with pytest.raises(InputError) as error:
        require_ray("ray://head:10001")
    assert [problem.code for problem in error.value.problems] == ["address-not-allowed"]
    require_ray("auto")
    require_ray(None)


@pytest.mark.parametrize(("given", "mode"), [({}, "token"), ({"RAY_AUTH_MODE": "disabled"}, "disabled")])
def test_a_cluster_asks_for_a_token_unless_a_person_says_otherwise(monkeypatch, given, mode):
    environment = dict(given)
    monkeypatch.setattr("realitycheck.executors.on_ray.os.environ", environment)
    prepare_environment(local=True)
    assert environment["RAY_AUTH_MODE"] == mode
    assert ("RAY_AUTH_TOKEN" in environment) == (mode == "token")
    assert environment["RAY_USAGE_STATS_ENABLED"] == "0"


def test_a_token_of_a_file_is_not_replaced(monkeypatch):
    environment = {"RAY_AUTH_TOKEN_PATH": "/secret"}
    monkeypatch.setattr("realitycheck.executors.on_ray.os.environ", environment)
    prepare_environment(local=True)
    assert "RAY_AUTH_TOKEN" not in environment


def test_a_cluster_that_is_joined_has_its_own_token(monkeypatch):
    environment = {}
    monkeypatch.setattr("realitycheck.executors.on_ray.os.environ", environment)
    prepare_environment(local=False)
    assert environment["RAY_AUTH_MODE"] == "token" and "RAY_AUTH_TOKEN" not in environment
