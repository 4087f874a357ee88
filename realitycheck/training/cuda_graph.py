"""CUDA graphs of whole steps."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import torch

from realitycheck.training.captured_steps import Replay


class CudaGraphs:
    """Records steps by `torch.cuda.graph`, see `captured_steps.Capture`.

    Args:
        device: the GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def prepare(self, optimizers: Collection[torch.optim.Optimizer]) -> None:
        """Keep the number of steps on the GPU, without which a recording is refused by torch."""
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                if "capturable" in group:
                    group["capturable"] = True
                for parameter in group["params"]:
                    state = optimizer.state.get(parameter, {})
                    if isinstance(state.get("step"), torch.Tensor):
                        state["step"] = state["step"].to(parameter.device)

    def warm(self, step: Replay) -> None:
        """Compute a step on another stream than the default one, as PyTorch's notes on CUDA graphs ask for."""
        here = torch.cuda.current_stream(self.device)
        self.side.wait_stream(here)
        with torch.cuda.stream(self.side):
            step()
        here.wait_stream(self.side)

    @contextmanager
    def refusing_waits(self) -> Iterator[None]:
        """Make operations raise that wait for the GPU, as far as torch knows them, on all GPUs of this process."""
        before = torch.cuda.get_sync_debug_mode()
        torch.cuda.set_sync_debug_mode("error")
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode(before)

    def record(self, step: Replay) -> Replay:
        """Record a step; gradients of earlier steps are freed, so that those of the recording are in its own memory.

        The stream is that of this GPU: the one that `torch.cuda.graph` chooses is of the first GPU that it met in the
        process. Where a recording fails, torch 2.11 stays on its stream.
        """
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self.device):
            here = torch.cuda.current_stream()
            try:
                with torch.cuda.graph(graph, stream=self.side):
                    step()
            finally:
                torch.cuda.set_stream(here)
        return graph.replay
