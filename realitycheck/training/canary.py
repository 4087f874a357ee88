"""A few steps of training and a score, whose digest shows whether this machine computes the reference's bits."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from realitycheck.arithmetic import MENU, cpu_model
from realitycheck.canonical import canonical_json
from realitycheck.executors.base import Tell
from realitycheck.losses.parts.counter_random import uniform
from realitycheck.metrics.measure import measure
from realitycheck.runs import DISTANCES, Body
from realitycheck.training.device import autocast, prepare_arithmetic

REFERENCES = Path(__file__).with_suffix(".json")
"""Class of arithmetic → `reference_key` → digest."""

CLASSES, PER_CLASS, PIXELS, WIDTH, STEPS = 12, 4, 24, 345, 6
"""Enough that products, convolutions and sums are split into vectors and blocks, with a rest; less than a second."""


def compute(payload: Body, *, tell: Tell) -> Body:
    """Compute the digest in `payload["arithmetic"]` on `payload["device"]`, and compare it with the reference.

    Returns:
        `{"digest", "key", "answer"}`; the answer is `same`, `differs` or `no reference`.

    Raises:
        RunError: this process, machine or device does not compute in this class of arithmetic.
    """
    name = payload["arithmetic"]
    device = prepare_arithmetic(name, threads=1, device=payload["device"])
    digest, key = canary(name, device), reference_key(device)
    known = json.loads(REFERENCES.read_text(encoding="utf-8")).get(name, {}).get(key)
    answer = "no reference" if known is None else "same" if known == digest else "differs"
    return {"digest": digest, "key": key, "answer": answer}


def reference_key(device: torch.device) -> str:
    """Return what a reference holds for: the version of torch, and the processor."""
    version = f"torch {torch.__version__.partition('+')[0]}"
    return f"{version}, {torch.cuda.get_device_name(device) if device.type == 'cuda' else cpu_model()}"


def canary(name: str, device: torch.device) -> str:
    """Train a small convolutional network with a softmax loss, score it, and return the digest of all numbers.

    Images and initial weights are drawn from a counter, so that they do not depend on the version of torch.
    """
    model, vectors, images, labels = _begin(device)
    optimizer = torch.optim.Adam([*model.parameters(), vectors], lr=0.01)
    for _ in range(STEPS):
        optimizer.zero_grad()
        with autocast(MENU[name].precision, device):
            embeddings = model(images)
        cosines = functional.normalize(embeddings.float(), dim=1) @ functional.normalize(vectors, dim=1).T
        torch.autograd.backward(functional.cross_entropy(cosines / 0.1, labels))
        optimizer.step()
    digest = hashlib.sha256()
    with torch.inference_mode(), autocast(MENU[name].precision, device):
        embeddings = model.eval()(images).float()
    for tensor in (*model.state_dict().values(), vectors.detach(), embeddings):
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    for distance in DISTANCES:
        scores = measure(embeddings, labels.cpu(), extra={}, distance=distance)
        digest.update(canonical_json(scores).encode())
    return digest.hexdigest()


def _begin(device: torch.device) -> tuple[nn.Module, nn.Parameter, Tensor, Tensor]:
    """Return the network, the class vectors, and images of their classes with labels."""
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 128),
        nn.ReLU(),
        nn.Linear(128, WIDTH),
    )
    vectors = nn.Parameter(torch.empty(CLASSES, WIDTH))
    with torch.no_grad():
        for number, parameter in enumerate((*model.parameters(), vectors)):
            parameter.copy_(_drawn(number, tuple(parameter.shape)) * 0.5)
    labels = torch.arange(CLASSES).repeat_interleave(PER_CLASS)
    patterns = _drawn(100, (CLASSES, 3, PIXELS, PIXELS))
    images = patterns[labels] + _drawn(101, (len(labels), 3, PIXELS, PIXELS))
    return model.to(device), nn.Parameter(vectors.to(device)), images.to(device), labels.to(device)


def _drawn(step: int, shape: tuple[int, ...]) -> Tensor:
    """Return numbers in (-1, 1)."""
    return uniform(torch.tensor(0), torch.tensor(step), shape) * 2 - 1
