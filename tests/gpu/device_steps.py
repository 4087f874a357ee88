"""Correctness on a device: losses, scores, draws, two equal runs, CPU against device, and a study from its file on.

Every step takes the sizes, the device and `save`, which writes what is known so far: a step that is stopped keeps it.
A result is `{"says": [sentence], "tables": {title: [row]}}`.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]

ARITHMETIC = {"cpu": "arithmetic: cpu-fp32", "cuda": "arithmetic: cuda-fp32"}
"""Line of the recipe for each device."""

VALUE, GRADIENT = 1e-4, 1e-3
"""Tolerated difference between CPU and device, relative to the largest entry of the CPU's value or gradient."""

WRAPPED = {"pairs": "contrastive", "proxies": "proxy_anchor"}

PROTOCOL = """
protocol: device
summary: a few steps of a small network
seed: 7
split: {{order: sorted, seed: 0}}
folds: {{count: 2, kind: blocks, seed: 0}}
recipe:
  image_size: 28
  trunk: {{name: convnet, channels: 16}}
  pooling: max+avg
  layer_norm: none
  embedder_init: fan_in_uniform
  loss_init: standard_normal
  batch_norm: train
  augment: {{shift: 1, flip: 0.5}}
  optimizers:
    trunk: {{name: adam, lr: 2e-3, momentum: 0.9, weight_decay: 0}}
    embedder: {{name: adam, lr: 2e-3, momentum: 0.9, weight_decay: 0}}
    loss: {{name: adam, lr: null, momentum: 0.9, weight_decay: 0}}
  {arithmetic}
  threads: 1
  collapse: 0.0
embedding_dim: 64
batches: {{pairs: {{classes: 8, per_class: 4}}, proxies: {{classes: 16, per_class: 2}}}}
epoch: 10
phases: [{{name: normal, cap: {steps}, evaluate_every: {every}, patience: 2}}{followup}]
search: {{sampler: random, trials: 1, startup_trials: 1, round: 1, space: v2, first: published, shared: {shared}}}
final: {{seeds: 2, complete: per_replicate}}
categories: [aggregate, ensemble, complete]
interval: {{method: student_t, level: 0.95}}
"""

STUDY = """
study: device
question: Does a study run on this device?
protocol: device
datasets: {{few_sketches: {{}}}}
losses:
{losses}
baseline: contrastive
primary: {{category: complete, metric: map_at_r}}
smallest_difference: 0.5
"""

FOLLOWUP = ", {name: followup, cap: 1, evaluate_every: 1, patience: 1}"
SHARED = "{followup_trunk_lr_scale: 0.1, followup_embedder_lr_scale: 0.1}"


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
    """Every loss forward and backward: CPU against device, and twice on the device."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.use_deterministic_algorithms(mode=True)
    rows = []
    for name, family in _chosen(size["losses"]):
        rows.append({"loss": name, **_caught(lambda name=name, family=family: _loss_row(name, family, device))})
        save(_summed("Losses, three steps each", rows, _loss_bad))


def _loss_bad(row):
    if "error" in row:
        return row["error"]
    if not row["repeats"]:
        return "two runs on the device differ"
    if row["value"] > VALUE or row["gradient"] > GRADIENT:
        return f"differs from the CPU: value {row['value']:.1e}, gradient {row['gradient']:.1e}"
    return None


def _loss_row(name, family, device):
    cpu, first, second = (_loss_steps(name, family, where) for where in ("cpu", device, device))
    same = all(torch.equal(one, two) for one, two in zip(first[0] + first[1], second[0] + second[1], strict=True))
    return {"repeats": same, "value": _apart(cpu[0], first[0]), "gradient": _apart(cpu[1], first[1])}


def _loss_steps(name, family, where):
    """Values and gradients of three steps, on the CPU."""
    from realitycheck import losses as ours
    from realitycheck.losses.base import Need

    torch.manual_seed(0)
    loss = ours.build(name, num_classes=32, embedding_dim=64, seed=0, **_knobs(name)).to(where)
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
        home = _Home(Path(folder), device, ["contrastive"], steps=20, every=10)
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
            trainer.iteration = iteration
            if rule is not None:
                trainer.recipe = trainer.recipe.model_copy(update={"augment": rule})
            batches.append([part.cpu() for part in trainer._batch("batch")])
        equal &= all(torch.equal(one, two) for one, two in zip(*batches, strict=True))
    return {"equal": equal}


def runs(size, device, save):
    """Two equal trainings on the device bit for bit, for every loss, and how far the CPU's is from them."""
    rows, names = [], [name for name, _ in _chosen(size["losses"])]
    with tempfile.TemporaryDirectory() as folder:
        home = _Home(Path(folder), device, names, steps=20, every=10)
        for number, name in enumerate(names):
            compared = number % 6 == 0  # the CPU's curve of every sixth loss: it takes longer than both others
            rows.append({"loss": name, **_caught(lambda n=name, c=compared: _runs_row(home, n, device, size, cpu=c))})
            save(_summed("Two equal runs on the device, and the CPU's", rows, _runs_bad))


def _runs_bad(row):
    return row.get("error") or (None if row["repeats"] else "two runs on the device differ")


