"""A small home with a valid study, for tests that break one thing of it, and the problems that are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from realitycheck.check.inspection import FILE_RULES, Inspection
from realitycheck.check.rules.base import Rule
from realitycheck.errors import InputError, Problem
from realitycheck.protocol.read import open_files

PROTOCOL = """\
protocol: tiny
summary: One line.
seed: 7
split: {order: sorted, seed: 0}
folds: {count: 4, kind: blocks, seed: 0}
recipe:
  image_size: 28
  trunk: {name: convnet, channels: 8}
  pooling: avg
  layer_norm: none
  embedder_init: fan_in_uniform
  loss_init: unit_norm
  batch_norm: train
  augment: {shift: 2, flip: 0.5}
  optimizers:
    trunk: {name: adam, lr: 1e-4, momentum: 0.9, weight_decay: 0.0}
    embedder: {name: adam, lr: 1e-4, momentum: 0.9, weight_decay: 0.0}
    loss: {name: adam, lr: null, momentum: 0.9, weight_decay: 0.0}
  arithmetic: cpu-fp32
  threads: 1
  collapse: 1e-3
embedding_dim: 16
batches:
  pairs: {classes: 4, per_class: 2}
  proxies: {classes: 4, per_class: 2}
epoch: pass
phases:
  - {name: normal, cap: 40, evaluate_every: 20, patience: 2}
  - name: followup
    cap: 20
    evaluate_every: 10
    patience: 1
search:
  sampler: gp
  trials: 6
  startup_trials: 3
  round: 2
  space: v1
  shared: {followup_trunk_lr_scale: 0.1, followup_embedder_lr_scale: {log_uniform: [1e-3, 1]}}
final: {seeds: 3, complete: appendix_d}
categories: [aggregate, complete]
interval: {method: student_t, level: 0.95}
"""

SPACES = """\
contrastive:
  pos_margin: {uniform: [0, 1]}
  neg_margin: {uniform: [0, 2]}
normalized_softmax:
  temperature: {log_uniform: [0.01, 1]}
  loss_lr: {log_uniform: [1e-6, 1]}
"""

STUDY = """\
study: mine
question: Which is best?
protocol: tiny
datasets:
  sketches: {}
  birds: {dataset: folder, root: images/birds}
losses:
  contrastive: {}
  softmax:
    loss: normalized_softmax
    space:
      temperature: {log_uniform: [0.05, 0.5]}
      loss_lr: 1e-3
  circle:
    loss: pytorch_metric_learning.losses:CircleLoss
    distance: cosine
    family: pairs
    space: {m: {uniform: [0, 1]}, gamma: {log_uniform: [1, 512]}}
baseline: contrastive
primary: {category: complete, metric: map_at_r}
smallest_difference: 0.5
"""


class Home:
    """A folder with one protocol, its spaces and one study, all valid until `replace` breaks one."""

    def __init__(self, folder: Path) -> None:
        self.protocol = folder / "protocols" / "tiny.yaml"
        self.spaces = folder / "protocols" / "spaces" / "v1.yaml"
        self.study = folder / "studies" / "mine.yaml"
        self.folder = folder
        for path, text in ((self.protocol, PROTOCOL), (self.spaces, SPACES), (self.study, STUDY)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def replace(self, path: Path, old: str, new: str) -> None:
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        path.write_text(text.replace(old, new))


def inspected(path: Path, *, rules: Sequence[Rule] = FILE_RULES) -> tuple[Problem, ...]:
    """All problems of a study's files, in order."""
    inspection = Inspection(open_files(path))
    inspection.apply(rules)
    error = inspection.error()
    return error.problems if error else ()


def refused(read: Callable[[Path], object], path: Path) -> tuple[Problem, ...]:
    """The problems for which a file is refused; empty where it is read."""
    try:
        read(path)
    except InputError as error:
        return error.problems
    return ()


def marks(problems: Sequence[Problem]) -> list[tuple[int, str, str]]:
    """Line, place and code of each problem."""
    return [(problem.line, problem.where, problem.code) for problem in problems]
