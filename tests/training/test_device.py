"""What the recipe asks of the machine."""

from __future__ import annotations

import pytest
import torch
from small_study import PROTOCOL, write_study

from realitycheck.protocol.read import read_study
from realitycheck.training.device import prepare_machine


@pytest.mark.parametrize("tf32", [False, True])
def test_tf32_is_what_the_recipe_says(tmp_path, monkeypatch, tf32):
    """On any machine: flags of CUDA may be set without one."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    monkeypatch.setattr(torch, "use_deterministic_algorithms", lambda mode: None)
    protocol = PROTOCOL.replace("  threads: 1\n", "  threads: 1\n  tf32: true\n") if tf32 else PROTOCOL
    recipe = read_study(write_study(tmp_path, protocol=protocol)).study.protocol.recipe
    try:
        prepare_machine(recipe, "cuda")
        assert (matmul.allow_tf32, cudnn.allow_tf32) == (tf32, tf32)
    finally:
        matmul.allow_tf32, cudnn.allow_tf32 = before
