"""Names become seeds: the only source of randomness."""

from __future__ import annotations

import hashlib

from realitycheck.canonical import canonical_json
from realitycheck.runs import RunSpec


def derive(root: int, *names: str | int | None) -> int:
    """A seed in [0, 2^63) that depends on every name and on nothing else.

    Hashing names, instead of counting draws, keeps a seed the same whatever ran before it.
    """
    text = canonical_json([root, *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def run_seed(spec: RunSpec, stream: str) -> int:
    """The seed of one stream (`init`, `order`, `augment`, `loss`) of one run.

    The loss's label enters the stream `loss` alone, so all losses share initial weights, batches of equal shape, and
    augmentation: their scores are paired by seed.
    """
    names: list[str | int | None] = [spec.dataset, spec.stage.value, spec.index, spec.fold, stream]
    if stream == "loss":
        names.append(spec.loss["label"] if spec.loss else None)
    if spec.search:
        names += ["search", spec.search]
    return derive(spec.root, *names)
