"""A whole study against a script of the same trainings, from the first command to the last score.

    python tests/benchmarks/bench_study.py                     the whole net trains: `plain_study.py`
    python tests/benchmarks/bench_study.py --frozen            the embedder alone: `plain_frozen_study.py`

Both train on the embedded sketches: two losses, a search of four trials over four folds, two seeds, with equal numbers
of iterations, validations and test scores, on two cores: `run` has two workers, and the script two threads. Imports,
decoding and features are part of both, records and lists of nearest neighbours of `run` alone. Both score under two
distances, and models that are not trained as well; further ratios leave out what the script needs for either. Processor
time is that of all processes of a command; where other work keeps the machine busy, it says more than wall time. `run`
is measured in the arithmetic of the protocol, whose bits are those of every x86 CPU, and in that of the script, which
takes the widest instructions that the CPU has. Aim: at most a third of the script's time.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from realitycheck.datasets.members.few_sketches import FewSketches

SIZES = {"losses": ["contrastive", "normalized_softmax"], "trials": 4, "seeds": 2, "iterations": 120, "every": 40}
WIDTH, FROZEN_WIDTH, THREADS = 12, 64, 2
RUN = ["run", "speed.yaml", "--workers", "2", "--progress", "quiet"]
ARITHMETIC = ("x86-avx2", "cpu-fp32")
"""That of the protocol, and that of the script."""

SUBREAPER = 36
"""`PR_SET_CHILD_SUBREAPER`: the fork server of a command becomes a child of this process, which then knows its time."""

STUDY = """\
study: speed
question: How long does a whole study take?
protocol: quick
override:
  phases: [{{name: normal, cap: {iterations}, evaluate_every: {every}, patience: 99}}]
  search.searches: 1
  search.trials: {trials}
  final.seeds: {seeds}
  interval.method: student_t
  interval.runners_up: 0
  recipe.arithmetic: {arithmetic}
{further}datasets: {{folder: {{root: sketches}}}}
losses: {{contrastive: {{}}, normalized_softmax: {{}}}}
baseline: contrastive
primary: {{category: complete, metric: map_at_r}}
smallest_difference: 0.5
"""


FROZEN = f"""\
  recipe.trunk: {{name: convnet, channels: {FROZEN_WIDTH}, frozen: true}}
  recipe.batch_norm: frozen
  recipe.layer_norm: plain
  recipe.augment.shift: 0
  recipe.optimizers.embedder.lr: null
  search.shared: {{embedder_lr: {{log_uniform: [1e-5, 1e-2]}}}}
  batches.proxies: {{classes: 16, per_class: 2}}
"""
"""What differs from the study in which the whole net trains."""


class Took(NamedTuple):
    """Seconds of a command."""

    wall: float
    processor: float

    def without(self, part: Took) -> Took:
        """What is left without a part of it."""
        return Took(self.wall - part.wall, self.processor - part.processor)


def main() -> None:
    """Print the seconds of both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frozen", action="store_true", help="train the embedder on features of a frozen trunk")
    frozen = parser.parse_args().frozen
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        _write_images(home)
        ours = {name: _run(home, arithmetic=name, frozen=frozen) for name in ARITHMETIC}
        plain, parts = _script(home, "plain_frozen_study.py" if frozen else "plain_study.py", frozen=frozen)
    trainings = len(SIZES["losses"]) * (4 * SIZES["trials"] + 5 * SIZES["seeds"])
    trained = plain.without(parts["untrained"])
    scripts = {
        f"a script of the same, {THREADS} threads": plain,
        "the same, no untrained models": trained,
        "the same, one distance alone as well": trained.without(parts["second"]),
    }
    print(f"a study of {trainings} trainings                  wall   processor      ratios (aim: 0.33)")
    for name, one in ours.items():
        print(f"{f'`run --workers 2`, {name}':36}{one.wall:7.1f} s {one.processor:9.1f} s")
    for says, took in scripts.items():
        ratios = "".join(f"{one.wall / took.wall:7.2f} {one.processor / took.processor:7.2f}" for one in ours.values())
        print(f"{says:36}{took.wall:7.1f} s {took.processor:9.1f} s {ratios}")


def _run(home: Path, *, arithmetic: str, frozen: bool) -> Took:
    """Carry the study out in a folder of its own."""
    place = home / arithmetic
    place.mkdir()
    (place / "sketches").symlink_to(home / "sketches")
    text = STUDY.format(**SIZES, arithmetic=arithmetic, further=FROZEN if frozen else "")
    (place / "speed.yaml").write_text(text)
    return _took([sys.executable, "-m", "realitycheck", *RUN], place)[0]


def _write_images(home: Path) -> None:
    """Write the embedded sketches as files: all of them for `run`, and the two halves for the script."""
    data = FewSketches()
    half = len(data.classes) // 2
    images = data.images(list(range(len(data.labels))), size=28)
    for index, (label, image) in enumerate(zip(data.labels, images, strict=True)):
        for folder in ("sketches", "train" if label < half else "test"):
            path = home / folder / f"{label:04d}" / f"{index:05d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.asarray(image)[0]).save(path)


def _script(home: Path, name: str, *, frozen: bool) -> tuple[Took, dict[str, Took]]:
    """Run a script: what it took, and what of that its further scores took."""
    sizes = json.dumps({**SIZES, "width": FROZEN_WIDTH if frozen else WIDTH, "threads": THREADS})
    script = str(Path(__file__).with_name(name).resolve())
    took, printed = _took([sys.executable, script, str(home / "train"), str(home / "test"), sizes], home)
    return took, {part: Took(**spent) for part, spent in json.loads(printed.splitlines()[-1]).items()}


def _took(command: list[str], place: Path) -> tuple[Took, str]:
    start, before = time.perf_counter(), _processor()
    printed = subprocess.run(command, cwd=place, check=True, stdout=subprocess.PIPE, text=True).stdout
    wall = time.perf_counter() - start
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        return Took(wall, _processor() - before), printed


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
