"""Classes of arithmetic: pins, refusals, and that a pinned process computes in the class."""

from __future__ import annotations

import subprocess
import sys

import pytest

from realitycheck.arithmetic import MENU, assignments, cpu_flags, obstacle, unpinned

PLAIN = frozenset({"avx2", "fma"})

BITS = """
import hashlib, torch
torch.set_num_threads(1)
torch.backends.cudnn.enabled = False
draws = torch.Generator().manual_seed(0)
digest = hashlib.sha256()
for rows, inner, columns in ((32, 128, 345), (32, 1280, 128), (64, 64, 64), (128, 27, 4096)):
    a, b = torch.randn(rows, inner, generator=draws), torch.randn(inner, columns, generator=draws)
    digest.update((a @ b).numpy().tobytes())
    digest.update((a.double() @ b.double()).exp().sum(dim=1).numpy().tobytes())
for channels, kernel in ((3, 3), (96, 1)):
    images = torch.randn(16, channels, 32, 32, generator=draws, requires_grad=True)
    weights = torch.randn(24, channels, kernel, kernel, generator=draws, requires_grad=True)
    torch.nn.functional.conv2d(images, weights).square().sum().backward()
    digest.update(weights.grad.numpy().tobytes())
print(digest.hexdigest(), torch.backends.cpu.get_cpu_capability())
"""


def bits(**environment: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", BITS], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_machine_that_lacks_what_a_class_needs_is_refused():
    assert obstacle("x86-avx2", flags=PLAIN, machine="x86_64") == ""
    assert "fma" in obstacle("x86-avx2", flags=frozenset({"avx2"}), machine="x86_64")
    assert "avx512vl" in obstacle("x86-avx512", flags=PLAIN, machine="x86_64")
    assert "aarch64" in obstacle("x86-avx2", flags=PLAIN, machine="aarch64")
    assert obstacle("arm64", flags=frozenset(), machine="x86_64")
    assert obstacle("cpu-fp32", flags=frozenset(), machine="riscv64") == ""


def test_a_process_without_a_variable_of_its_class_is_not_pinned():
    assert unpinned("x86-avx2", environment={}) == MENU["x86-avx2"].pins
    environment = {**MENU["x86-avx2"].pins, "ONEDNN_MAX_CPU_ISA": "ALL"}
    assert unpinned("x86-avx2", environment=environment) == {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    assert unpinned("x86-avx2", environment=MENU["x86-avx2"].pins) == {}
    assert unpinned("cpu-fp32", environment={}) == {}
    assert unpinned("cuda-tf32", environment={}) == {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def test_variables_are_written_as_a_shell_reads_them():
    line = assignments({"A": "1,2", "B": "x y"})
    done = subprocess.run(["sh", "-c", f"{line} env"], env={}, capture_output=True, text=True, check=True)
    assert {"A=1,2", "B=x y"} <= set(done.stdout.splitlines())


@pytest.mark.skipif(bool(obstacle("x86-avx2")), reason=obstacle("x86-avx2"))
def test_a_pinned_process_computes_with_avx2():
    assert bits(**MENU["x86-avx2"].pins)[1] == "AVX2"


@pytest.mark.skipif("avx512f" not in cpu_flags(), reason="this CPU has no AVX-512 to hide")
def test_bits_do_not_depend_on_avx512_once_pinned():
    hidden = bits(**MENU["x86-avx2"].pins)
    assert bits()[1] != "AVX2", "without pins the wider instructions are used"
    assert hidden == bits(**MENU["x86-avx2"].pins)


@pytest.mark.skipif(bool(obstacle("x86-avx512")), reason=obstacle("x86-avx512"))
def test_the_class_with_avx512_widens_convolutions_alone():
    wide, narrow = MENU["x86-avx512"].pins, MENU["x86-avx2"].pins
    assert {key: value for key, value in wide.items() if narrow[key] != value} == {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}
    assert bits(**wide) == bits(**wide) != bits(**narrow)
