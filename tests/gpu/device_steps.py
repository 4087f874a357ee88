"""Correctness on a device: losses, scores, draws, two equal runs, and CPU against device.

Every step takes the sizes, the device and `save`, which writes what is known so far: a step that is stopped keeps it.
A result is `{"says": [sentence], "tables": {title: [row]}}`.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import torch
from device_study import StudyHome, chosen, loss_of

VALUE, GRADIENT = 1e-4, 1e-3
"""Tolerated difference between CPU and device, relative to the largest entry of the CPU's value or gradient."""


def facts(size, device, save):
    """Name the machine and the versions."""
    rows = [
        ("device", torch.cuda.get_device_name() if device == "cuda" else "CPU"),
        ("processor", _processor()),
        ("cores", os.cpu_count()),
        ("python", platform.python_version()),
        ("torch", torch.__version__),
        ("CUDA", torch.version.cuda),
        ("cuDNN", torch.backends.cudnn.version()),
        ("CPU capability of torch", torch.backends.cpu.get_cpu_capability()),
    ]
    if device == "cuda":
        facts = torch.cuda.get_device_properties(0)
        rows += [("memory, GiB", round(facts.total_memory / 2**30, 1)), ("driver", _driver())]
    for name in ("numpy", "faiss", "optuna", "sklearn", "scipy", "pydantic", "realitycheck"):
        rows.append((name, _version(name)))
    save({"says": [], "tables": {"Machine": [{"what": what, "is": str(value)} for what, value in rows]}})


