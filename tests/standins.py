"""Verbs of three lines in place of training: they answer from a hash of what they are asked, without torch."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from realitycheck.executors.base import Job, Tell, VerbAnswer, unheard
from realitycheck.records.nearest_images import NeighborLists, NeighborsSpec
from realitycheck.runs import RESULTS_VERSION, RunSpec, ScoreSpec
from realitycheck.search.posterior_mean import select
from realitycheck.stores.manifest import Half, half_of_store


def chance(*names: object) -> float:
    """A number in [0, 1) that depends on the names alone."""
    return int(hashlib.sha256(json.dumps(names, sort_keys=True).encode()).hexdigest()[:12], 16) / 16**12


def chance_digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def head(kind: str) -> dict[str, Any]:
    return {"kind": kind, "results_version": RESULTS_VERSION}


def propose(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    knobs = {name: chance(payload["id"], name) for name in payload["space"]}
    keys = ("id", "search", "data", "dataset", "loss", "slot", "unit")
    return {**head("proposal"), **{key: payload[key] for key in keys}, "knobs": knobs, "source": "random"}


def run(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    spec = RunSpec.from_json(payload["spec"])
    time.sleep(0.01 * chance("pause", spec.id))
    diverged = bool(spec.loss) and chance("diverged", spec.id) < 0.05
    value = chance("value", spec.id)
    weights = Path(payload["place"]["cache"]) / "weights" / f"{spec.id}.safetensors"
    if payload["keep"] and not diverged:
        weights.parent.mkdir(parents=True, exist_ok=True)
        weights.write_text(spec.id)
    scores = {"map_at_r": value, "r_precision": value, "precision_at_1": value}
    validated = bool(spec.phases) and spec.fold is not None and not diverged
    phase = {"name": "normal", "iterations": 30, "best_iteration": 10 + 10 * int(3 * value), "stop": "cap"}
    interval = {"iteration": 30, "phase": "normal", "loss": value, "proxy_distance": None}
    return {
        **head("run"),
        "id": spec.id,
        "spec": spec.to_json(),
        "outcome": "diverged" if diverged else "completed",
        "cause": "the stand-in drew so" if diverged else None,
        "best": {"iteration": phase["best_iteration"], "phase": "normal", **scores} if validated else None,
        "curve": [{"iteration": 0, "phase": None, **scores}],
        "phases": [phase] if spec.phases else [],
        "images": {"train": 60, "val": 20},
        "weights": None if diverged else chance_digest(spec.id),
        "training": [interval] if spec.phases else [],
    }


RAISED = "the loss raised ValueError at iteration 0"

HONEST = run
"""Tests put another function in the place of `run`."""


def raising(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any] | VerbAnswer:
    """As `run`, but the runs that diverge do so by an exception of the loss."""
    body = HONEST(payload, tell=tell)
    if body["outcome"] == "completed":
        return body
    try:
        raise ValueError(f"no loss at seed {chance(body['id'])}")
    except ValueError as error:
        return VerbAnswer(body | {"cause": RAISED}, error)


def score(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    spec = ScoreSpec.from_json(payload["spec"])
    for model in spec.models:
        assert (Path(payload["place"]["cache"]) / "weights" / f"{model}.safetensors").read_text() == model

    def both(*names: object) -> dict[str, Any]:
        return {
            distance: {
                **{
                    metric: chance(metric, distance, *names) for metric in ("map_at_r", "r_precision", "precision_at_1")
                },
                "map_at_r_per_class": [chance(each, distance, *names) for each in range(3)],
            }
            for distance in ("cosine", "euclidean")
        }

    return {
        **head("score"),
        "id": spec.id,
        "spec": spec.to_json(),
        "each": [both(model, spec.evaluation) for model in spec.models],
        "together": both("together", spec.id) if len(spec.models) > 1 else None,
        "queries": 30,
        "singletons": 0,
    }


def neighbors(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    """Neighbours in an order by chance, of the test half at the place, or of classes of four images."""
    spec, place = NeighborsSpec.from_json(payload["spec"]), payload["place"]
    for model in spec.models:
        assert (Path(place["cache"]) / "weights" / f"{model}.safetensors").read_text() == model
    classes = max(6, max(spec.queries) // 4 + 1)
    made = Half("", tuple(map(str, range(classes))), tuple(image // 4 for image in range(4 * classes)), (), ())
    half = half_of_store(Path(place["test"])) if "test" in place else made
    nearest, first = [], []
    for query in spec.queries:
        others = [image for image in range(len(half.labels)) if image != query]
        others.sort(key=lambda image: chance(image, query, *spec.models))
        nearest.append(tuple(half.shown(image) for image in others[: spec.count]))
        first.append(1 + [half.labels[image] for image in others].index(half.labels[query]))
    return NeighborLists(spec, tuple(nearest), tuple(first)).to_json()


def environment(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    return {"environment": dict(os.environ)}


def echo(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    return {"said": payload, "pid": os.getpid()}


def fail(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    raise OSError("the disk is on fire")


def lack(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")


def garble(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    """Write into the pipe that the answer goes through."""
    frame = sys._getframe()
    while "pipe" not in frame.f_locals:
        frame = frame.f_back
    os.write(frame.f_locals["pipe"].fileno(), b"\xffnope\n")
    time.sleep(600)
    return {}


def die(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def occupy(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    """Note in a folder that a job begins on a device and ends there; in between, wait for a file of its name."""
    folder, name = Path(payload["folder"]), payload["name"]

    def note(what: str) -> None:
        with (folder / "log").open("a") as log:
            log.write(f"{what} {name} {payload['device']}\n")

    note("begin")
    while not (folder / name).exists():
        time.sleep(0.01)
    note("end")
    return {}


def hang(payload: dict[str, Any], *, tell: Tell) -> dict[str, Any]:
    time.sleep(600)
    return {}


def answer(job: Job, cache: Path) -> dict[str, Any]:
    """The body of the record that a job asks for; an opening is its own."""
    place = {"place": {"cache": str(cache)}}
    if job.kind == "opening":
        return job.payload
    if job.kind in ("proposal", "selection"):
        return (propose if job.kind == "proposal" else select)(job.payload, tell=unheard)
    return {"run": run, "score": score, "neighbors": neighbors}[job.kind](job.payload | place, tell=unheard)
