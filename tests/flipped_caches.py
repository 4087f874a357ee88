"""Files below `cache/` that live for a while only: weights, checkpoints and features, each with what reads it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from checkpointed_runs import prepared
from flipped_bytes import FOUND, SAME, SILENT
from small_study import FROZEN, STUDY, write_study

from realitycheck import verbs
from realitycheck.errors import RunError
from realitycheck.executors.base import unheard
from realitycheck.runs import TrainingPlace
from realitycheck.stores.cache import weights_path
from realitycheck.stores.integrity import damage
from realitycheck.training.checkpoint import load_weights
from realitycheck.training.run_checkpoints import checkpoints_of
from realitycheck.training.single_run import run

AT = 2
"""The iteration of the checkpoint."""


@dataclass(frozen=True, slots=True)
class Cached:
    """A file, and a function that reads it: None where it is named as damaged."""

    path: Path
    read: Callable[[], object]


def weights(folder: Path) -> Cached:
    """The weights of a run that is not scored yet."""
    home = prepared(folder, {"normalized_softmax": "{}"})
    spec = home.fold_run("normalized_softmax")
    place = asdict(TrainingPlace(home.trainval, str(home.folder), "cpu", None))
    digest = run({"spec": spec.to_json(), "place": place, "keep": True}, tell=unheard).body["weights"]
    path = weights_path(home.folder, spec.id)

    def read() -> object:
        try:
            known, tensors = load_weights(home.folder, spec.id, digest=digest)
        except RunError as error:
            assert path.name in str(error)
            return None
        return known, {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}

    return Cached(path, read)


def checkpoint(folder: Path) -> Cached:
    """The checkpoint of a run that was killed."""
    home = prepared(folder, {"normalized_softmax": "{}"})
    spec = home.fold_run("normalized_softmax")
    path = home.kill(spec, at=AT)

    def read() -> object:
        place = TrainingPlace(home.trainval, str(home.folder), "cpu", None)
        try:
            return repr(checkpoints_of(spec, place, torch.device("cpu")).find())
        except RunError as error:
            assert path.name in str(error)
            return None

    return Cached(path, read)


def features(folder: Path) -> Cached:
    """The features of a frozen trunk."""
    study = write_study(folder, protocol=FROZEN, study=STUDY.replace(" triplet: {},", ""))
    assert not verbs.run_study(verbs.load_study(study), executor="inline", device="cpu").left
    (path,) = {path for path in (study.parent / "small" / "cache").rglob("trainval*.npy") if path.stem != "trainval"}

    def read() -> object:
        harm = damage(path.with_suffix(""), watch=lambda done, size: None)
        return path.read_bytes() if harm is None else None

    return Cached(path, read)


CACHES = {"weights": weights, "checkpoint": checkpoint, "features": features}


def flip_cache(cached: Cached, *, count: int, seed: int) -> Counter[str]:
    """Flip one bit of the file, so many times, each time of the whole file; how often each answer came."""
    draw, answers, good = random.Random(seed), Counter[str](), cached.path.read_bytes()
    expected = cached.read()
    assert expected is not None
    for _ in range(count):
        place, bit = draw.randrange(len(good)), 1 << draw.randrange(8)
        cached.path.write_bytes(good[:place] + bytes([good[place] ^ bit]) + good[place + 1 :])
        got = cached.read()
        answers[FOUND if got is None else SAME if got == expected else SILENT] += 1
        for aside in cached.path.parent.glob("*.damaged-*"):
            aside.unlink()
    cached.path.write_bytes(good)
    return answers
