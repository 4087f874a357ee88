"""What is refused before a Ray cluster is reached, and what its environment is; `tests/extended` has a cluster."""

from __future__ import annotations

import pytest

from realitycheck.errors import InputError
from realitycheck.executors.menu import MENU, Resources
from realitycheck.executors.on_ray import prepare_environment, require_ray


def built():
    return MENU["ray"].build(Resources(devices=[None], memory=None, deadline=1.0, preload=(), pins={}))


def test_without_the_package_the_message_names_the_extra(monkeypatch):
    monkeypatch.setattr("realitycheck.executors.on_ray.find_spec", lambda name: None)
    with pytest.raises(InputError) as error:
        built()
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
