"""Verbs that say in which settings they compute, and that change them as a careless loss does."""

from __future__ import annotations

import os
import sys
import warnings

import numpy as np
import torch


def see(payload, *, tell):
    """What a loss and a layer compute in this process, and not how the settings are called."""
    torch.manual_seed(0)
    weight = torch.ones(1, requires_grad=True)
    product = torch.nn.functional.linear(torch.full((1, 2), 1.0009765625), torch.full((1, 2), 1.0009765625))
    with warnings.catch_warnings(record=True):  # heard, and raised where warnings are errors
        warnings.warn("a loss warns", UserWarning, stacklevel=1)
        root = str(np.sqrt(np.float64(-1.0)))
    return {
        "type": str(torch.ones(1).dtype),
        "product": [str(product.dtype), product.item()],
        "device": str(torch.ones(1).device),
        "gradient": (weight * 2).requires_grad,
        "inference": torch.ones(1).is_inference(),
        "subnormal": (torch.full((1,), 2.0**-149, dtype=torch.float32) * 1).item(),
        "root": root,
        "mkldnn": torch.backends.mkldnn.enabled,
        "benchmark": torch.backends.cudnn.benchmark,
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul": torch.get_float32_matmul_precision(),
    }


def change(payload, *, tell):
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    torch.set_autocast_enabled("cpu", enabled=True)
    torch.set_flush_denormal(True)
    torch.set_num_threads(3)
    torch.backends.mkldnn.enabled = False
    torch.backends.cudnn.benchmark = True
    torch.use_deterministic_algorithms(mode=True)
    torch.set_float32_matmul_precision("medium")
    warnings.simplefilter("error")
    np.seterr(all="raise")
    os.chdir("/")
    os.environ["SEEN_BY_A_JOB"] = "yes"
    sys.path.append("/of_a_job")
    return {}
