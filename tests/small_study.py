"""A small study on disk."""

from __future__ import annotations

from pathlib import Path

from pictures import write_pictures

PROTOCOL = """
protocol: tiny
summary: the smallest protocol that uses every part
seed: 7
split: {order: sorted, seed: 0}
folds: {count: 2, kind: blocks, seed: 0}
recipe:
  image_size: 28
  trunk: {name: convnet, channels: 4}
  pooling: avg
  layer_norm: none
  embedder_init: fan_in_uniform
  loss_init: standard_normal
  batch_norm: train
  augment: {shift: 2, flip: 0.5}
  optimizers:
    trunk: {name: adam, lr: 1e-3, momentum: 0.9, weight_decay: 0}
    embedder: {name: adam, lr: 1e-3, momentum: 0.9, weight_decay: 0}
    loss: {name: adam, lr: null, momentum: 0.9, weight_decay: 0}
  arithmetic: cpu-fp32
  threads: 1
  collapse: 1e-4
embedding_dim: 8
batches: {pairs: {classes: 4, per_class: 2}, proxies: {classes: 4, per_class: 2}}
epoch: 10
phases: [{name: normal, cap: 30, evaluate_every: 10, patience: 2}]
search: {sampler: random, trials: 3, startup_trials: 2, round: 1, space: v1, shared: {}}
final: {seeds: 2, complete: per_replicate}
categories: [aggregate, ensemble, complete]
interval: {method: student_t, level: 0.95}
"""

SPACES = """
contrastive:
  pos_margin: {uniform: [0.0, 1.0]}
  neg_margin: {uniform: [0.0, 2.0]}
triplet:
  margin: {uniform: [0.0, 1.0]}
normalized_softmax:
  temperature: {log_uniform: [0.01, 1]}
  loss_lr: {log_uniform: [1e-4, 1]}
"""

WARPED = """
warped_softmax:
  temperature: {log_uniform: [1.0, 500.0]}
  point: {uniform: [0.0, 1.5]}
  inner_slope: {uniform: [0.0, 1.0]}
  outer_slope: {uniform: [1.0, 3.0]}
  handicap: {uniform: [1.0, 5.5]}
  loss_lr: {log_uniform: [1e-4, 1]}
"""
"""Ranges of Warped-Softmax in units of the initial embedding length, to be added to `SPACES`."""

FROZEN = (
    PROTOCOL.replace("{name: convnet, channels: 4}", "{name: convnet, channels: 4, frozen: true}")
    .replace("batch_norm: train", "batch_norm: frozen")
    .replace("shift: 2", "shift: 0")
    .replace("embedder: {name: adam, lr: 1e-3,", "embedder: {name: adam, lr: null,")
    .replace("shared: {}", "shared: {embedder_lr: {log_uniform: [1e-4, 1e-2]}}")
)
"""The protocol with a frozen trunk."""

STUDY = """
study: small
question: Do the parts fit together?
protocol: tiny
datasets: {pictures: {dataset: folder, root: ../pictures}}
losses: {contrastive: {}, triplet: {}, normalized_softmax: {}}
baseline: contrastive
primary: {category: complete, metric: map_at_r}
smallest_difference: 0.5
"""

FINISHED_PROTOCOL = PROTOCOL.replace(
    "cap: 30, evaluate_every: 10, patience: 2", "cap: 6, evaluate_every: 3, patience: 1"
).replace("sampler: random, trials: 3, startup_trials: 2", "sampler: gp, trials: 2, startup_trials: 1")
"""The protocol of the study that the fixture `finished` carries out."""

NEAR = (
    PROTOCOL.replace("trials: 3,", "searches: 2, trials: 3,")
    .replace("seeds: 2,", "seeds: 4,")
    .replace("level: 0.95", "level: 0.95, runners_up: 1")
)
"""Two searches of three trials, two replicates each, and one runner-up at most."""

FINISHED = STUDY.replace(" triplet: {},", "")


def write_study(home: Path, *, protocol: str = PROTOCOL, study: str = STUDY) -> Path:
    """Lay a study out as a user would; the path of its file."""
    for name in ("protocols/spaces", "studies", "reports"):
        (home / name).mkdir(parents=True, exist_ok=True)
    if not (home / "pictures").exists():
        write_pictures(home / "pictures", classes=17, each=4)
    (home / "protocols" / "tiny.yaml").write_text(protocol)
    (home / "protocols" / "spaces" / "v1.yaml").write_text(SPACES)
    path = home / "studies" / "small.yaml"
    path.write_text(study)
    return path