def _runs_row(home, name, device, size, *, cpu):
    one, two = (_training(home, name, device, size) for _ in range(2))
    row = {"repeats": one == two, "MAP@R, points": round(100 * one["scores"][-1], 3)}
    row |= {"ms a step": round(1000 * one.pop("seconds") / size["run_steps"], 2)}
    if cpu:
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
        losses.append(trainer.advance(size["run_steps"] // 4))
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


def study(size, device, save):
    """A study from its file to its report through the command line: in one process and by two, the same ledger."""
    rows, digests, says = [], {}, []
    ways = {"inline": ["--executor", "inline"], "2 workers": ["--workers", "2"]}
    for way, options in ways.items():
        run = ["run", *options, "--device", device]
        verbs = [["check"], ["plan"], run, ["report"]] if way == "inline" else [run]
        with tempfile.TemporaryDirectory() as folder:
            path = write_home(
                Path(folder), device, ["contrastive", "normalized_softmax"], steps=size["study_steps"], every=10
            )
            for verb, *options in verbs:
                row, error = _command(verb, path, options)
                rows.append({"run": way, **row})
                says += [f"FAILED: {verb}, {way}: {error}"] if error else []
                save({"says": says, "tables": {"Commands": rows}})
            digests[way], counts = _ledger(path.with_suffix(""))
            says.append(f"{way}: {counts}; digest {digests[way][:16]}.")
    same = len(set(digests.values())) == 1
    says.append("Both ways give the same ledger." if same else "FAILED: the ledgers of the two ways differ.")
    save({"says": says, "tables": {"Commands": rows}})


def _command(verb, path, options):
    """Exit code and seconds of a command, and the end of what it printed if it failed."""
    command = [sys.executable, "-m", "realitycheck", verb, str(path), *options]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=path.parents[1], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    row = {"verb": verb, "exit": done.returncode, "seconds": round(time.perf_counter() - start, 1)}
    return row, (done.stdout + done.stderr)[-1500:] if done.returncode else ""


def _ledger(folder):
    """The digest of a study's ledger, and what it holds."""
    from realitycheck.records.ledger import Ledger

    ledger = Ledger(folder)
    kinds = [record.kind for record in ledger.records.values()]
    causes = sorted({str(record.cause) for record in ledger.records.values() if getattr(record, "cause", None)})
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
    return ledger.digest, f"{counts}; causes of divergence: {causes or 'none'}"


class _Home:
    """A study of some losses in a folder, and its stores."""

    def __init__(self, folder, device, names, *, steps, every):
        from realitycheck import verbs

        self.folder, self.read, self.stores = folder, {}, {}
        for where in dict.fromkeys(("cpu", device)):
            home = folder / where
            path = write_home(home, where, names, steps=steps, every=every)
            self.read[where] = verbs.load_study(path)
            (self.stores[where],) = verbs.prepare_data(self.read[where]).values()

    def trainer(self, name, where):
        """A trainer before its first step, and the validation images."""
        from realitycheck.plan.specs import DatasetPlan
        from realitycheck.runs import TrainingPlace
        from realitycheck.training.assemble import assemble

        stores, study = self.stores[where], self.read[where].study
        plan = DatasetPlan(study=study, dataset="few_sketches", data=stores.trainval_digest, test=None)
        loss = next(each for each in plan.losses if each.label == _label(name))
        spec = loss.searches[0].trial_runs(slot=0, knobs={"loss_lr": 1e-2, **_knobs(name)})[0]
        place = TrainingPlace(trainval=str(stores.trainval), cache=str(self.folder), device=where, weights=None)
        trainer, _, val = assemble(spec, place)
        return trainer, val


def write_home(home, device, names, *, steps, every):
    """Lay a study of these losses out as a user would; the path of its file."""
    for name in ("protocols/spaces", "studies", "reports"):
        (home / name).mkdir(parents=True, exist_ok=True)
    text = {"arithmetic": ARITHMETIC[device], "steps": steps, "every": every, "followup": FOLLOWUP, "shared": SHARED}
    (home / "protocols" / "device.yaml").write_text(PROTOCOL.format(**text))
    shutil.copy(ROOT / "protocols" / "spaces" / "v2.yaml", home / "protocols" / "spaces" / "v2.yaml")
    chosen = dict.fromkeys(["contrastive", *names])
    lines = "\n".join(f'  {_label(name)}: {{loss: "{name}"}}' for name in chosen)
    path = home / "studies" / "device.yaml"
    path.write_text(STUDY.format(losses=lines))
    return path


def _label(name):
    return name.partition("(")[0]


def _chosen(limit) -> Iterator[tuple[str, str]]:
    """Name and family of the losses of the menu, a wrapper with the loss that it wraps."""
    from realitycheck.losses.menu import MENU

    for name, entry in list(MENU.items())[:limit]:
        yield (f"{name}({WRAPPED[entry.wraps]})" if entry.wraps else name), entry.wraps or entry.family


def _knobs(name):
    from realitycheck.protocol.paper_settings import first_setting

    knobs = first_setting(name, None)
    assert knobs is not None, name
    return dict(knobs)


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
