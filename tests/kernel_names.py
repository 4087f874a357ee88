"""Operations for which CUDA has no deterministic kernel, found on the CPU; a run on a GPU ends at the first of them.

The names are of the list of `torch.use_deterministic_algorithms` (torch 2.15). What a composed operation calls on a GPU
alone is not seen here: `make gpu` looks there.
"""

from __future__ import annotations

import re
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

UNREPEATED = re.compile(
    "aten::("
    "_?adaptive_(avg|max)_pool[23]d_backward|avg_pool3d_backward|fractional_max_pool[23]d_backward|max_unpool[23]d"
    "|_?upsample_(linear1d|bilinear2d|bicubic2d|trilinear3d)(_aa)?_backward|grid_sampler_[23]d_backward"
    "|reflection_pad[123]d_backward|nll_loss2d_forward|_ctc_loss_backward|_embedding_bag(_dense)?_backward"
    "|put_?|histc|bincount|(nan)?median|kthvalue|scatter_reduce_?|index_reduce_?"
    ")"
)


class KernelNames(TorchDispatchMode):
    """Collects the names of such operations in `found`, those of a backward pass as well."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if UNREPEATED.fullmatch(func._schema.name):
            self.found.add(func._schema.name)
        return func(*args, **(kwargs or {}))
