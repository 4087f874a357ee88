"""The examples in the docstrings of the stable functions are true, and the package shows its functions."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest
from small_study import PROTOCOL, STUDY, write_study

import realitycheck

ROOT = Path(__file__).parents[1]

PURE = [
    "realitycheck.losses.build:build",
    "realitycheck.metrics.retrieval:retrieval_scores",
    "realitycheck.plan.splits:split_classes",
    "realitycheck.plan.splits:make_folds",
    "realitycheck.statistics.intervals:t_interval",
    "realitycheck.verbs.study:load_study",
]
VERBS = [
    "realitycheck.verbs.plan:plan_study",
    "realitycheck.verbs.run:run_study",
    "realitycheck.verbs.report:report_study",
    "realitycheck.verbs.verify:verify_study",
]
"""In the order in which a user calls them: each goes on from the files of those before."""


def failures(address: str) -> int:
    """How many examples of one function print something else than its docstring says; pytest shows what."""
    module, _, name = address.partition(":")
    function = getattr(importlib.import_module(module), name)
    (test,) = doctest.DocTestFinder(recurse=False).find(function, name, globs={"__name__": "__main__"})
    assert test.examples, f"{address} has no example"
    return doctest.DocTestRunner().run(test).failed


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A study that stands in for `studies/demo.yaml`: as many seeds, fewer losses, one short trial."""
    protocol = PROTOCOL.replace("trials: 3, startup_trials: 2", "trials: 1, startup_trials: 1")
    protocol = protocol.replace("cap: 30", "cap: 10").replace("seeds: 2", "seeds: 4")
    protocol = protocol.replace("count: 2, kind: blocks", "count: 1, kind: hold_out")
    protocol = protocol.replace("[aggregate, ensemble, complete]", "[complete]")
    study = STUDY.replace("study: small", "study: demo").replace("triplet: {}, normalized_softmax: {}", "triplet: {}")
    path = write_study(tmp_path, protocol=protocol, study=study)
    path.rename(path.with_name("demo.yaml"))
    return tmp_path


@pytest.mark.parametrize("address", PURE)
def test_an_example_is_true(address, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert failures(address) == 0


def test_the_examples_of_the_verbs_are_true_one_after_the_other(home, monkeypatch):
    monkeypatch.chdir(home)
    assert [address for address in VERBS if failures(address)] == []


def test_the_package_lists_its_functions():
    stable = {"load_study", "plan_study", "run_study", "report_study", "verify_study", "losses", "metrics"}
    assert stable <= set(dir(realitycheck))
    assert all(hasattr(realitycheck, name) for name in stable)


def test_the_version_is_that_of_the_installed_package():
    from importlib.metadata import version

    assert realitycheck.__version__ == version("realitycheck")