def losses(size, device, save):
    """Every loss forward and backward: CPU against device, and twice on the device; and a step that must not wait."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.use_deterministic_algorithms(mode=True)
    rows, pairs = [], list(chosen(size["losses"]))
    with tempfile.TemporaryDirectory() as folder:
        home = StudyHome(Path(folder), device, [name for name, _ in pairs], steps=20, every=10)
        for name, family in pairs:
            rows.append({"loss": name, **_caught(lambda n=name, f=family: _loss_row(home, n, f, device))})
            save(_with_waits(_summed("Losses, three steps each", rows, _loss_bad), device))


def _with_waits(found, device):
    """A sentence about what a CPU cannot show."""
    if device == "cuda":
        return found
    return {**found, "says": [*found["says"], "Whether a step makes the host wait was not looked at: there is no GPU."]}


def _loss_bad(row):
    if "error" in row:
        return row["error"]
    if row.get("host waits"):
        return f"a step makes the host wait: {row['host waits']}"
    if not row["repeats"]:
        return "two runs on the device differ"
    if row["value"] > VALUE or row["gradient"] > GRADIENT:
        return f"differs from the CPU: value {row['value']:.1e}, gradient {row['gradient']:.1e}"
    return None


def _loss_row(home, name, family, device):
    cpu, first, second = (_loss_steps(name, family, where) for where in ("cpu", device, device))
    same = all(torch.equal(one, two) for one, two in zip(first[0] + first[1], second[0] + second[1], strict=True))
    row = {"repeats": same, "value": _apart(cpu[0], first[0]), "gradient": _apart(cpu[1], first[1])}
    return row | ({"host waits": _waits(home, name, device)} if device == "cuda" else {})


def _waits(home, name, device, *, watch=torch.cuda.set_sync_debug_mode):
    """The operation for which the host waits in the third step of a training, or nothing. Batches are drawn before.

    Deterministic kernels of CUDA do other things than those of a CPU, where the tests look at every step.
    """
    trainer, _ = home.trainer(name, device)
    sums, vectors = torch.zeros(2, dtype=torch.float64, device=device), trainer._class_vectors()
    for trainer.iteration in range(3):
        for view in ("batch", "keys"):
            trainer.feed.batch(trainer.iteration, view=view)
        watch("error" if trainer.iteration == 2 else "default")
        try:
            trainer.take_step(sums, vectors)
        except RuntimeError as error:
            return str(error).splitlines()[0]
        finally:
            watch("default")
    return ""


def _loss_steps(name, family, where):
    """Values and gradients of three steps, on the CPU."""
    from realitycheck.losses.base import Need

    torch.manual_seed(0)
    loss = loss_of(name).to(where)
    values, gradients = [], []
    for step in range(3):
        draw = torch.Generator().manual_seed(step)
        points = torch.randn(32, 64, generator=draw).to(where).requires_grad_()
        labels = torch.arange(32) if family == "proxies" else torch.arange(8).repeat_interleave(4)
        inputs = {Need.FEATURES: points, Need.KEYS: (points + 0.1).detach()}
        needs = {need.value: inputs[need] for need in getattr(loss, "needs", ())}
        value = loss(points, labels.to(where), **needs)
        loss.zero_grad()
        value.backward()
        own = [parameter for parameter in loss.parameters() if parameter.grad is not None]
        values.append(value.detach().cpu())
        gradients += [points.grad.cpu(), *(parameter.grad.cpu() for parameter in own)]
        with torch.no_grad():
            for parameter in own:
                parameter.sub_(0.1 * parameter.grad)
    return values, gradients


def metrics(size, device, save):
    """Scores of the same embeddings on the CPU and on the device; equal to the last digit."""
    from realitycheck.metrics.measure import measure
    from realitycheck.metrics.menu import ASKED

    rows = []
    torch.use_deterministic_algorithms(mode=True)
    draw = torch.Generator().manual_seed(0)
    labels = torch.arange(size["items"] // 8).repeat(8)
    centres = torch.randn(len(labels) // 8, 64, generator=draw)
    points = centres[labels] + torch.randn(len(labels), 64, generator=draw)
    points[1::97] = points[0::97][: len(points[1::97])]  # equal rows tie
    options = {"scores of every record": {}}
    options |= {name: {name: [2, 4] if entry.least_k else True} for name, entry in ASKED.items()}

    def compare(extra, distance):
        start = time.perf_counter()
        cpu = measure(points, labels, extra=extra, distance=distance)
        middle = time.perf_counter()
        there = measure(points.to(device), labels.to(device), extra=extra, distance=distance)
        apart = {key: (cpu[key], there[key]) for key in cpu if cpu[key] != there[key] and key != "map_at_r_per_class"}
        seconds = {"CPU s": round(middle - start, 2), "device s": round(time.perf_counter() - middle, 2)}
        return {"equal": cpu == there, **seconds, "apart": str(apart) if apart else ""}

    for distance in ("cosine", "euclidean"):
        for title, extra in options.items():
            rows.append({"scores": title, "distance": distance, **_caught(lambda e=extra, d=distance: compare(e, d))})
            save(_summed("Scores", rows, lambda row: row.get("error") or (None if row["equal"] else "differ")))


def draws(size, device, save):
    """Batches and augmentation on the CPU and on the device; equal to the last bit."""
    from realitycheck.protocol.recipe import Augment, Crop

    rows, rules = [], {"shift and flip": None, "crop and flip": Augment(shift=0, flip=0.5, crop=_crop(Crop))}
    with tempfile.TemporaryDirectory() as folder:
        home = StudyHome(Path(folder), device, ["contrastive"], steps=20, every=10)
        for title, rule in rules.items():
            rows.append({"augmentation": title, **_caught(lambda rule=rule: _draws_row(home, rule, device))})
            save(_summed("Draws", rows, lambda row: row.get("error") or (None if row["equal"] else "differ")))


def _crop(crop):
    return crop(scale=(0.2, 1.0), ratio=(0.75, 1.33))


def _draws_row(home, rule, device):
    trainers = [home.trainer("contrastive", where)[0] for where in ("cpu", device)]
    equal = True
    for iteration in range(5):
        batches = []
        for trainer in trainers:
            if rule is not None:
                trainer.feed.recipe = trainer.recipe.model_copy(update={"augment": rule})
            batches.append([part.cpu() for part in trainer.feed.batch(iteration, view="batch")])
        equal &= all(torch.equal(one, two) for one, two in zip(*batches, strict=True))
    return {"equal": equal}


def runs(size, device, save):
    """Two equal trainings on the device bit for bit, and how far the CPU's is from them, for every sixth loss.

    `graphs` has two trainings of every loss.
    """
    rows, names = [], [name for name, _ in chosen(size["losses"])][::6]
    with tempfile.TemporaryDirectory() as folder:
        home = StudyHome(Path(folder), device, names, steps=20, every=10)
        for name in names:
            rows.append({"loss": name, **_caught(lambda n=name: _runs_row(home, n, device, size))})
            save(_summed("Two equal runs on the device, and the CPU's", rows, _runs_bad))


def _runs_bad(row):
    return row.get("error") or (None if row["repeats"] else "two runs on the device differ")


def _runs_row(home, name, device, size):
    one, two = (_training(home, name, device, size) for _ in range(2))
    row = {"repeats": one == two, "MAP@R, points": round(100 * one["scores"][-1], 3)}
    row |= {"ms a step": round(1000 * one.pop("seconds") / size["run_steps"], 2)}
    other = _training(home, name, "cpu", size)
    row["CPU's MAP@R"] = round(100 * other["scores"][-1], 3)
    row["largest distance of curves, points"] = _points(other["scores"], one["scores"])
    row["loss apart, relative"] = f"{abs(other['losses'][0] / one['losses'][0] - 1):.1e}"
    row["CPU ms a step"] = round(1000 * other["seconds"] / size["run_steps"], 2)
    return row


class _Curve(dict):
    """A training; two are equal if losses, scores and weights are, whatever they took."""

    def __eq__(self, other):
        return all(self[key] == other[key] for key in ("losses", "scores", "weights"))


def _training(home, name, where, size):
    """Mean losses and MAP@R at four points, the digest of all weights, and the seconds of the steps."""
    from realitycheck.metrics.retrieval import scores
    from realitycheck.training.embed import embed

    trainer, val = home.trainer(name, where)
    labels, curve, seconds = torch.from_numpy(trainer.store.labels[val]), [], 0.0
    losses = []
    for _ in range(4):
        start = time.perf_counter()
        losses.append(trainer.advance(size["run_steps"] // 4).loss)
        seconds += time.perf_counter() - start
        points = embed(
            trainer.model, trainer.store, val, output="embedder", recipe=trainer.recipe, device=trainer.device
        )
        curve.append(scores(points, labels, distance="cosine").map_at_r)
    digest = hashlib.sha256()
    for part in (trainer.model, trainer.loss):
        for key, tensor in part.state_dict().items():
            digest.update(key.encode() + tensor.detach().cpu().contiguous().view(-1).numpy().tobytes())
    return _Curve(losses=losses, scores=curve, weights=digest.hexdigest(), seconds=seconds)


def _points(one, two):
    return round(100 * max(abs(a - b) for a, b in zip(one, two, strict=True)), 3)


def _apart(expected, actual):
    """Largest difference relative to the largest entry of its tensor."""
    pairs = zip(expected, actual, strict=True)
    return max(float((one - two).abs().max() / one.abs().max().clamp_min(1e-12)) for one, two in pairs)


def _caught(work):
    try:
        return work()
    except Exception as error:
        cause = error.__cause__
        return {"error": f"{type(error).__name__}: {error}" + (f" ({cause})" if cause else "")}


def _summed(title, rows, bad):
    """A table, and one sentence for every row that failed."""
    found = {" ".join(str(value) for value in list(row.values())[:1]): bad(row) for row in rows}
    failed = [f"FAILED: {name}: {reason}" for name, reason in found.items() if reason]
    return {"says": failed or [f"{title}: all {len(rows)} hold."], "tables": {title: rows}}


def _processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _driver():
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() if shutil.which(command[0]) else ""


def _version(name):
    try:
        return __import__(name).__version__
    except Exception as error:
        return f"{type(error).__name__}: {error}"
