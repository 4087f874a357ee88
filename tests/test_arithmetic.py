"""Classes of arithmetic: pins, refusals, and that a pinned process computes in the class."""

from __future__ import annotations

import subprocess
import sys

import pytest

from realitycheck.arithmetic import MENU, cpu_flags, obstacle, pin, pins, unpinned

PLAIN = frozenset({"avx2", "fma"})
WIDE = PLAIN | {"avx512f"}

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
images = torch.randn(16, 3, 32, 32, generator=draws, requires_grad=True)
weights = torch.randn(16, 3, 3, 3, generator=draws, requires_grad=True)
torch.nn.functional.conv2d(images, weights, padding=1).square().sum().backward()
digest.update(weights.grad.numpy().tobytes())
print(digest.hexdigest(), torch.backends.cpu.get_cpu_capability())
"""


def bits(**environment: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", BITS], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_machine_that_lacks_what_a_class_needs_is_refused():
    assert obstacle("x86-avx2", flags=PLAIN, machine="x86_64") == ""
    assert "fma" in obstacle("x86-avx2", flags=frozenset({"avx2"}), machine="x86_64")
    assert "aarch64" in obstacle("x86-avx2", flags=PLAIN, machine="aarch64")
    assert obstacle("arm64", flags=frozenset(), machine="x86_64")
    assert obstacle("cpu-fp32", flags=frozenset(), machine="riscv64") == ""


def test_pins_are_needed_where_the_cpu_is_wider():
    environment: dict[str, str] = {}
    assert unpinned("x86-avx2", environment=environment, flags=WIDE)
    assert unpinned("x86-avx2", environment=environment, flags=PLAIN) == "MKL_CBWR"
    pin("x86-avx2", environment)
    assert unpinned("x86-avx2", environment=environment, flags=WIDE) == ""
    environment["ONEDNN_MAX_CPU_ISA"] = "ALL"
    assert unpinned("x86-avx2", environment=environment, flags=WIDE) == "ONEDNN_MAX_CPU_ISA"
    assert unpinned("cpu-fp32", environment={}, flags=WIDE) == ""


def test_every_class_pins_cublas():
    assert all(pins(name)["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8" for name in MENU)


@pytest.mark.skipif(bool(obstacle("x86-avx2")), reason=obstacle("x86-avx2"))
def test_a_pinned_process_computes_with_avx2():
    assert bits(**pins("x86-avx2"))[1] == "AVX2"


@pytest.mark.skipif("avx512f" not in cpu_flags(), reason="this CPU has no AVX-512 to hide")
def test_bits_do_not_depend_on_avx512_once_pinned():
    hidden = bits(**pins("x86-avx2"))
    assert bits()[1] != "AVX2", "without pins the wider instructions are used"
    assert hidden == bits(**pins("x86-avx2"))
