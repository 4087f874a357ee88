"""Bare training loops: the batch is on the device, and nothing is drawn. CUDA graphs are made by `torch.cuda.graph`."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager, nullcontext

import torch

KNOBS = {"alpha": 2.0, "beta": 40.0, "base": 0.5}

MODES = {
    "fp32": {"graph": False, "precision": "fp32"},
    "tf32": {"graph": False, "precision": "tf32"},
    "bf16": {"graph": False, "precision": "bf16"},
    "fp32, graph": {"graph": True, "precision": "fp32"},
    "tf32, graph": {"graph": True, "precision": "tf32"},
    "bf16, graph": {"graph": True, "precision": "bf16"},
}

WAITED = 10
"""Steps after which a loop waits for its device. Waiting after each one would leave the device idle in between."""


class Loop:
    """A bare training loop of one trunk: steps on one static batch of random images.

    `trunk` is a name, or a name and the model that it takes, such as `timm:resnet18`.
    """

    def __init__(self, trunk, batch, *, side, device, precision, graph, contiguous=False):
        from realitycheck import losses
        from realitycheck.catalog import build_trunk
        from realitycheck.protocol.recipe import TrunkChoice

        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
        torch.manual_seed(0)
        name, _, model = trunk.partition(":")
        trunk = build_trunk(TrunkChoice(name=name, **({"model": model} if model else {})), in_channels=3)
        head = torch.nn.Linear(trunk.output_dim, 128)
        self.format = torch.contiguous_format if contiguous else torch.channels_last
        self.model = torch.nn.ModuleList([trunk, head]).to(device).to(memory_format=self.format).train()
        self.loss = losses.build("multi_similarity", num_classes=100, embedding_dim=128, **KNOBS).to(device)
        self.images = torch.randint(0, 256, (batch, 3, side, side), dtype=torch.uint8, device=device)
        self.labels = (torch.arange(batch, device=device) // 4).long()
        self.device, self.half = device, precision == "bf16"
        self.optimizer = torch.optim.RMSprop(self.model.parameters(), lr=1e-6, foreach=True, capturable=graph)
        self.step = self._captured() if graph else self._eager

    def _eager(self):
        half = torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.half, cache_enabled=False)
        with half, contiguous_trunks() if self.format == torch.contiguous_format else nullcontext():
            trunk, head = self.model
            pixels = self.images.float().div(255).contiguous(memory_format=self.format)
            maps = trunk(pixels)
            points = head(maps.mean(dim=(2, 3)) + maps.amax(dim=(2, 3)))
        value = self.loss(points.float(), self.labels)
        self.optimizer.zero_grad()
        value.backward()
        self.optimizer.step()
        return value

    def _captured(self):
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self._eager()
        torch.cuda.current_stream().wait_stream(side)
        self.optimizer.zero_grad()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._eager()
        return graph.replay

    def seconds(self, steps, *, most):
        """Seconds a step, over this number of steps, or as many as fit."""
        for _ in range(3):
            self.step()
        wait(self.device)
        start, done = time.perf_counter(), 0
        while done < steps and time.perf_counter() - start < most:
            self.step()
            done += 1
            wait(self.device) if done % WAITED == 0 else None
        wait(self.device)
        return (time.perf_counter() - start) / done


@contextmanager
def contiguous_trunks():
    """Leave out the trunks' own change to channels last."""
    change = torch.Tensor.contiguous
    torch.Tensor.contiguous = lambda tensor, **_: change(tensor)
    try:
        yield
    finally:
        torch.Tensor.contiguous = change


def prepare(*, deterministic):
    """Set what a run of the harness sets, but only warn: `trunks` names the operations that a run would refuse."""
    torch.use_deterministic_algorithms(mode=deterministic, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False


def clear(device):
    """Free what an earlier loop held."""
    if device == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def wait(device):
    """Wait for the device."""
    torch.cuda.synchronize() if device == "cuda" else None
