"""What the recipe asks of the machine."""

from __future__ import annotations

import pytest
import torch
from small_study import PROTOCOL, write_study

from realitycheck.arithmetic import MENU, obstacle
from realitycheck.errors import RunError
from realitycheck.protocol.read import read_study
from realitycheck.training.device import machine, prepare_arithmetic, prepare_machine


@pytest.mark.parametrize(("name", "tf32"), [("cuda-fp32", False), ("cuda-tf32", True), ("cuda-bf16", False)])
def test_tf32_is_what_the_arithmetic_says(tmp_path, monkeypatch, name, tf32):
    """On any machine: flags of CUDA may be set without one."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    monkeypatch.setattr(torch.utils.deterministic, "fill_uninitialized_memory", True)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    monkeypatch.setattr(torch, "use_deterministic_algorithms", lambda mode: None)
    protocol = PROTOCOL.replace("arithmetic: cpu-fp32", f"arithmetic: {name}")
    recipe = read_study(write_study(tmp_path, protocol=protocol)).study.protocol.recipe
    try:
        assert prepare_machine(recipe, "auto").type == "cuda"
        assert prepare_machine(recipe, "cuda:1") == torch.device("cuda:1")
        assert (matmul.allow_tf32, cudnn.allow_tf32) == (tf32, tf32)
        assert torch.utils.deterministic.fill_uninitialized_memory is False
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before


def test_the_device_is_that_of_the_arithmetic():
    threads = torch.get_num_threads()
    assert prepare_arithmetic("cpu-fp32", threads=threads, device="auto").type == "cpu"
    for name, device in (("cpu-fp32", "cuda"), ("cuda-fp32", "cpu")):
        with pytest.raises(RunError, match=name):
            prepare_arithmetic(name, threads=threads, device=device)


def test_a_process_that_is_not_pinned_computes_nothing(monkeypatch):
    name = "cuda-fp32" if obstacle("x86-avx2") else "x86-avx2"
    (variable, *_) = MENU[name].pins
    for key, value in MENU[name].pins.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv(variable)
    with pytest.raises(RunError, match=f"start it with {variable}="):
        prepare_arithmetic(name, threads=1, device="auto")


def test_the_machine_is_its_processor_and_versions():
    text = machine("cpu")
    assert f"torch {torch.__version__}" in text and "MKL" in text
