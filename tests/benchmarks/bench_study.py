"""A whole study against `plain_study.py`, a script of the same trainings, from the first command to the last score.

    python tests/benchmarks/bench_study.py

Both train on the embedded sketches, written as files: two losses, a search of four trials over four folds, two seeds,
with equal numbers of iterations, validations and test scores, on two cores: `run` has two workers, and the script two
threads. Decoding, imports and records are part of `run`. Aim: at most a third of the script's time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from realitycheck.datasets.members.few_sketches import FewSketches

SIZES = {"losses": ["contrastive", "normalized_softmax"], "trials": 4, "seeds": 2, "iterations": 120, "every": 40}
WIDTH, THREADS = 12, 2
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
datasets: {{folder: {{root: sketches}}}}
losses: {{contrastive: {{}}, normalized_softmax: {{}}}}
baseline: contrastive
primary: {{category: complete, metric: map_at_r}}
smallest_difference: 0.5
"""


def main() -> None:
    """Print the seconds of both, and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        _write_images(home)
        (home / "speed.yaml").write_text(STUDY.format(**SIZES))
        ours, plain = _ours(home), _script(home)
    trainings = len(SIZES["losses"]) * (4 * SIZES["trials"] + 5 * SIZES["seeds"])
    print(f"a study of {trainings} trainings, `run --workers 2`   {ours:7.1f} s")
    print(f"a script of the same, {THREADS} threads              {plain:7.1f} s")
    print(f"ratio                                        {ours / plain:7.2f}   (aim: 0.33)")


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


def _ours(home: Path) -> float:
    command = [sys.executable, "-m", "realitycheck", "run", "speed.yaml", "--workers", "2", "--progress", "quiet"]
    return _seconds(command, home)


def _script(home: Path) -> float:
    sizes = json.dumps({**SIZES, "width": WIDTH, "threads": THREADS})
    script = Path(__file__).with_name("plain_study.py").resolve()
    return _seconds([sys.executable, str(script), str(home / "train"), str(home / "test"), sizes], home)


def _seconds(command: list[str], place: Path) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=place, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
