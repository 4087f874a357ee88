"""A machine, device or process that does not compute in the arithmetic of a study is refused before anything starts."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_study import PROTOCOL, write_study

from realitycheck import verbs
from realitycheck.arithmetic import MENU, obstacle
from realitycheck.errors import InputError
from realitycheck.executors.base import Job
from realitycheck.executors.local import LocalExecutor

FOREIGN = "arm64" if obstacle("arm64") else "x86-avx2"
"""A class of another kind of machine than this one."""

LINE = 1 + PROTOCOL.splitlines().index("  arithmetic: cpu-fp32")


def study_of(folder, name):
    return write_study(folder, protocol=PROTOCOL.replace("arithmetic: cpu-fp32", f"arithmetic: {name}"))


def problem_of(call, *arguments, **options):
    with pytest.raises(InputError) as error:
        call(*arguments, **options)
    (problem,) = error.value.problems
    return problem


def test_another_kind_of_machine_is_refused_by_all_that_would_compute(tmp_path):
    study = study_of(tmp_path, FOREIGN)
    for verb in (verbs.plan_study, verbs.run_study):
        problem = problem_of(verb, verbs.load_study(study))
        assert problem.code == "arithmetic-unavailable"
        assert f"line {LINE}" in problem.says and platform.machine() in problem.says
    assert problem_of(verbs.check_study, study).code == "arithmetic-unavailable"
    assert not (tmp_path / "studies" / "small" / "ledger").exists()


def test_it_is_still_described_and_reported(tmp_path):
    study = study_of(tmp_path, FOREIGN)
    assert verbs.study_standings(study)
    assert any(path.name == "index.html" for path in verbs.report_study(study))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_class_of_gpus_is_refused_without_one(tmp_path):
    study = study_of(tmp_path, "cuda-bf16")
    assert problem_of(verbs.run_study, verbs.load_study(study)).code == "arithmetic-unavailable"
    assert problem_of(verbs.check_study, study).code == "arithmetic-unavailable"


def test_a_device_of_another_class_is_refused(tmp_path):
    read = verbs.load_study(study_of(tmp_path, "cpu-fp32"))
    problem = problem_of(verbs.run_study, read, device="cuda:0")
    assert (problem.where, problem.code) == ("--device", "device-not-of-arithmetic")


def test_graphs_of_a_cpu_are_refused(tmp_path):
    read = verbs.load_study(study_of(tmp_path, "cpu-fp32"))
    problem = problem_of(verbs.run_study, read, graphs=True)
    assert (problem.where, problem.code) == ("--graphs", "graphs-not-of-arithmetic")
    assert not (tmp_path / "studies" / "small" / "ledger").exists()


@pytest.mark.skipif(bool(obstacle("x86-avx2")), reason=f"x86-avx2: {obstacle('x86-avx2')}")
def test_this_process_is_refused_where_it_is_not_pinned(tmp_path, monkeypatch):
    read = verbs.load_study(study_of(tmp_path, "x86-avx2"))
    monkeypatch.delenv("MKL_CBWR", raising=False)
    problem = problem_of(verbs.run_study, read, executor="inline")
    assert (problem.where, problem.code) == ("--executor", "process-unpinned")
    assert "MKL_CBWR=AVX2,STRICT" in problem.says


def answer_of(executor):
    executor.submit(Job("run", "a", "g", "a", {}), address="standins:environment")
    (finished,) = executor.wait(seconds=60)
    executor.close()
    return finished.body["environment"]


def test_children_have_the_pins_whatever_this_process_has_loaded():
    """And those of the executor at work, also after one with others."""
    assert "torch" in sys.modules
    before = dict(os.environ)
    for pins in (MENU["x86-avx2"].pins, {}, MENU["cuda-fp32"].pins):
        found = answer_of(LocalExecutor(devices=[None], memory=None, deadline=60.0, preload=(), pins=pins))
        assert {name: found[name] for name in pins} == pins
        assert pins or "MKL_CBWR" not in found
    assert dict(os.environ) == before


FOREIGN_SERVER = """
import multiprocessing.forkserver
from realitycheck.errors import RunError
from realitycheck.executors.base import Job
from realitycheck.executors.local import LocalExecutor

multiprocessing.forkserver.ensure_running()
executor = LocalExecutor(devices=[None], memory=None, deadline=60.0, preload=(), pins={"MKL_CBWR": "AVX2,STRICT"})
try:
    executor.submit(Job("run", "a", "g", "a", {}), address="standins:echo")
except RunError as error:
    print("refused:", error)
finally:
    executor.close()
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="the environment of a process is not shown here")
def test_a_fork_server_that_others_started_without_the_pins_is_refused():
    environment = {key: value for key, value in os.environ.items() if key != "MKL_CBWR"}
    done = subprocess.run([sys.executable, "-c", FOREIGN_SERVER], env=environment, capture_output=True, text=True)
    assert done.stdout.startswith("refused:"), done.stderr
