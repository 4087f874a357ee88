"""Jobs of the executor `inline` compute in the settings of a fresh process, and leave those of the caller alone."""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from small_study import STUDY, write_study

from realitycheck import load_study
from realitycheck.executors.base import Job
from realitycheck.executors.inline import InlineExecutor
from realitycheck.executors.local import LocalExecutor

FRESH = {
    "type": "torch.float32",
    "product": ["torch.float32", 2 * (1 + 2**-9 + 2**-20)],
    "device": "cpu",
    "gradient": True,
    "inference": False,
    "subnormal": 2.0**-149,
    "root": "nan",
    "mkldnn": True,
    "benchmark": False,
    "deterministic": False,
    "matmul": "highest",
}
"""By hand: the product needs more bits than bfloat16 has."""


def done(verb: str) -> dict:
    executor = InlineExecutor(device=None)
    executor.submit(Job("run", "id", "group", "title", {}), address=f"settings_seen:{verb}")
    (finished,) = executor.wait(seconds=0.0)
    assert finished.failure is None, finished.traceback
    return finished.body


@contextmanager
def default_type():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@contextmanager
def default_device():
    torch.set_default_device("meta")
    yield
    torch.set_default_device(None)


@contextmanager
def flushed():
    torch.set_flush_denormal(True)
    yield
    torch.set_flush_denormal(False)


@contextmanager
def backends():
    torch.backends.mkldnn.enabled, torch.backends.cudnn.benchmark = False, True
    yield
    torch.backends.mkldnn.enabled, torch.backends.cudnn.benchmark = True, False


@contextmanager
def modes():
    torch.use_deterministic_algorithms(mode=True)
    torch.set_float32_matmul_precision("medium")
    yield
    torch.use_deterministic_algorithms(mode=False)
    torch.set_float32_matmul_precision("highest")


@contextmanager
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def own_state():
    yield torch.ones(1).dtype, torch.ones(1).device, torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")
    yield torch.backends.mkldnn.enabled, torch.backends.cudnn.benchmark, torch.get_num_threads()
    yield torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision()
    yield (torch.full((1,), 2.0**-149) * 1).item()
    yield Path.cwd(), list(sys.path), dict(os.environ), list(warnings.filters), np.geterr()


CARELESS = """
import torch

class Careless(torch.nn.Module):
    def forward(self, embeddings, labels):
        value = embeddings.square().mean()
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        return value
"""

CHANGES = {
    "type": default_type,
    "device": default_device,
    "a block on a device": lambda: torch.device("meta"),
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "no gradients": torch.no_grad,
    "inference": torch.inference_mode,
    "subnormal": flushed,
    "errors of NumPy": lambda: np.errstate(all="raise"),
    "backends": backends,
    "modes": modes,
    "warnings": warnings_are_errors,
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_the_caller_has_set_changes_no_job(name):
    with CHANGES[name]():
        seen = done("see")
    assert seen == FRESH


def test_what_a_job_sets_does_not_last():
    before = list(own_state())
    done("change")
    after = list(own_state())
    assert after == before
    assert done("see") == FRESH


def test_a_child_process_takes_no_warning_for_an_error():
    executor = LocalExecutor(
        devices=(None,), deadline=60.0, memory=None, preload=["torch"], pins={"PYTHONWARNINGS": "error::UserWarning"}
    )
    executor.submit(Job("run", "id", "group", "title", {}), address="settings_seen:see")
    while not (back := executor.wait(seconds=60.0)):
        pass
    executor.close()
    assert back[0].failure is None, back[0].traceback
    assert back[0].body == FRESH


@pytest.mark.parametrize("name", ["type", "device", "autocast", "no gradients", "inference"])
def test_a_loss_is_tried_in_the_settings_of_a_fresh_process(name, tmp_path):
    study = write_study(tmp_path)
    with CHANGES[name]():
        assert len(load_study(study).study.losses) == 3


def test_what_a_loss_sets_while_it_is_tried_is_no_problem_of_others(tmp_path):
    (tmp_path / "careless.py").write_text(CARELESS)
    choice = 'careless: {loss: "careless:Careless", distance: euclidean, family: pairs, space: {}}'
    study = write_study(tmp_path, study=STUDY.replace("triplet: {}", choice))
    assert len(load_study(study).study.losses) == 3
