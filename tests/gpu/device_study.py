"""A small study on a device: its files, its stores, and the step that runs it through the command line."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

ARITHMETIC = {"cpu": "arithmetic: cpu-fp32", "cuda": "arithmetic: cuda-fp32"}
"""Line of the recipe for each device."""

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


def study(size, device, save):
    """A study from its file to its report through the command line: in one process, and by two, on a GPU by graphs."""
    rows, digests, says = [], {}, []
    ways = {"inline": ["--executor", "inline"], "2 workers": ["--workers", "2"]}
    if device == "cuda":
        ways = {"inline": ways["inline"], "2 workers, graphs": ["--workers", "2", "--graphs"]}
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
    says.append("All ways give the same ledger." if same else "FAILED: the ledgers of the ways differ.")
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


class StudyHome:
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
        loss = next(each for each in plan.losses if each.label == label(name))
        spec = loss.searches[0].trial_runs(slot=0, knobs={"loss_lr": 1e-2, **knobs_of(name)})[0]
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
    lines = "\n".join(f'  {label(name)}: {{loss: "{name}"}}' for name in chosen)
    path = home / "studies" / "device.yaml"
    path.write_text(STUDY.format(losses=lines))
    return path


def label(name):
    return name.partition("(")[0]


def chosen(limit) -> Iterator[tuple[str, str]]:
    """Name and family of the losses of the menu, a wrapper with the loss that it wraps."""
    from realitycheck.losses.menu import MENU

    for name, entry in list(MENU.items())[:limit]:
        yield (f"{name}({WRAPPED[entry.wraps]})" if entry.wraps else name), entry.wraps or entry.family


def knobs_of(name):
    from realitycheck.protocol.paper_settings import first_setting

    knobs = first_setting(name, None)
    assert knobs is not None, name
    return dict(knobs)


def loss_of(name):
    """A loss of 32 classes and 64 dimensions with the knobs of its first phase."""
    from realitycheck import losses
    from realitycheck.protocol.knobs import own_knobs, phase_knobs

    knobs = own_knobs(phase_knobs(knobs_of(name), "normal"))
    return losses.build(name, num_classes=32, embedding_dim=64, seed=0, **knobs)
