"""Classes of arithmetic: what a recipe asks for, how it is pinned, and whether this machine can give it.

A class is part of the identity of a run, since sums in another order have other last bits: on a machine with AVX-512,
four of four runs came out different from the records of a machine without (1e-8 after the first steps, 1e-4 at the
end), and nine of nine were equal with the instruction set pinned. CPU and GPU models and library versions are
recorded, and no part of a class.

The variables are read when the libraries load, so a class is pinned before torch, numpy and faiss are imported.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_AVX2 = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # convolutions of torch on a CPU
    "ATEN_CPU_CAPABILITY": "avx2",  # torch's own vectorised kernels
    "MKL_CBWR": "AVX2,STRICT",  # BLAS of torch: one code path and one order of sums on one CPU model
    "FBGEMM_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",  # BLAS of numpy and scipy
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # numpy's own kernels
    "FAISS_SIMD_LEVEL": "AVX2",
    "FAISS_OPT_LEVEL": "avx2",
}


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """One class of arithmetic.

    Args:
        device: where runs compute.
        machines: the values of `platform.machine()` that can give it; empty for any.
        flags: CPU flags that it needs, as the kernel names them.
        precision: of the forward pass of the model; losses and scores are always computed in float32 or better.
        tf32: whether products in float32 may round their inputs to TF32.
        pins: environment variables, set before any library loads.
    """

    device: Literal["cpu", "cuda"]
    machines: tuple[str, ...]
    flags: tuple[str, ...]
    precision: Literal["float32", "bfloat16"]
    tf32: bool
    pins: Mapping[str, str]


_AVX512_CONVOLUTIONS = _AVX2 | {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}
"""A step of EfficientNet-Lite0 at 64 pixels takes 0.65 of its time with AVX2. Other libraries add nothing to that."""

_CUBLAS = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
"""Needed by cuBLAS before its first use, to repeat its sums in one order (PyTorch docs, Reproducibility)."""

_AVX512_FLAGS = ("avx2", "fma", "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl")
"""What `AVX512_CORE` of oneDNN needs."""

MENU: dict[str, Arithmetic] = {
    "x86-avx2": Arithmetic("cpu", ("x86_64", "AMD64"), ("avx2", "fma"), "float32", tf32=False, pins=_AVX2),
    "x86-avx512": Arithmetic(
        "cpu", ("x86_64", "AMD64"), _AVX512_FLAGS, "float32", tf32=False, pins=_AVX512_CONVOLUTIONS
    ),
    "arm64": Arithmetic("cpu", ("aarch64", "arm64"), (), "float32", tf32=False, pins={}),
    "cpu-fp32": Arithmetic("cpu", (), (), "float32", tf32=False, pins={}),
    "cpu-bf16": Arithmetic("cpu", (), (), "bfloat16", tf32=False, pins={}),
    "cuda-fp32": Arithmetic("cuda", (), (), "float32", tf32=False, pins=_CUBLAS),
    "cuda-tf32": Arithmetic("cuda", (), (), "float32", tf32=True, pins=_CUBLAS),
    "cuda-bf16": Arithmetic("cuda", (), (), "bfloat16", tf32=False, pins=_CUBLAS),
}
"""Name → class. `cpu-fp32` and `cpu-bf16` are whatever the machine does: they run anywhere, with different bits."""


def obstacle(name: str, *, flags: frozenset[str] | None = None, machine: str | None = None) -> str:
    """Why this machine cannot compute in a class; empty if it can. Whether there is a GPU is not asked here.

    Args:
        name: a class of the menu.
        flags: the CPU's flags; those of this machine where None.
        machine: the kind of machine; this one's where None.
    """
    wanted, machine = MENU[name], platform.machine() if machine is None else machine
    if wanted.machines and machine not in wanted.machines:
        return f"it needs a machine of the kind {wanted.machines[0]}, and this one is {machine}"
    missing = sorted(set(wanted.flags) - (cpu_flags() if flags is None else flags)) if wanted.flags else []
    return f"it needs a CPU with {' and '.join(missing)}, which this one is without" if missing else ""


def unpinned(name: str, *, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a class that are not set in an environment, with their values; empty if all are."""
    given = os.environ if environment is None else environment
    return {key: value for key, value in MENU[name].pins.items() if given.get(key) != value}


def assignments(variables: Mapping[str, str]) -> str:
    """Variables as a shell sets them before a command."""
    return " ".join(f'{key}="{value}"' if " " in value else f"{key}={value}" for key, value in variables.items())


def cpu_flags() -> frozenset[str]:
    """The CPU's flags as the kernel names them; empty where there is no /proc/cpuinfo."""
    lines = (line for line in _cpu_lines() if line.startswith(("flags", "Features")))
    return frozenset(next(lines, "").partition(":")[2].split())


def cpu_model() -> str:
    """The CPU's name, for the log of a study."""
    names = (line.partition(":")[2].strip() for line in _cpu_lines() if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _cpu_lines() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
