"""Use of buffers that a loss changes in the same step."""

from __future__ import annotations

from torch import Tensor


def snapshot_for_backward(value: Tensor) -> Tensor:
    """Return the value of a buffer for computations after which the buffer is changed in place.

    A compiled backward can recompute results of the forward from its inputs. It would then read the changed buffer,
    and the gradient would be wrong without an error (torch 2.15, inductor). A cumulative sum, here over one element,
    is not recomputed.
    """
    return value.unsqueeze(0).cumsum(0, dtype=value.dtype).squeeze(0)
