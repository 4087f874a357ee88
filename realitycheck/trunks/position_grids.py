"""Position embeddings of timm at another size than their own, by operations that a GPU repeats bit for bit.

timm resizes the grid of a vision transformer by `interpolate(mode="bicubic", antialias=True)`. Its gradient on a GPU
adds up in no fixed order, so torch refuses it under deterministic algorithms, which every run sets. The interpolation
is linear in each direction: two products with fixed matrices give the same values and gradients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode


def interpolation(net: nn.Module, size: Sequence[int]) -> AbstractContextManager[Any]:
    """Return a context in which a model of timm interpolates its positions by products of matrices.

    It does nothing where the grid fits and timm interpolates nothing, since a mode costs 7 µs for each of the 280 calls
    of a forward pass of `vit_base_patch14_dinov2`.

    Args:
        net: the model.
        size: height and width of its images.
    """
    positions = getattr(getattr(net, "embeds", net), "pos_embed", None)  # `embeds` holds those of NaFlexVit
    if not isinstance(positions, Tensor):
        return nullcontext()
    own = getattr(getattr(net, "patch_embed", None), "img_size", None)
    # A grid of four dimensions, as of Hiera, can have another size than the model's own one.
    return nullcontext() if positions.ndim == 3 and own == tuple(size) else _Products()


def resized(grids: Tensor, size: Sequence[int]) -> Tensor:
    """Return (N, C, h, w) grids at another size, as `interpolate(mode="bicubic", antialias=True)`.

    The products are in float64: autocast leaves it as it is, and it has no TF32.
    """
    rows, columns = (_weights(old, new, grids.device) for old, new in zip(grids.shape[2:], size, strict=True))
    return (rows @ (grids.double() @ columns.T)).to(grids.dtype)


class _Products(TorchFunctionMode):
    """Replaces antialiased bicubic interpolation to a size by `resized`; all other calls are as they are."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        if func is not functional.interpolate or not _is_bicubic(named) or args[0].ndim != 4:
            return func(*args, **named)
        size = named["size"]
        return resized(args[0], (size, size) if isinstance(size, int) else size)


def _is_bicubic(named: Mapping[str, Any]) -> bool:
    smooth = named.get("mode") == "bicubic" and bool(named.get("antialias"))
    return smooth and named.get("size") is not None and not named.get("align_corners")


@cache  # never forgotten: a CUDA graph reads it where it is. It is as small as the sides of two grids
def _weights(old: int, new: int, device: torch.device) -> Tensor:
    """Return the (new, old) weights of one direction: torch's interpolation of the identity, on the CPU in float64."""
    with torch.inference_mode(mode=False):  # else autograd could not use it in a later step
        identity = torch.eye(old, dtype=torch.float64)[None, None]
        weights = functional.interpolate(identity, size=(new, old), mode="bicubic", antialias=True)
        return weights[0, 0].to(device)
